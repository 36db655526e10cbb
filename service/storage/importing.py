"""Storing comments that come from elsewhere, with the states and times that they had there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from uuid_utils import uuid7

from service.domain.comment import Author, CommentId, SiteId, Status, ThreadRef
from service.domain.decision import EventKind
from service.storage.tables import claims, comments, events, threads

#: The kind of claim that tells which comment of another system one was: a keyed
#: hash, which outlives the content, so that nothing erased comes back.
IMPORT_CLAIM = "import"
_REFUSED = (Status.REJECTED, Status.SPAM)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A comment ready to be stored. The hashes are keyed.

    `known_as` stands for the comment as its old system knew it, `parent` for
    the one that it answers.
    """

    known_as: str
    thread: ThreadRef
    author: Author
    body: str
    status: Status
    created_at: datetime
    parent: str | None = None
    external_id: str | None = None
    email_hash: str | None = None
    address_hash: str | None = None


class _Place(NamedTuple):
    """Where a comment stands in its conversation."""

    id: CommentId
    thread_id: int
    root_id: CommentId
    depth: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A comment that is here already; `thread` is the key of its thread."""

    id: CommentId
    status: Status
    created_at: datetime
    thread: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a group.

    `orphans` answer a comment that is not known so far, `elsewhere` counts
    those that answer one of another thread.
    """

    orphans: list[tuple[str, str]]
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """How many replies were put where they belong, and how many belong to another thread."""

    adopted: int
    elsewhere: int


def already_there(
    db: Connection, site_id: SiteId, known_as: Iterable[str], ids: Iterable[str]
) -> dict[str, Kept]:
    """Return those of `known_as` that were imported before, and of `ids` that are comments here."""
    told = (comments.c.id, comments.c.status, comments.c.created_at, threads.c.key.label("thread"))
    imported = (
        sa.select(claims.c.key.label("known"), *told)
        .join(comments, comments.c.id == claims.c.comment_id)
        .join(threads, threads.c.id == comments.c.thread_id)
        .where(claims.c.kind == IMPORT_CLAIM, claims.c.key.in_(known_as))
    )
    ours = (
        sa.select(comments.c.id.label("known"), *told)
        .join(threads, threads.c.id == comments.c.thread_id)
        .where(comments.c.site_id == site_id, comments.c.id.in_(ids))
    )
    return {
        row.known: Kept(CommentId(row.id), Status(row.status), row.created_at, row.thread)
        for query in (imported, ours)
        for row in db.execute(query)
    }


def know_as(db: Connection, names: Mapping[str, CommentId]) -> None:
    """Let comments that were imported before be known by these names too."""
    if names:
        db.execute(sa.insert(claims), [_claim_row(*item) for item in names.items()])


def taken_external_ids(db: Connection, site_id: SiteId, ids: Iterable[str]) -> set[str]:
    """Return those of the website's own ids that a comment has already."""
    query = sa.select(comments.c.external_id).where(
        comments.c.site_id == site_id, comments.c.external_id.in_(ids)
    )
    return set(db.scalars(query))


def store(db: Connection, site_id: SiteId, arrivals: Sequence[Arrival], now: datetime) -> Stored:
    """Store comments in this order; a reply to one that is not known yet stands at the top."""
    places = _places(db, {arrival.parent for arrival in arrivals if arrival.parent})
    thread_ids = _thread_ids(db, site_id, [arrival.thread for arrival in arrivals], now)
    rows, orphans, elsewhere = [], [], 0
    for arrival in arrivals:
        thread_id = thread_ids[arrival.thread.key]
        above = places.get(arrival.parent) if arrival.parent else None
        if above is not None and above.thread_id != thread_id:
            above, elsewhere = None, elsewhere + 1
        elif arrival.parent and above is None:
            orphans.append((arrival.known_as, arrival.parent))
        place = _place(arrival, thread_id, above)
        places[arrival.known_as] = place
        rows.append(_comment_row(site_id, arrival, place, above, now))
    if rows:
        db.execute(sa.insert(comments), rows)
        db.execute(sa.insert(events), [_event_row(row, now) for row in rows])
        know_as(db, {arrival.known_as: places[arrival.known_as].id for arrival in arrivals})
    return Stored(orphans, elsewhere)


def adopt(db: Connection, orphans: Sequence[tuple[str, str]]) -> Adopted:
    """Put replies that came before what they answer where they belong."""
    places = _places(db, {known_as for pair in orphans for known_as in pair})
    adopted = elsewhere = 0
    for child_name, parent_name in orphans:
        child, parent = places.get(child_name), places.get(parent_name)
        if child is None or parent is None:
            continue
        if child.thread_id != parent.thread_id:
            elsewhere += 1
            continue
        if parent.root_id == child.id:
            continue  # the file has them answer each other
        db.execute(
            sa.update(comments)
            .where(comments.c.root_id == child.id)
            .values(root_id=parent.root_id, depth=comments.c.depth + parent.depth)
        )
        db.execute(sa.update(comments).where(comments.c.id == child.id).values(parent_id=parent.id))
        places |= _places(db, {child_name, parent_name})
        adopted += 1
    return Adopted(adopted, elsewhere)


def _places(db: Connection, known_as: Iterable[str]) -> dict[str, _Place]:
    query = (
        sa.select(
            claims.c.key, comments.c.id, comments.c.thread_id, comments.c.root_id, comments.c.depth
        )
        .join(comments, comments.c.id == claims.c.comment_id)
        .where(claims.c.kind == IMPORT_CLAIM, claims.c.key.in_(known_as))
    )
    return {
        row.key: _Place(CommentId(row.id), row.thread_id, CommentId(row.root_id), row.depth)
        for row in db.execute(query)
    }


def _place(arrival: Arrival, thread_id: int, above: _Place | None) -> _Place:
    # Ids carry the time of writing, so that old comments stand before new ones.
    milliseconds = max(0, round(arrival.created_at.timestamp() * 1000))
    new = CommentId(str(uuid7(nanoseconds=milliseconds * 1_000_000)))
    return _Place(new, thread_id, above.root_id if above else new, above.depth + 1 if above else 1)


def _thread_ids(
    db: Connection, site_id: SiteId, refs: Iterable[ThreadRef], now: datetime
) -> dict[str, int]:
    wanted = {ref.key: ref for ref in refs}
    query = sa.select(threads.c.key, threads.c.id).where(
        threads.c.site_id == site_id, threads.c.key.in_(wanted)
    )
    found: dict[str, int] = {row.key: row.id for row in db.execute(query)}
    for key in wanted.keys() - found.keys():
        ref = wanted[key]
        new = sa.insert(threads).values(
            site_id=site_id, key=key, url=ref.url, title=ref.title, created_at=now
        )
        found[key] = db.execute(new.returning(threads.c.id)).scalar_one()
    return found


def _comment_row(
    site_id: SiteId, arrival: Arrival, place: _Place, above: _Place | None, now: datetime
) -> dict[str, Any]:
    author = arrival.author
    return {
        "id": place.id,
        "site_id": site_id,
        "thread_id": place.thread_id,
        "parent_id": above.id if above else None,
        "root_id": place.root_id,
        "depth": place.depth,
        "external_id": arrival.external_id,
        "status": arrival.status,
        "version": 1,
        "severity": 0,
        "author_name": author.name,
        "author_email": author.email,
        "author_email_hash": arrival.email_hash,
        "author_url": author.url,
        "author_ip": author.ip,
        "author_ip_hash": arrival.address_hash,
        "author_user_agent": author.user_agent,
        "author_referrer": "",
        "author_verified_id": author.verified_id,
        "author_email_verified": author.email_verified,
        "body": arrival.body,
        "honeypot_filled": False,
        "report_count": 0,
        "attempts": 0,
        "request_id": "",
        "created_at": arrival.created_at,
        # From now on it is kept as long as any other that was refused.
        "decided_at": now if arrival.status in _REFUSED else None,
    }


def _event_row(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "comment_id": row["id"],
        "at": now,
        "kind": EventKind.IMPORTED,
        "actor": "system",
        "from_status": row["status"],
        "to_status": row["status"],
        "version": 1,
        "reason": "",
        "note": "",
    }


def _claim_row(known_as: str, comment_id: CommentId) -> dict[str, Any]:
    return {
        "kind": IMPORT_CLAIM,
        "key": known_as,
        "fingerprint": "",
        "comment_id": comment_id,
    }
