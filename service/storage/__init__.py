"""The record: one SQL store over SQLite or PostgreSQL.

Queries live in the modules beside this one, as functions whose first argument
is an open connection. Whoever needs a transaction opens it here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.domain.clock import utc_now
from service.domain.errors import StoreUnavailable
from service.storage import postgresql, schema
from service.storage.driver import run

_SQLITE_PREFIX = "sqlite:///"

# Bounds on waiting for PostgreSQL, so that a request hears "away" within a second
# of asking and a hung server never holds a thread for good.
_POSTGRESQL_ARGUMENTS = {
    "connect_timeout": 2,
    "tcp_user_timeout": 2_000,
    "options": "-c statement_timeout=10s -c lock_timeout=5s -c timezone=UTC",
}


class Store:
    """An open database and the rules for talking to it; `file` is where SQLite keeps its own."""

    def __init__(self, engine: Engine, file: Path | None) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name
        self._file = file
        self._writer = engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database throughout.

        Raises StoreUnavailable when the database is away.
        """
        with _named_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed, and durable, after the block.

        An exception undoes it. Raises StoreUnavailable when the database is
        away; a broken uniqueness passes through as IntegrityError. On SQLite
        writers of all processes take turns by a lock file: its own busy handler
        sleeps, which raised the 99th percentile of a commit twentyfold.
        """
        with _named_errors(), self._turn(), self._writer.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema to the newest revision; several callers take turns."""
        with _named_errors(), self._turn():
            schema.migrate(self.engine)

    def is_current(self) -> bool:
        """Whether the schema is at the newest revision."""
        with self.read() as db:
            return schema.is_current(db)

    def close(self) -> None:
        """Give up all connections."""
        self.engine.dispose()

    def _turn(self) -> AbstractContextManager[None]:
        return _turn(self._file) if self._file else nullcontext()


def open_store(url: str) -> Store:
    """Return the store at `url` (`sqlite:///PATH` or `postgresql+psycopg://...`).

    Nothing is connected yet: a database that is away shows at the first use.
    """
    if url.startswith(_SQLITE_PREFIX):
        # SQLite keeps its other files beside the one that a link leads to.
        path = Path(url.removeprefix(_SQLITE_PREFIX)).resolve()
        return Store(_sqlite_engine(path), path)
    return Store(_postgresql_engine(url), None)


def database_now(db: Connection) -> datetime:
    """Return the database's clock, in whole milliseconds: the one that all processes share."""
    if db.dialect.name == "sqlite":
        # It has none but this machine's.
        return utc_now()
    clock = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    [milliseconds] = run(db, clock).fetchone()
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _postgresql_engine(url: str) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=16,
        max_overflow=16,
        pool_timeout=1,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_POSTGRESQL_ARGUMENTS,
    )
    sa.event.listen(engine, "do_connect", postgresql.Outage().connect)
    return engine


def _sqlite_engine(path: Path) -> Engine:
    engine = sa.create_engine(
        f"{_SQLITE_PREFIX}{path}",
        pool_size=16,
        max_overflow=16,
        pool_timeout=1,
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    for pragma in (
        # What stands in the log goes to the disk at the end of each turn, see `_turn`. Some
        # file systems cannot have one.
        "synchronous = NORMAL" if mode == "wal" else "synchronous = FULL",
        "busy_timeout = 5000",
        "foreign_keys = ON",
        # Hashes scatter over the indexes: with 2 MB of cache and a checkpoint
        # every 1,000 pages, the defaults, most of the work was moving pages.
        "cache_size = -16000",
        "wal_autocheckpoint = 8000",
        # A statement of many rows notes down what it changes, in case it fails half way: in
        # files, that was a third of what a commit wrote. Nothing large is sorted without
        # an index.
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a read that turns into a write
    # later fails with "database is locked" whatever the busy timeout.
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    run(connection, f"BEGIN {kind}")


@contextmanager
def _turn(database: Path) -> Iterator[None]:
    """Give the turn to write to a SQLite database; what was written is durable at the end.

    Others may write while this one waits for the disk, and may read what it wrote: 7 % more
    comments were taken than with `synchronous = FULL`, by which SQLite waits within the turn.
    """
    with _locked(database.with_name(f"{database.name}.lock")):
        yield
    with suppress(FileNotFoundError):  # without a log SQLite has waited itself
        _sync(database.with_name(f"{database.name}-wal"))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.fdatasync(file)
    finally:
        os.close(file)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Opened for each turn: threads that shared an open file would share its lock.
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (IntegrityError, DataError):
        raise  # it is there, and says no
    except (DBAPIError, PoolTimeout, OSError) as error:
        raise StoreUnavailable(str(error.__class__.__name__)) from error
