"""Nearly alike texts: what a bot changes from page to page, and what people happen to share."""

from itertools import combinations

import pytest

from tests.near import measure
from worker.signals.near import alike, bands, signature

TEMPLATE = (
    "Hello {name}, I just found your wonderful site and read every article about {topic}. "
    "My cousin earned {money} dollars from home last month with this simple program, "
    "please look at {link} and tell all of your friends before the offer ends."
)
FIRST = {"name": "Anna", "topic": "history", "money": "4,500", "link": "http://one.example/a"}

#: Sober comments on one subject, which share words but say different things.
COMMENTS = [
    "The court heard three witnesses on Monday, and the families waited outside all day long.",
    "I worked in that prison for two years and what the report says is true, every word of it.",
    "Why does nobody ask the minister who signed the order? The families deserve an answer now.",
    "My grandmother told us about the winter of the siege, and she never could finish the story.",
    "The report says that the prison was closed, but families still receive letters from there.",
    "As a lawyer I read the order of the court differently: it closes the case, not the question.",
    "Thank you for this report. It must have been hard to write, and it was very hard to read.",
    "Both armies shelled the village that winter, and the witnesses of both sides say the same.",
]


def changed(**changes: str) -> str:
    """Return the advert as it stands on another page."""
    return TEMPLATE.format(**FIRST | changes)


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(changed(name="Boris"), id="a name"),
        pytest.param(changed(money="12,345"), id="a number"),
        pytest.param(changed(link="https://other.example/x?y=1 www.third.example"), id="links"),
        pytest.param(changed(topic="the weather"), id="a topic"),
        pytest.param(changed(name="Zoe", topic="cooking", link="pills.example"), id="all of it"),
        pytest.param(changed().upper(), id="capitals"),
        pytest.param(changed().replace("e", "\u0435"), id="look-alikes"),
        pytest.param(changed().replace("a", "a\u200b"), id="invisible characters"),
        pytest.param(changed().replace(" ", "\n"), id="line breaks"),
        pytest.param(changed().replace("simple", "great") + " Thanks!", id="two words"),
    ],
)
def test_an_advert_is_known_again(variant: str) -> None:
    first, other = signature(changed()), signature(variant)

    assert first is not None
    assert other is not None
    assert alike(first, other)
    assert set(bands(first)) & set(bands(other))


def test_comments_on_one_subject_are_not_alike() -> None:
    marks = [signature(comment) for comment in COMMENTS]

    assert not [pair for pair in combinations(marks, 2) if alike(pair[0] or 0, pair[1] or 0)]


def test_it_can_be_measured() -> None:
    adverts = [changed(name=name) for name in ("Anna", "Boris", "Chloe")]

    counted = measure([*adverts, *COMMENTS])

    assert (counted["true"], counted["taken"], counted["both"]) == (3, 3, 3)


@pytest.mark.parametrize(
    "text", ["", "Thank you very much for this!", "one.example two.example " * 9, "!!! ..." * 50]
)
def test_a_text_that_says_little_has_none(text: str) -> None:
    assert signature(text) is None


def test_scripts_without_blanks_have_words_too() -> None:
    first = signature("幸存者讲述了他们所看到的一切并且希望得到正义和真相")
    other = signature("幸存者讲述了他们所看到的一切并且希望得到正义和道歉")

    assert first is not None
    assert other is not None
    assert alike(first, other)


def test_a_fingerprint_is_the_same_everywhere() -> None:
    assert signature(COMMENTS[0]) == 262433275880219860870549969510977076538
