"""What takes a moment to count, and nobody needs fresher than a minute."""

import time
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_FRESH_SECONDS = 60.0
_MOST_REMEMBERED = 100

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key, each counted anew after a minute, and never twice at once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, T]] = {}
        self._counting = Lock()

    def get(self, key: Hashable, count: Callable[[], T]) -> T:
        """Return the value of the key, from `count` unless it is fresh."""
        with self._counting:
            known = self._known.get(key)
            if known and known[0] > time.monotonic():
                return known[1]
            found = count()
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (time.monotonic() + _FRESH_SECONDS, found)
        return found
