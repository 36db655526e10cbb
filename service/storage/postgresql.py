"""Connections to PostgreSQL that do not wait for good for a server that fell silent.

`statement_timeout` is kept by the server, and one that hangs keeps nothing.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Dialect

#: A little longer than the statement_timeout of the engine.
_STATEMENT_SECONDS = 12.0
_PING_SECONDS = 1.0

Result = TypeVar("Result")


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that gives up, and closes, when the server does not answer in time."""

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        """Return what the server answers; raise OperationalError if it takes too long."""
        # Outside a transaction is only the pool's question whether the server is there.
        bound = _PING_SECONDS if self.autocommit else _STATEMENT_SECONDS
        try:
            return super().wait(gen, interval, timeout or bound)
        except psycopg.OperationalError as error:
            # Errors that the server itself tells carry its code, and leave the line in order.
            if error.sqlstate is None:
                self.pgconn.finish()
            raise


def connect(
    _dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
) -> psycopg.Connection[Any]:
    """Return a new connection, as SQLAlchemy's `do_connect` event asks for it."""
    return BoundedConnection.connect(*arguments, **options)
