"""Characters that betray something, and the same where writing needs them."""

import pytest

from worker.signals.characters import Kind, longest_marks, mixed_script_words, places


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        pytest.param("vi\u200bagra", "invisible", [2], id="zero-width space"),
        pytest.param("so\u00adft", "invisible", [2], id="soft hyphen"),
        pytest.param("a\U000e0041b", "invisible", [1], id="tag"),
        pytest.param("a\ufe0fb", "invisible", [1], id="variation selector on a letter"),
        pytest.param("a\u200db\u200c", "invisible", [1, 3], id="joiners in Latin"),
        pytest.param("a\ufeff", "invisible", [1], id="byte order mark inside"),
        pytest.param("\ufeffa", "invisible", [], id="byte order mark in front"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467", "invisible", [], id="a family"),
        pytest.param("\u2764\ufe0f 1\ufe0f\u20e3", "invisible", [], id="emoji style"),
        pytest.param("\U0001f3f3\ufe0f\u200d\U0001f308", "invisible", [], id="a flag of parts"),
        pytest.param(
            "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "invisible", [], id="a flag of tags"),
        pytest.param("می\u200cخواهم", "invisible", [], id="Persian"),
        pytest.param("क\u094d\u200dष", "invisible", [], id="Hindi"),
        pytest.param("ភាសា\u200bខ្មែរ", "invisible", [], id="Khmer"),
        pytest.param("abc\u202edef\u202c", "bidi", [3, 7], id="override"),
        pytest.param("שלום \u202eabc", "bidi", [5], id="override in Hebrew"),
        pytest.param("abc\u200f", "bidi", [3], id="direction mark in Latin"),
        pytest.param("\u200fשלום (abc)\u200f \u2067", "bidi", [], id="direction marks in Hebrew"),
        pytest.param("a\x80b\x07", "control", [1, 3], id="control characters"),
        pytest.param("a\tb\r\nc\x85", "control", [], id="what keyboards type"),
        pytest.param("𝓼ｗ🅰ⓑ", "styled", [0, 1, 2, 3], id="styled letters"),
        pytest.param("ᴋɪʟʟ", "styled", [0, 1, 2, 3], id="small capitals"),
        pytest.param("\U0001f1f0 \U0001f1ee", "styled", [0, 2], id="flag letters alone"),
        pytest.param("\U0001f1fa\U0001f1e6", "styled", [], id="a flag"),
        pytest.param("日本のＮＨＫ", "styled", [], id="wide letters in Japanese"),
        pytest.param("20 ℃, № 5, ™, ½, x²", "styled", [], id="signs"),
        pytest.param("z\u0301\u0302\u0303a", "marks", [1], id="a pile of marks"),
        pytest.param("e\u0323\u0302", "marks", [], id="Vietnamese"),
    ],
)  # fmt: skip
def test_a_character_counts_where_no_writing_needs_it(
    text: str, kind: Kind, found: list[int]
) -> None:
    assert places(text, kind) == found


@pytest.mark.parametrize(
    ("text", "longest"),
    [("abc", 0), ("é", 0), ("e\u0301", 1), ("z\u0301\u0302\u0303a\u0301", 3), ("", 0)],
)
def test_the_longest_pile_of_marks_is_counted(text: str, longest: int) -> None:
    assert longest_marks(text) == longest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fr\u0435e money", ["fr\u0435e"]),
        ("p\u0430yp\u0430l, ΡayΡal", ["p\u0430yp\u0430l", "ΡayΡal"]),
        ("сук\u0061 там", ["сук\u0061"]),
        ("iPhone'ом и web-сайт", []),
        ("SMSки и PDFка", []),
        ("5 μm, 3 kΩ, α2, TNFα", []),
        ("日本語abc", []),
        ("привет world", []),
        ("naïve café", []),
        ("вс\u00eb", []),
        ("plain", []),
    ],
)
def test_words_of_mixed_alphabets_are_found(text: str, words: list[str]) -> None:
    assert [text[slice(*place)] for place in mixed_script_words(text)] == words
