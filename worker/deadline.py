"""A bound on the time that the rules may take over one comment."""

import signal
from collections.abc import Callable
from time import monotonic
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

#: An alarm that fell due while ours was set is rung this much later.
_AT_ONCE = 0.000_001
#: The alarm rings again after so long, in seconds: one that meets a destructor or a
#: weak reference's callback is lost, as Python lets nothing be raised from those.
_AGAIN = 0.05


class TooSlow(BaseException):
    """The time is up. Not an Exception, so that no rule's isolation swallows it."""


class Deadline:
    """A block in which each piece of work gets so many seconds and no more.

    Works in the main thread only. There is one alarm a process, and the job
    around us has set it for its own limit: that one is put back at the end of
    the block with what remains of its time.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._handler: Any = None
        self._working = False
        self._remaining = 0.0
        self._started = 0.0

    def __enter__(self) -> Self:
        self._remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        self._started = monotonic()
        self._handler = signal.signal(signal.SIGALRM, self._ring)
        return self

    def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns; raise TooSlow if that takes longer than allowed."""
        self._working = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN)
        try:
            return work()
        finally:
            self._working = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGALRM, self._handler)
        if self._remaining:
            left = self._remaining - (monotonic() - self._started)
            signal.setitimer(signal.ITIMER_REAL, max(left, _AT_ONCE))

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._working:
            raise TooSlow
