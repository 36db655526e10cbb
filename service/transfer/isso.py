"""Isso's database, a SQLite file: read as it is, changed in nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urljoin

from service.domain.comment import Author, Status, ThreadRef
from service.transfer.moments import counted_moment
from service.transfer.records import Broken, Imported, LeftOut, Record, Unreadable
from service.transfer.sources import Source, site_name
from service.transfer.wxr import ThreadKey

#: Isso's `mode`. A comment that was deleted but has replies stays as an empty shell.
_MODES = {
    1: ("accepted", Status.APPROVED),
    2: ("pending", Status.HELD),
    4: ("deleted", Status.ERASED),
}

_QUERY = """
    SELECT c.id, c.parent, c.created, c.mode, c.text, c.author, c.email, c.website,
           c.remote_addr, t.uri, t.title
    FROM comments AS c LEFT JOIN threads AS t ON t.id = c.tid ORDER BY c.id
"""

_TEXTS = ("text", "author", "email", "website", "remote_addr", "uri", "title")


def read_isso(
    path: Path, origin: str = "", thread_key: ThreadKey = "url", source: str = ""
) -> Iterator[Record]:
    """Yield the comments of the database; `origin` completes the paths that pages have there.

    It also names the website, unless `source` does.
    """
    website = Source("isso", source or site_name(origin))
    try:
        with closing(_opened(path)) as db:
            for row in db.execute(_QUERY):
                yield _record(row, origin, thread_key, website)
    except sqlite3.Error as error:
        raise Unreadable(f"it is no database of Isso: {error}") from error


def count_isso(path: Path) -> int:
    """Return how many comments the database has."""
    try:
        with closing(_opened(path)) as db:
            return int(db.execute("SELECT count(*) FROM comments").fetchone()[0])
    except sqlite3.Error as error:
        raise Unreadable(f"it is no database of Isso: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    # One text in another encoding must not end the reading of all.
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    return db


def _record(row: sqlite3.Row, origin: str, thread_key: ThreadKey, website: Source) -> Record:
    # SQLite keeps anything in any column.
    blobs = [name for name in _TEXTS if isinstance(row[name], bytes)]
    if blobs:
        return Broken(f"comment {row['id']}", f"its {blobs[0]} is no text")
    told = {name: "" if row[name] is None else str(row[name]) for name in _TEXTS}
    if not told["uri"]:
        return LeftOut("belong to a thread that is not in the file")
    try:
        url = urljoin(origin, told["uri"]) if origin else ""
    except ValueError:
        return Broken(f"comment {row['id']}", "its page has no proper address")
    key = (url or told["uri"]) if thread_key == "url" else told["uri"]
    return _comment(row, told, ThreadRef(key, url, told["title"]), website)


def _comment(
    row: sqlite3.Row, told: dict[str, str], thread: ThreadRef, website: Source
) -> Imported:
    state, status = _MODES.get(row["mode"], (f"mode {row['mode']}", Status.HELD))
    number = str(row["id"])
    return Imported(
        key=website.key(number),
        state=state,
        status=status,
        thread=thread,
        author=Author(
            name=told["author"],
            email=told["email"],
            url=told["website"],
            ip=told["remote_addr"] or None,
        ),
        body=told["text"],
        created_at=counted_moment(row["created"]),
        parent_key=website.key(str(row["parent"])) if row["parent"] else None,
        external_id=website.external_id(number),
        former_key=website.former_key(number),
    )
