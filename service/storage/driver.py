"""Statements in the driver's own words, for the one path where that is worth it.

While comments come in, putting a statement together, converting its values and
describing its result cost SQLAlchemy more than the database needs to run it. Values
and rows here are as the tables keep them: times in milliseconds, words as plain
strings.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

#: What makes an array of all rows, and of the columns of one.
_JSON = {
    "sqlite": ("json_group_array", "json_array"),
    "postgresql": ("json_agg", "json_build_array"),
}
#: There is a statement for each size of a group, of which few are met again and again.
_REMEMBERED = 512

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def run(db: Connection, statement: str, values: Sequence[object] = ()) -> Any:
    """Return the driver's cursor after a statement; raise what SQLAlchemy would raise."""
    module = db.dialect.loaded_dbapi
    try:
        return db.connection.driver_connection.execute(statement, values)  # type: ignore[union-attr]
    except module.Error as error:
        known: Any = DBAPIError.instance(
            statement, None, error, module.Error, hide_parameters=True, dialect=db.dialect
        )
        raise known from error


def insert_rows(db: Connection, rows: Mapping[Table, Sequence[Mapping[str, Any]]]) -> None:
    """Insert rows into tables in turn; those of one name the same columns in the same order.

    One statement for each row would make this thread queue for the interpreter once a
    row. PostgreSQL gets all in one, the rows of a table as one value: its driver takes a
    statement with many marks apart every time, and the server plans it anew.
    """
    filled = {table: some for table, some in rows.items() if some}
    if db.dialect.name == "postgresql":
        inserts = _insert_at_once(tuple((table.name, tuple(filled[table][0])) for table in filled))
        run(db, inserts, [_encode([*map(dict, some)]) for some in filled.values()])
        return
    for table, some in filled.items():
        statement = _insert(table.name, tuple(some[0]), len(some))
        run(db, statement, [*chain.from_iterable(row.values() for row in some)])


class Question(NamedTuple):
    """What to select: `columns`, from where, and the values for its marks."""

    columns: str
    source: str
    values: Sequence[object]


def answers(db: Connection, *questions: Question) -> list[list[list[Any]]]:
    """Return for each question the rows that it finds.

    All are asked by one statement and answered by one row. Under load this thread queues
    for the interpreter after each exchange with PostgreSQL, and after each row of SQLite.
    """
    every, one = _JSON[db.dialect.name]
    parts = [f"(SELECT {every}({one}({each.columns})) {each.source})" for each in questions]
    values = [*chain.from_iterable(each.values for each in questions)]
    row = run(db, f"SELECT {', '.join(parts)}", values).fetchone()
    return [json.loads(told) if isinstance(told, str) else told or [] for told in row]


def one_of(db: Connection, values: Collection[object]) -> tuple[str, Sequence[object]]:
    """Return what follows a column that is to be one of `values`, and the values it takes."""
    if db.dialect.name == "postgresql":
        return "= ANY(%s)", [[*values]]
    return f"IN ({_marks(len(values))})", [*values]


@lru_cache(_REMEMBERED)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    places = ", ".join([f"({_marks(len(columns))})"] * rows)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {places}"  # noqa: S608


@lru_cache
def _insert_at_once(tables: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    parts = []
    for table, columns in tables:
        named = ", ".join(columns)
        rows = f"json_populate_recordset(NULL::{table}, %s::json)"
        insert = f"INSERT INTO {table} ({named}) SELECT {named} FROM {rows}"  # noqa: S608
        parts.append(f"into_{table} AS ({insert})")
    return f"WITH {', '.join(parts)} SELECT"


def _marks(number: int) -> str:
    return ", ".join("?" * number)
