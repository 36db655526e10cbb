"""Work that comes round: at once, then every so often, and soon again after a failure."""

from collections.abc import Callable

import pytest

from service.domain.errors import StoreUnavailable
from worker.processes import _Round

HOUR = 3600.0

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return what sets the clock, in seconds since the machine was started."""

    def be(seconds: float) -> None:
        monkeypatch.setattr("worker.processes.time.monotonic", lambda: seconds)

    return be


class Work:
    """Work that fails as long as it is told to, and counts."""

    def __init__(self) -> None:
        self.done = 0
        self.failure: Exception | None = None

    def __call__(self) -> None:
        """Do it."""
        if self.failure:
            raise self.failure
        self.done += 1


def test_the_first_round_comes_at_once_and_the_next_ones_in_time(at: Clock) -> None:
    work = Work()
    each = _Round("sampling", HOUR, work)
    done = []

    for seconds in (3.0, 4.0, 3602.9, 3603.0, 7202.0, 7203.0):
        at(seconds)
        each.run_if_due()
        done.append(work.done)

    assert done == [1, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), ValueError("broken")])
def test_a_round_that_failed_comes_again_soon(at: Clock, failure: Exception) -> None:
    work = Work()
    work.failure = failure
    each = _Round("sampling", HOUR, work)
    at(3.0)
    each.run_if_due()

    work.failure = None
    at(50.0)
    each.run_if_due()
    assert work.done == 0
    at(63.0)
    each.run_if_due()
    assert work.done == 1
    at(200.0)
    each.run_if_due()
    assert work.done == 1


def test_a_short_round_comes_no_later_for_a_failure(at: Clock) -> None:
    work = Work()
    work.failure = ValueError("broken")
    each = _Round("webhooks", 1.0, work)
    at(3.0)
    each.run_if_due()

    work.failure = None
    at(4.0)
    each.run_if_due()

    assert work.done == 1
