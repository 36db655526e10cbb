"""What holds of reading any text at all: places, repetition, and cost in proportion to length."""

import time

import pytest
from hypothesis import example, given, settings

from tests.fuzz import check, hostile_texts, made_up_texts
from tests.support.work import calls
from worker.signals import hidden
from worker.signals.folding import plain
from worker.signals.links import find_links, find_mail_addresses
from worker.signals.near import signature
from worker.signals.text import linkable, views
from worker.signals.words import WordList

#: Below this, a clock tells nothing.
_SHORTEST_TIME = 0.0005

LISTED = WordList.of(["kill", "*ass*", "c++", "傻瓜", "바보", "go home"], exceptions=["class"])


@settings(max_examples=150, deadline=None)
@given(made_up_texts())
@example("\u202ea\u202db\u202cc\u202c \u0438\u0306 \u1100\u1161")
@example("\ufdfa\u0345\u0130")
def test_no_text_is_read_wrongly(text: str) -> None:
    check(text)


@settings(max_examples=150, deadline=None)
@given(made_up_texts())
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    once = plain(text).text

    assert plain(once).text == once


@settings(max_examples=300, deadline=None)
@given(made_up_texts())
def test_the_quick_look_for_tricks_misses_none(text: str) -> None:
    base = plain(text)
    possible = hidden._possible_tricks(base.text)

    quickly = {one.view.text for one in hidden._undone(base, possible)}
    thoroughly = {one.view.text for one in hidden._undone(base, hidden._ALL_TRICKS)}

    assert quickly | {base.text} == thoroughly | {base.text}


def _work(text: str) -> None:
    for view in views(text, "hard"):
        LISTED.find_all(view)
        tokens = view.tokens
        for number in range(len(tokens)):
            tokens.begins_sentence(number)
    find_links(linkable(text))
    find_mail_addresses(linkable(text))
    signature(text)


@pytest.mark.parametrize("kind", sorted(hostile_texts(1)))
def test_time_grows_no_faster_than_length(kind: str) -> None:
    """Sixteen times the text: careless patterns would take 256 times as long."""
    short, long = hostile_texts(1_000)[kind], hostile_texts(16_000)[kind]
    _work(short)

    assert _seconds(long) < 80 * max(_seconds(short), _SHORTEST_TIME)


def _seconds(text: str) -> float:
    times = []
    for _ in range(3):
        started = time.process_time()
        _work(text)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("kind", sorted(hostile_texts(1)))
def test_twice_the_text_is_twice_the_work(kind: str) -> None:
    short, long = hostile_texts(1_000)[kind], hostile_texts(2_000)[kind]
    _work(long)

    assert calls(lambda: _work(long)) <= 2.2 * calls(lambda: _work(short)) + 500
