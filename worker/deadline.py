"""A bound on the time that the rules may take over one comment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

#: An alarm that fell due while ours was set is rung this much later.
_AT_ONCE = 0.000_001


class TooSlow(BaseException):
    """The time is up. Not an Exception, so that no rule's isolation swallows it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in this block once it took `seconds`.

    Works in the main thread only. There is one alarm a process, and the job
    around us has set it for its own limit: that one is put back afterwards
    with what remains of its time.
    """
    handler = signal.signal(signal.SIGALRM, _ring)
    started = monotonic()
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        # A level of its own: the alarm may ring while the inner level ends.
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            left = remaining - (monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, _AT_ONCE))


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlow
