"""Backup and restore: every table as JSON Lines, portable between both databases.

The first line names the schema's revision, each following line holds one row,
the last line counts them. Rows stand in an order in which they can be
inserted: what is referred to comes first.
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, islice
from typing import Any, BinaryIO, TextIO

import sqlalchemy as sa
from sqlalchemy import Connection, Select, Table
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from service.storage import Store, schema
from service.storage.tables import Instant, comments, instant, leases, metadata

FORMAT = "anteroom-backup"
_BATCH = 500

#: Leases tell what runs at this moment, which means nothing later.
_TABLES = {table.name: table for table in metadata.sorted_tables if table is not leases}

#: What unpacking and parsing a broken file can raise.
_DAMAGE = (AttributeError, EOFError, OSError, KeyError, TypeError, ValueError, zlib.error)


class UnusableArchive(Exception):
    """The archive cannot be restored here; the message says why. Nothing was changed."""


def back_up(store: Store, file: BinaryIO) -> int:
    """Write one consistent state of the whole record to `file`; return the number of rows."""
    rows = 0
    with store.read() as db, gzip.open(file, "wt", encoding="utf-8") as archive:
        _take_snapshot(db)
        _write(archive, {"format": FORMAT, "revision": schema.current_revision(db)})
        for table in _TABLES.values():
            for row in db.execute(_in_order(table)).mappings():
                _write(archive, [table.name, _to_json(row)])
                rows += 1
        _write(archive, {"rows": rows})
    return rows


def restore(store: Store, file: BinaryIO) -> int:
    """Fill an empty database from an archive, wholly or not at all; return the number of rows.

    Raises UnusableArchive if the database is not empty or of another revision
    than the archive, or if the archive is damaged.
    """
    with store.write() as db, gzip.open(file, "rt", encoding="utf-8") as archive:
        _require_empty(db)
        lines = _lines(archive)
        _require_revision(next(lines, None), schema.current_revision(db))
        rows = _insert_all(db, lines)
        _advance_sequences(db)
    return rows


def _take_snapshot(db: Connection) -> None:
    """Make all that follows see one moment; on SQLite every transaction does."""
    if db.dialect.name == "postgresql":
        db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        db.execute(sa.text("SET LOCAL statement_timeout = 0"))


def _in_order(table: Table) -> Select[Any]:
    """Return a query for all rows, a comment before the replies to it."""
    order = list(table.primary_key.columns)
    if table is comments:
        order.insert(0, comments.c.depth)
    return sa.select(table).order_by(*order).execution_options(yield_per=_BATCH)


def _to_json(row: Any) -> dict[str, Any]:
    return {name: _milliseconds(value) for name, value in row.items()}


def _milliseconds(value: Any) -> Any:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _from_json(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return {name: _instant(table, name, value) for name, value in row.items()}


def _instant(table: Table, name: str, value: Any) -> Any:
    if value is None or not isinstance(table.c[name].type, Instant):
        return value
    return instant(value)


def _write(archive: TextIO, line: Any) -> None:
    archive.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def _lines(archive: TextIO) -> Iterator[Any]:
    try:
        for line in archive:
            yield json.loads(line)
    except _DAMAGE as error:
        raise UnusableArchive(f"The archive is damaged ({type(error).__name__}).") from error


def _require_empty(db: Connection) -> None:
    for table in _TABLES.values():
        if db.execute(sa.select(sa.exists().select_from(table))).scalar():
            raise UnusableArchive(
                "The database is not empty; restore into a new one that was only migrated."
            )


def _require_revision(header: Any, ours: str | None) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UnusableArchive("The file is not a backup made by this program.")
    if header.get("revision") != ours:
        raise UnusableArchive(
            f"The backup is of schema revision {header.get('revision')}, the database"
            f" of {ours}; restore with the version that made the backup, then migrate."
        )


def _insert_all(db: Connection, lines: Iterable[Any]) -> int:
    """Insert every row up to the closing line, which must count them right."""
    rows = 0
    closing: list[Any] = []
    try:
        for table, group in groupby(lines, key=_table_of):
            if table is None:
                closing += group
            else:
                rows += _insert(db, table, (row for _, row in group))
    except (IntegrityError, StatementError) as error:
        if isinstance(error, OperationalError):
            raise
        raise UnusableArchive("The archive is damaged (its rows do not fit together).") from error
    if closing != [{"rows": rows}]:
        raise UnusableArchive("The archive is damaged (rows are missing).")
    return rows


def _table_of(line: Any) -> Table | None:
    """Return the table that a line has a row of, None for the closing line."""
    if isinstance(line, dict):
        return None
    try:
        name, row = line
        table = _TABLES[name]
        if row.keys() == set(table.columns.keys()):
            return table
    except _DAMAGE as error:
        raise UnusableArchive("The archive is damaged (a line is no row).") from error
    raise UnusableArchive(f"The archive is damaged (a row of {name} lacks columns).")


def _insert(db: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    while batch := [_from_json(table, row) for row in islice(rows, _BATCH)]:
        db.execute(sa.insert(table), batch)
        count += len(batch)
    return count


def _advance_sequences(db: Connection) -> None:
    """Let PostgreSQL count on from the highest restored id; SQLite does so by itself."""
    if db.dialect.name != "postgresql":
        return
    for table in _TABLES.values():
        column = table.autoincrement_column
        if column is not None:
            highest = db.execute(sa.select(sa.func.max(column))).scalar()
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            db.execute(sa.select(sa.func.setval(sequence, highest or 1, highest is not None)))
