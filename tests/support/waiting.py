"""Waiting for a condition, with a bound, instead of sleeping for a guess."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], bound: float = 10.0, what: str = "", every: float = 0.01
) -> T:
    """Return the first true value of `condition`, asked again and again.

    Raises AssertionError after `bound` seconds; `what` says in its message what
    was waited for.
    """
    deadline = time.monotonic() + bound
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {bound:g} s: {what or condition}; last: {value!r}")
        time.sleep(every)
    return value
