"""Connections to PostgreSQL that do not wait for good for a server that fell silent.

`statement_timeout` is kept by the server, and one that hangs keeps nothing. So
whoever waits for long has the server asked, beside the wait, whether it still
takes connections. If it does not, all waits end, and nobody begins another
until it answers again.
"""

import time
from collections.abc import Callable, Generator
from threading import Lock, Thread
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from psycopg.abc import PQGen, PQGenConn
from sqlalchemy import Dialect

#: A little longer than the statement_timeout of the engine.
_STATEMENT_SECONDS = 12.0
_PING_SECONDS = 1.0
#: Who waited this long has the server asked, which may take it as long again.
_DOUBT_SECONDS = 0.5
_ANSWER_SECONDS = 0.5
#: Between two questions to a server that does not answer.
_REST_SECONDS = 0.5

Result = TypeVar("Result")
State = TypeVar("State")


class Outage:
    """What is known of a server that does not answer; one for each engine."""

    def __init__(self) -> None:
        self._silent = False
        self._asking = Lock()
        self._address: tuple[list[Any], dict[str, Any]] = ([], {})

    def connect(
        self, _dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> psycopg.Connection[Any]:
        """Return a new connection, as SQLAlchemy's `do_connect` event asks for it."""
        self._address = (arguments, options)
        self.heed()
        return _Connection.of(self).connect(*arguments, **options)

    def heed(self) -> None:
        """Raise OperationalError while the server is known not to answer."""
        if self._silent:
            raise psycopg.OperationalError("the server does not answer")

    def suspect(self) -> None:
        """Have the server asked, unless that is under way; returns at once."""
        if self._asking.acquire(blocking=False):
            Thread(target=self._ask, name="postgresql-outage", daemon=True).start()

    def _ask(self) -> None:
        try:
            while not self._answers():
                self._silent = True
                time.sleep(_REST_SECONDS)
            self._silent = False
        finally:
            self._asking.release()

    def _answers(self) -> bool:
        arguments, options = self._address
        try:
            _Probe.connect(*arguments, **options).close()
        except _NoAnswer:
            return False
        except psycopg.Error:
            # "No" is an answer too, and whoever else asks hears it as soon.
            return True
        return True


class _Connection(psycopg.Connection[Any]):
    """A connection that gives up, and closes, when the server does not answer in time."""

    outage: ClassVar[Outage]

    @classmethod
    def of(cls, outage: Outage) -> type[Self]:
        """Return the class of the connections that heed `outage`."""
        return type("Connection", (cls,), {"outage": outage})

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        """Return what the server answers; raise OperationalError if it takes too long."""
        # Outside a transaction is only the pool's question whether the server is there.
        bound = _PING_SECONDS if self.autocommit else _STATEMENT_SECONDS
        try:
            self.outage.heed()
            return super().wait(_attended(gen, _doubting(self.outage)), interval, timeout or bound)
        except psycopg.OperationalError as error:
            # Errors that the server itself tells carry its code, and leave the line in order.
            if error.sqlstate is None:
                self.pgconn.finish()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        return _attended(super()._connect_gen(conninfo), _doubting(cls.outage))


class _NoAnswer(psycopg.OperationalError):
    """The server did not say anything in time."""


class _Probe(psycopg.Connection[Any]):
    """A connection that is there within the time that an answer may take, or not at all."""

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        return _attended(super()._connect_gen(conninfo), _impatient())


def _doubting(outage: Outage) -> Callable[[], None]:
    """Return what to do while waiting: have the server asked once, and heed the answer."""
    doubt_from = time.monotonic() + _DOUBT_SECONDS

    def doubt() -> None:
        nonlocal doubt_from
        if time.monotonic() > doubt_from:
            doubt_from = float("inf")
            outage.suspect()
        outage.heed()

    return doubt


def _impatient() -> Callable[[], None]:
    until = time.monotonic() + _ANSWER_SECONDS

    def give_up() -> None:
        if time.monotonic() > until:
            raise _NoAnswer

    return give_up


def _attended(
    waiting: Generator[State, Any, Result], attend: Callable[[], None]
) -> Generator[State, Any, Result]:
    """Return psycopg's `waiting`, with a call of `attend` whenever nothing came for a while."""
    try:
        state = next(waiting)
        while True:
            ready = yield state
            if not ready:
                attend()
            state = waiting.send(ready)
    except StopIteration as end:
        result: Result = end.value
        return result
