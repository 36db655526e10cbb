"""The time limit: it ends what takes too long, and leaves the job's own alarm as it was."""

import signal
import time
from collections.abc import Iterator

import pytest

from worker.deadline import Deadline, TooSlow


@pytest.fixture(autouse=True)
def no_alarm() -> Iterator[None]:
    """Take away the alarm that the test itself runs under, and put it back."""
    handler = signal.getsignal(signal.SIGALRM)
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, remaining)


def run_forever() -> None:
    """Never return, and swallow every ordinary exception as a rule's isolation does."""
    while True:
        try:
            sum(range(1_000))
        except Exception:
            continue


def test_work_in_time_gives_its_result() -> None:
    with Deadline(5) as deadline:
        assert deadline.run(lambda: 7) == 7


def test_work_that_takes_too_long_is_ended_and_the_next_goes_on() -> None:
    with Deadline(0.02) as deadline:
        with pytest.raises(TooSlow):
            deadline.run(run_forever)

        assert deadline.run(lambda: 7) == 7


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_is_lost_in_a_destructor_rings_again() -> None:
    class Slow:
        def __del__(self) -> None:
            time.sleep(0.1)

    def work() -> None:
        Slow()
        run_forever()

    with Deadline(0.02) as deadline, pytest.raises(TooSlow):
        deadline.run(work)


def test_the_alarm_of_the_job_around_it_goes_on_with_what_remains() -> None:
    rung: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, _: rung.append(number))
    signal.setitimer(signal.ITIMER_REAL, 30)

    with Deadline(0.02) as deadline, pytest.raises(TooSlow):
        deadline.run(run_forever)

    remaining, _ = signal.getitimer(signal.ITIMER_REAL)
    assert 20 < remaining < 30
    signal.raise_signal(signal.SIGALRM)
    assert rung == [signal.SIGALRM]


def test_an_alarm_that_fell_due_meanwhile_rings_afterwards() -> None:
    def ring(*_: object) -> None:
        raise InterruptedError

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.01)

    with pytest.raises(InterruptedError):
        overrun_then_wait()


def overrun_then_wait() -> None:
    """Let work overrun its limit, then wait for whatever alarm remains."""
    with Deadline(0.05) as deadline, pytest.raises(TooSlow):
        deadline.run(run_forever)
    signal.pause()


def test_nothing_stays_set_where_nothing_was() -> None:
    with Deadline(5) as deadline:
        deadline.run(lambda: None)

    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
