"""Folding: what readers see as the same becomes the same, and nothing else does."""

import pytest

from worker.signals.text import control_characters, linkable, plain


@pytest.mark.parametrize(
    ("received", "folded"),
    [
        pytest.param("Hello World", "hello world", id="case"),
        pytest.param("café Ångström", "cafe angstrom", id="accents"),
        pytest.param("ｆｕｌｌ 𝓼𝓽𝔂𝓵𝓮𝓭 🅰🅱", "full styled ab", id="styled letters"),
        pytest.param("vi\u200bag\u00adra", "viagra", id="invisible characters"),
        pytest.param("\u202eabc\u202c", "abc", id="direction marks"),
        pytest.param("ZA\u0335L\u0336GO", "zalgo", id="strike-through"),
        pytest.param(
            "fr\u0435\u0435 m\u043eney", "free money", id="Cyrillic letters in Latin words"
        ),
        pytest.param("сук\u0061", "сука", id="a Latin letter in a Cyrillic word"),
        pytest.param("Straße", "strasse", id="sharp s"),
        pytest.param("don’t — wait…", "don't - wait...", id="typographic punctuation"),
        pytest.param("one\ttwo\nthree\u00a0four", "one two three four", id="white space"),
    ],
)
def test_what_readers_see_as_the_same_is_folded_together(received: str, folded: str) -> None:
    assert plain(received).text == folded


@pytest.mark.parametrize(
    "word",
    ["рос", "сор", "привет", "καλημερα", "हिन्दी", "ภาษาไทย", "中文字", "ひらがな", "עברית"],
)
def test_words_of_one_script_keep_their_letters(word: str) -> None:
    assert not any("a" <= letter <= "z" for letter in plain(word).text)


def test_marks_that_spell_a_word_are_kept() -> None:
    assert plain("कि").text != plain("की").text


def test_a_folded_place_leads_back_to_the_characters_received() -> None:
    received = "Ｗow: vi\u200bag\u0301ra, buy"
    view = plain(received)
    start = view.text.index("viagra")

    place = view.place(start, start + len("viagra"))

    assert received[slice(*place)] == "vi\u200bag\u0301ra"


def test_a_character_that_folds_to_many_is_the_place_of_each() -> None:
    view = plain("x\ufdfay")

    assert view.text.startswith("x")
    assert len(view.text) > 10
    assert view.place(3, 5) == (1, 2)


def test_host_names_keep_their_accents() -> None:
    assert linkable("MÜNCHEN\u200b.de").text == "münchen.de"


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("a" + "\u0315\u0300" * 32_000, id="alternating combining marks"),
        pytest.param("\u0301" * 32_000, id="marks without a letter"),
        pytest.param("\ufdfa" * 21_000, id="eighteenfold growth"),
        pytest.param("a" * 60_000 + "в", id="one endless mixed word"),
        pytest.param("".join(map(chr, range(0x100, 0x9000))), id="everything once"),
        pytest.param("\ufffe\uffff\ue000\U000e0041", id="no characters at all"),
    ],
)
def test_hostile_text_is_folded_without_trouble(hostile: str) -> None:
    for fold in (plain, linkable):
        view = fold(hostile)
        if view.text:
            assert view.place(0, len(view.text))[1] <= len(hostile)


@pytest.mark.parametrize(
    ("text", "places"),
    [("a\x80b\x9f", [1, 3]), ("next\x85line", []), ("tab\tand\nline", []), ("é", [])],
)
def test_control_characters_that_no_keyboard_types_are_found(text: str, places: list[int]) -> None:
    assert control_characters(text) == places
