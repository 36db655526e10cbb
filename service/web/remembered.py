"""What takes a moment to count: counted aside, so that no page waits for it."""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

import structlog

_FRESH_SECONDS = 60.0
_MOST_REMEMBERED = 100
#: How long a page waits for a count; most are done by then.
_PATIENCE_SECONDS = 0.03

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Counted(Generic[T]):
    """What was counted last. `renewing` tells that it is being counted anew."""

    value: T
    renewing: bool = False


class Remembered(Generic[T]):
    """Values by key, each counted anew once it is a minute old and asked for.

    Counting goes on in a thread of its own, one count at a time: it takes the
    longer the more there is, and whoever asks has the last count meanwhile.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, T]] = {}
        self._under_way: dict[Hashable, Future[None]] = {}
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="counting")

    def get(self, key: Hashable, count: Callable[[], T]) -> Counted[T] | None:
        """Return the value of the key, from `count` unless it is fresh.

        Waits a moment at most: then it is the last value, however old, or None
        where there is none yet. Raises what `count` raises, if it does so in time.
        """
        found = self._known.get(key)
        if found and found[0] > time.monotonic():
            return Counted(found[1])
        work = self._begun(key, count)
        with suppress(TimeoutError):
            work.result(_PATIENCE_SECONDS)
        found = self._known.get(key)
        return Counted(found[1], renewing=not work.done()) if found else None

    def _begun(self, key: Hashable, count: Callable[[], T]) -> Future[None]:
        with self._lock:
            work = self._under_way.get(key)
            if work is None:
                work = self._thread.submit(self._count, key, count)
                self._under_way[key] = work
            return work

    def _count(self, key: Hashable, count: Callable[[], T]) -> None:
        try:
            self._keep(key, count())
        except Exception as error:
            # Whoever asked may have gone, and only the next who asks begins anew.
            log.warning("not counted", error=type(error).__name__)
            raise
        finally:
            with self._lock:
                del self._under_way[key]

    def _keep(self, key: Hashable, value: T) -> None:
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (time.monotonic() + _FRESH_SECONDS, value)
