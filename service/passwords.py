"""Moderators' passwords: argon2id, a bounded number at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from service.domain.errors import RateLimited

# What OWASP asks of argon2id at least. More memory would not fit the bound on a
# web process when several people sign in at the same moment.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

#: Hashing is dear by design: without a bound, sign-in attempts would take the
#: processor from everybody else.
_AT_ONCE = 2
_WAIT_SECONDS = 2.0
_turns = threading.BoundedSemaphore(_AT_ONCE)


def hash_password(password: str) -> str:
    """Return what to store for `password`."""
    with _turn():
        return _hasher.hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Whether `password` is the one behind `stored`.

    Give None for an unknown login: that takes as long as a wrong password, so
    that the time tells nobody which logins exist. Raises RateLimited when too
    many attempts wait already.
    """
    known = stored is not None
    with _turn():
        return _matches(password, stored if stored is not None else _nobody()) and known


def is_outdated(stored: str) -> bool:
    """Whether the password should be hashed anew, with the strength of today."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    return _hasher.hash("the password of nobody")


def _matches(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=_WAIT_SECONDS):
        raise RateLimited("passwords", limit=_AT_ONCE, window=1, retry_after=1)
    try:
        yield
    finally:
        _turns.release()
