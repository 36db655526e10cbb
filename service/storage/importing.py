"""Storing comments that come from elsewhere, with the states and times that they had there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from uuid_utils import uuid7

from service.domain.comment import Author, CommentId, SiteId, Status, ThreadRef
from service.domain.decision import EventKind
from service.domain.site import Site
from service.storage.conversations import IMPORT_CLAIM, Place, Places, hang
from service.storage.tables import claims, comments, events, milliseconds, threads

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


@dataclass(frozen=True, slots=True)
class Kept:
    """A comment that is here already; `thread` is the key of its thread."""

    id: CommentId
    parent_id: CommentId | None
    status: Status
    created_at: datetime
    thread: str


class Orphan(NamedTuple):
    """A stored comment that answers one not known so far; the last two are as in `Arrival`."""

    id: CommentId
    known_as: str
    parent: str


@dataclass(slots=True)
class Stored:
    """What became of a group.

    `orphans` answer a comment that is not known so far; `elsewhere` counts
    those that answer one of another thread, `raised` are those that stand
    higher than they were, because conversations here are not as deep.
    """

    orphans: list[Orphan] = field(default_factory=list)
    elsewhere: int = 0
    raised: list[CommentId] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Adopted:
    """Whether a reply was put where it belongs, or answers a comment of another thread."""

    adopted: bool = False
    elsewhere: bool = False
    raised: Sequence[CommentId] = ()


def already_there(
    db: Connection, site_id: SiteId, known_as: Iterable[str], ids: Iterable[str]
) -> dict[str, Kept]:
    """Return those of `known_as` that were imported before, and of `ids` that are comments here."""
    columns = ("id", "parent_id", "status", "created_at")
    told = (*(comments.c[name] for name in columns), threads.c.key.label("thread"))
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
        known: Kept(comment_id, parent_id, Status(status), created_at, thread)
        for query in (imported, ours)
        for known, comment_id, parent_id, status, created_at, thread in db.execute(query)
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


def store(db: Connection, site: Site, arrivals: Sequence[Arrival], now: datetime) -> Stored:
    """Store comments in this order; a reply to one that is not known yet stands at the top."""
    places = Places(db, site.max_depth, [one.parent for one in arrivals if one.parent])
    thread_ids = _thread_ids(db, site.id, [arrival.thread for arrival in arrivals], now)
    rows, done = [], Stored()
    for arrival in arrivals:
        place = _place(arrival, thread_ids[arrival.thread.key], places, done)
        places.add(arrival.known_as, place)
        rows.append(_comment_row(site.id, arrival, place, now))
    if rows:
        db.execute(sa.insert(comments), rows)
        db.execute(sa.insert(events), [_event_row(row, now) for row in rows])
        names = (arrival.known_as for arrival in arrivals)
        know_as(db, {name: row["id"] for name, row in zip(names, rows, strict=True)})
    return done


def root_of(db: Connection, known_as: str) -> CommentId | None:
    """Return the topmost comment of the conversation in which the one known so stands."""
    query = (
        sa.select(comments.c.root_id)
        .join(claims, claims.c.comment_id == comments.c.id)
        .where(claims.c.kind == IMPORT_CLAIM, claims.c.key == known_as)
    )
    return db.execute(query).scalar_one_or_none()


def adopt(db: Connection, site: Site, orphan: Orphan) -> Adopted:
    """Put a reply that came before what it answers where it belongs, with all below it."""
    places = Places(db, site.max_depth, (orphan.known_as, orphan.parent))
    child, parent = places.get(orphan.known_as), places.get(orphan.parent)
    if child is None or parent is None or parent.root_id == child.id:
        return Adopted()  # in the last case the file has them answer each other
    if child.thread_id != parent.thread_id:
        return Adopted(elsewhere=True)
    return Adopted(adopted=True, raised=hang(db, places, child, parent))


def _place(arrival: Arrival, thread_id: int, places: Places, done: Stored) -> Place:
    """Return where the comment comes to stand, and note what is in the way of its parent."""
    # Ids carry the time of writing, so that old comments stand before new ones.
    new = CommentId(str(uuid7(nanoseconds=milliseconds(arrival.created_at) * 1_000_000)))
    parent = places.get(arrival.parent) if arrival.parent else None
    if arrival.parent and parent is None:
        done.orphans.append(Orphan(new, arrival.known_as, arrival.parent))
    if parent and parent.thread_id != thread_id:
        done.elsewhere += 1
        parent = None
    above = places.open_for_replies(parent)
    if above is not parent:
        done.raised.append(new)
    if above is None:
        return Place(new, thread_id, None, new, 1)
    return Place(new, thread_id, above.id, above.root_id, above.depth + 1)


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


def _comment_row(site_id: SiteId, arrival: Arrival, place: Place, now: datetime) -> dict[str, Any]:
    author = arrival.author
    return {
        "id": place.id,
        "site_id": site_id,
        "thread_id": place.thread_id,
        "parent_id": place.parent_id,
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
