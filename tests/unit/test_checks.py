"""Checks on their way to a worker: whoever asks gets an answer in the time that it gave."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any, cast

import pytest

from service.checks import Checks
from service.domain.errors import CheckUnavailable
from service.jobs import JobQueue

Answers = list[dict[str, Any]]


class _Jobs:
    """A job queue that answers as a test wants it, and remembers how long it was given."""

    def __init__(self, answer: Callable[[Answers], Answers]) -> None:
        self._answer = answer
        self.seconds: list[float] = []

    def check(self, payloads: Answers, seconds: float) -> Answers:
        self.seconds.append(seconds)
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


def waited(asked: Checks, seconds: float) -> float:
    """Return for how long an answer was waited for that did not come."""
    started = time.monotonic()
    with pytest.raises(CheckUnavailable):
        asked.ask({}, seconds)
    return time.monotonic() - started
