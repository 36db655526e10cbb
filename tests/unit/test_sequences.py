"""Sequences of words, and that what they cost is in proportion to the text alone."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.comment import Status
from service.domain.listing import entries_of
from service.domain.verdict import ENGINE
from tests.support.judging import shipped
from tests.support.work import calls
from worker.engine import judge
from worker.ruleset.cases import Case
from worker.ruleset.shipped import shipped_source
from worker.signals.sequences import Sequences
from worker.signals.text import MOST_READ, plain
from worker.signals.words import WordList

words = st.sampled_from(["a", "b", "ab", "abc"])
sequences = st.lists(st.tuples(st.lists(words, min_size=2, max_size=5), st.booleans()), max_size=8)


@given(sequences, st.lists(words, max_size=12))
@example([(["a", "a"], False), (["a", "a", "a"], False)], ["a", "a"])
def test_all_sequences_are_found_and_no_others(
    known: list[tuple[list[str], bool]], text: list[str]
) -> None:
    together = Sequences()
    for number, (sequence, goes_on) in enumerate(known):
        together.add(number, sequence, goes_on=goes_on)

    assert sorted(together.found(text)) == [
        (number, at)
        for number, (sequence, goes_on) in enumerate(known)
        for at in range(len(text))
        if re.match(_written(sequence, goes_on), " ".join(text[at:]))
    ]


def _written(sequence: list[str], goes_on: bool) -> str:
    return " ".join(sequence) + ("" if goes_on else r"\b")


@pytest.mark.parametrize("entries", [10, 1_000])
def test_entries_that_begin_alike_cost_no_more_than_one(entries: int) -> None:
    listed = WordList.of(f"you your {number:x}x" for number in range(entries))
    listed.find_all(plain("you"))
    view = plain("you your i we " * 500)
    _ = view.tokens.in_order

    assert calls(lambda: listed.find_all(view)) < 3_000


def _frequent(characters: int) -> str:
    """Return a text of listed words, and of those with which most entries begin."""
    texts = shipped_source().lists.values()
    listed = sorted(
        {word for text in texts for _, entry in entries_of(text) for word in entry.split()}
    )
    piece = " ".join(listed[:: len(listed) // 150]) + " you your i we" * 60 + " the k1ll. "
    return (piece * characters)[:characters]


@pytest.mark.parametrize(
    "piece",
    [
        "",
        "you your i we ",
        "you are a you are ",
        "the no a in is this my on ",
        "kill yourself ",
        "k1ll y0u, soooo c.u.t. ",
        "i will i will find you ",
        "convicted sentenced court victims according to ",
    ],
)
def test_twice_the_text_is_twice_the_work_of_all_rules(piece: str) -> None:
    short, long = ((piece * size)[:size] or _frequent(size) for size in (6_000, 12_000))
    _judge(long)

    assert calls(lambda: _judge(long)) <= 2.2 * calls(lambda: _judge(short)) + 2_000


def _judge(text: str) -> object:
    case = Case(text)
    return judge(case.comment(), shipped(), case.context())


def test_what_hides_too_much_is_held_for_a_person_to_read() -> None:
    """Every reading is as long as the text, so there are too many to look at all of them."""
    text = "k1ll soooo z-o-o gooodd baaad c.a.t moon maan " * 1_400
    case = Case(text)
    verdict = judge(case.comment(), shipped(), case.context())

    assert len(text) * 8 > MOST_READ
    assert verdict.status is Status.HELD
    assert [hit.rule for hit in verdict.hits if hit.category == ENGINE] == ["truncated"]
