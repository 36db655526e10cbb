"""Checks on their way to a worker: whoever asks gets an answer in the time that it gave."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, cast

import pytest

import service.checks
from service.checks import Checks
from service.domain.errors import CheckUnavailable
from service.jobs import JobQueue
from tests.support.waiting import wait_until

Answers = list[dict[str, Any]]


class _Jobs:
    """A job queue that answers as a test wants it, and remembers how long it was given."""

    def __init__(self, answer: Callable[[Answers], Answers]) -> None:
        self._answer = answer
        self.seconds: list[float] = []
        self.sizes: list[int] = []

    def check(self, payloads: Answers, seconds: float) -> Answers:
        self.seconds.append(seconds)
        self.sizes.append(len(payloads))
        return self._answer(payloads)


def checks(jobs: _Jobs) -> Checks:
    return Checks(cast(JobQueue, jobs), seconds=5.0)


def test_the_answer_is_that_of_the_worker() -> None:
    jobs = _Jobs(lambda payloads: [payload | {"status": "held"} for payload in payloads])
    assert checks(jobs).ask({"number": 7}) == {"number": 7, "status": "held"}


def test_time_for_saying_no_is_part_of_the_time_that_was_given() -> None:
    jobs = _Jobs(lambda payloads: payloads)
    checks(jobs).ask({}, 2.0)
    assert jobs.seconds[0] <= 1.9


def test_nobody_waits_longer_than_asked_for_even_if_the_queue_hangs() -> None:
    hanging = Event()

    def hang(payloads: Answers) -> Answers:
        hanging.wait(60)
        return payloads

    asked = checks(_Jobs(hang))
    # A busy machine may wake a thread late, but not each time.
    assert min(waited(asked, 0.2) for _ in range(5)) < 0.25
    hanging.set()


def test_without_time_nobody_is_asked() -> None:
    jobs = _Jobs(lambda payloads: payloads)
    with pytest.raises(CheckUnavailable):
        checks(jobs).ask({}, 0.05)
    assert jobs.seconds == []


def test_who_asks_while_a_group_is_away_shares_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.checks, "_TURN_SECONDS", 30.0)
    back = Event()
    jobs = _Jobs(waiting_for(back))
    asked = checks(jobs)
    with ThreadPoolExecutor(4) as callers:
        answers = [callers.submit(asked.ask, {"number": 0}, 30.0)]
        wait_until(lambda: jobs.sizes, 10, "the first is away")
        answers += [callers.submit(asked.ask, {"number": number}, 30.0) for number in (1, 2, 3)]
        # One of them is with the second carrier, which gathers.
        wait_until(lambda: asked._entries.qsize() == 2, 10, "the others wait")
        back.set()
        assert [answer.result(10)["number"] for answer in answers] == [0, 1, 2, 3]
    assert jobs.sizes == [1, 3]


def test_a_group_that_stays_away_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.checks, "_TURN_SECONDS", 0.01)
    back = Event()
    asked = checks(_Jobs(lambda some: waiting_for(back)(some) if "slow" in some[0] else some))
    with ThreadPoolExecutor(1) as callers:
        slow = callers.submit(asked.ask, {"slow": True}, 30.0)
        wait_until(lambda: not asked._back.is_set(), 10, "the first is away")
        assert asked.ask({"number": 1}, 30.0) == {"number": 1}
        back.set()
        assert slow.result(10)


def test_a_lone_check_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gather_long(monkeypatch)
    jobs = _Jobs(lambda payloads: payloads)
    asked = checks(jobs)
    for number in range(3):
        assert asked.ask({"number": number}, 20.0)
    assert jobs.sizes == [1, 1, 1]


def test_where_several_asked_at_a_time_a_group_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gather_long(monkeypatch)
    jobs = _Jobs(lambda payloads: payloads)
    asked = checks(jobs)
    asked._expected, asked._away_seconds = 2, 1.0
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(asked.ask, {"number": 0}, 60.0)
        wait_until(asked._entries.empty, 20, "the first is taken up")
        assert callers.submit(asked.ask, {"number": 1}, 60.0).result(50) == {"number": 1}
        assert first.result(50) == {"number": 0}
    assert jobs.sizes == [2]


def gather_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a group that expects more wait longer than any test does."""
    monkeypatch.setattr(service.checks, "_GATHERING_SECONDS", 40.0)
    monkeypatch.setattr(service.checks, "_GATHERING_SHARE", 1e9)


def waiting_for(back: Event) -> Callable[[Answers], Answers]:
    """Return a worker that answers when that happens."""

    def answer(payloads: Answers) -> Answers:
        back.wait(30)
        return payloads

    return answer


def waited(asked: Checks, seconds: float) -> float:
    """Return for how long an answer was waited for that did not come."""
    started = time.monotonic()
    with pytest.raises(CheckUnavailable):
        asked.ask({}, seconds)
    return time.monotonic() - started
