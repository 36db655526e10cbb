"""Hidden words: what was written so that programs do not see it, and prose that was not."""

import pytest

from worker.signals.text import views
from worker.signals.words import WordList

LISTED = WordList.of(
    ["cup", "zebra", "zoo keeper", "лошадь", "kill", "kitty", "assess", "cocaine", "얼룩말"]
)


def caught(text: str) -> set[str]:
    """Return the listed entries in any reading of a text."""
    return {found.entry for view in views(text, "hard") for found in LISTED.find_all(view)}


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        pytest.param("a z e b r a here", "zebra", id="blanks"),
        pytest.param("z.e.b.r.a", "zebra", id="full stops"),
        pytest.param("z-e-b-r-a", "zebra", id="hyphens"),
        pytest.param("z_e_b_r_a", "zebra", id="underscores"),
        pytest.param("k*i*l*l", "kill", id="stars"),
        pytest.param("k / i / l / l", "kill", id="slashes"),
        pytest.param("z e b r a   x x", "zebra", id="wider blanks between words"),
        pytest.param("z o o k e e p e r", "zoo keeper", id="a phrase without borders"),
        pytest.param("z\ne\nb\nr\na", "zebra", id="a letter a line"),
        pytest.param("you are a z e b r a", "zebra", id="after a word of one letter"),
        pytest.param("ze.bra", "zebra", id="a sign in a word"),
        pytest.param("ze\N{SPARKLES}bra", "zebra", id="an emoji in a word"),
        pytest.param("l o o k: ze-bra", "zebra", id="two tricks in one text"),
        pytest.param("zeb*ra", "zebra", id="a star that replaces nothing"),
        pytest.param("z3br4", "zebra", id="digits"),
        pytest.param("zebr@", "zebra", id="a sign for a letter"),
        pytest.param("a$$ess", "assess", id="dollars"),
        pytest.param("k!ll", "kill", id="a stroke for i"),
        pytest.param("ki11", "kill", id="a stroke for l"),
        pytest.param("z.3.b.r.4", "zebra", id="spaced digits"),
        pytest.param("л0ш@дь", "лошадь", id="digits in Cyrillic"),
        pytest.param("얼1룩말", "얼룩말", id="a digit between Korean syllables"),
        pytest.param("zzzebraaaa", "zebra", id="repeated letters"),
        pytest.param("kiiitttty", "kitty", id="repeated letters of which two are meant"),
        pytest.param("kkk!lll", "kill", id="repeated letters and digits"),
        pytest.param("\N{RIGHT-TO-LEFT OVERRIDE}arbez\N{POP DIRECTIONAL FORMATTING}", "zebra",
                     id="written backwards, shown forwards"),
        pytest.param("\N{RIGHT-TO-LEFT OVERRIDE}zebra\N{POP DIRECTIONAL FORMATTING}", "zebra",
                     id="written forwards, shown backwards"),
        pytest.param("buy сосаіпе here", "cocaine", id="wholly of look-alikes"),
        pytest.param("\U0001f1fa\U0001f1f8 \U0001f1f0\U0001f1ee\U0001f1f1\U0001f1f1", "kill",
                     id="flag letters"),
    ],
)  # fmt: skip
def test_a_hidden_word_is_seen(text: str, entry: str) -> None:
    assert entry in caught(text)


@pytest.mark.parametrize(
    "text",
    [
        "They flew from the U S A to the U.K. and the E U.",
        "Answers a b c d or 1 2 3 4",
        "J. R. R. Tolkien and I a m",
        "It cost $5, or 10km on the 5th in the 1990s.",
        "the end. No. Yes! Why? Well...",
        "The zoo. Keeper of words",
        "z e",
        "f**k, z***a, z*bra and ze*ra",
        "so (up he went) and |ill",
        "he'll, we'll and/or they'd",
        "Мы не молчим, когда они говорят правду!",
        "한국어 문장은 단어 사이를 띄어 씁니다.",
        "中文，句子。没有空格！",
        "\U0001f1fa\U0001f1e6 and \U0001f1fa\U0001f1f8\U0001f1ec\U0001f1e7",
    ],
)
def test_prose_hides_nothing(text: str) -> None:
    assert caught(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "The army said that people were killed, and who was there.",
        "It cost 5 or 10, on the 5th of May 1990.",
        "Мы не молчим, когда они говорят правду!",
        "Er sprach offen darüber; die Behörden schwiegen.",
        "قُتل العشرات في الحرب وتحدث الناجون.",
        "전쟁에서 많은 사람이 죽었고.",
    ],
)
def test_ordinary_prose_has_one_reading(text: str) -> None:
    assert [view.name for view in views(text, "hard")] == ["plain"]


def test_the_name_of_a_reading_tells_the_tricks() -> None:
    names = {view.name for view in views("z.3.b.r.a", "hard") if "zebra" in view.text}

    assert names == {"spaced+leet"}


def test_a_place_in_a_reading_leads_back_to_the_characters_received() -> None:
    received = "Look: Z \u200be b r @ now"
    [view] = [view for view in views(received, "hard") if "zebra " in view.text]
    start = view.text.index("zebra")

    assert view.source(start, start + 5) == "Z \u200be b r @"


@pytest.mark.parametrize("fold", ["plain", "hard"])
def test_reading_backwards_needs_no_hard_look(fold: str) -> None:
    received = "so \u202earbez\u202c!"
    found = [
        view.source(one.start, one.end)
        for view in views(received, "plain" if fold == "plain" else "hard")
        for one in LISTED.find_all(view)
    ]

    assert found == ["arbez"]
