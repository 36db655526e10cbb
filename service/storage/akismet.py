"""Comments that Akismet clients have checked: kept for a while, so that they can be decided on.

The website shows its comments itself and says later what it thinks of a verdict.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.domain.verdict import Verdict, speaks_against
from service.storage import judging
from service.storage.judging import Judged
from service.storage.tables import akismet_checks, comments, events, metadata, sites, threads

#: What `threads.source` says of comments that we show, and of those only checked here.
NATIVE = "native"
SOURCE = "akismet"

#: What the keys of those who wait for a verdict are sealed for.
SEAL = "callback"

_DAY_MILLISECONDS = 86_400_000


@dataclass(frozen=True, slots=True)
class Check:
    """What is to be kept of a check beside the comment.

    `verdict` is None if it did not come in time: then the comment waits like any
    other. Then, or if the verdict leaves it to a person, `callback` is told what
    came of it, if there is one, with the key that is sealed in `sealed_key`.
    `fingerprint` is what a later word about the same comment is matched by.
    """

    verdict: Verdict | None
    fingerprint: str
    callback: str | None = None
    sealed_key: str | None = None

    @property
    def awaits_person(self) -> bool:
        """Whether the verdict is there and leaves the decision to a person."""
        if self.verdict is None or self.verdict.status is not Status.HELD:
            return False
        return not speaks_against(self.verdict.as_dict())


@dataclass(frozen=True, slots=True)
class Kept:
    """A check on its way into the record."""

    comment_id: CommentId
    site_id: SiteId
    check: Check


@dataclass(frozen=True, slots=True)
class Callback:
    """Somebody who waits for a late verdict."""

    comment_id: CommentId
    url: str
    sealed_key: str
    status: Status
    attempts: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many comments of one month came to be `said` by the rules, and stand so now."""

    month: str
    said: Status
    now: Status
    comments: int


def keep(db: Connection, kept: Sequence[Kept], now: datetime) -> None:
    """Keep what is known of comments just stored, and the verdicts that are there already."""
    db.execute(sa.insert(akismet_checks), [_row(item, now) for item in kept])
    judged = [Judged(item.comment_id, 1, item.check.verdict) for item in kept if item.check.verdict]
    if judged:
        judging.record_verdicts(db, judged, now)


def find(
    db: Connection, site_id: SiteId, fingerprint: str, guid: str | None = None
) -> CommentId | None:
    """Return the comment that the site means: the one with that id, else the newest alike."""
    if guid is not None:
        named = akismet_checks.c.comment_id == guid, akismet_checks.c.site_id == site_id
        found = db.execute(sa.select(akismet_checks.c.comment_id).where(*named)).scalar()
        if found is not None:
            return CommentId(found)
    alike = (
        sa.select(akismet_checks.c.comment_id)
        .where(akismet_checks.c.site_id == site_id, akismet_checks.c.fingerprint == fingerprint)
        .order_by(akismet_checks.c.comment_id.desc())
        .limit(1)
    )
    found = db.execute(alike).scalar()
    return None if found is None else CommentId(found)


def callbacks_due(db: Connection, now: datetime, limit: int) -> list[Callback]:
    """Return who is to be told of what came too late for the answer."""
    query = (
        sa.select(akismet_checks, comments.c.status)
        .join(comments, comments.c.id == akismet_checks.c.comment_id)
        .where(
            akismet_checks.c.next_at.is_not(None),
            akismet_checks.c.next_at <= now,
            comments.c.status != Status.PENDING,
            sa.or_(comments.c.status != Status.HELD, akismet_checks.c.awaits_person.is_(False)),
        )
        .order_by(akismet_checks.c.next_at)
        .limit(limit)
    )
    return [
        Callback(
            CommentId(row.comment_id),
            row.callback,
            row.sealed_key,
            Status(row.status),
            row.attempts,
        )
        for row in db.execute(query)
    ]


def note_callback(db: Connection, comment_id: CommentId, next_at: datetime | None) -> None:
    """Count one attempt; without a next one forget whom to tell, and the key with it."""
    columns: dict[str, Any] = {"attempts": akismet_checks.c.attempts + 1, "next_at": next_at}
    if next_at is None:
        columns |= {"callback": None, "sealed_key": None}
    db.execute(
        sa.update(akismet_checks).where(akismet_checks.c.comment_id == comment_id).values(**columns)
    )


def await_person(db: Connection, comment_id: CommentId) -> None:
    """Have the one who waits told when a person has decided, and nothing before."""
    named = akismet_checks.c.comment_id == comment_id
    db.execute(sa.update(akismet_checks).where(named).values(awaits_person=True))


def counts(db: Connection, site_id: SiteId) -> list[Count]:
    """Return the site's checked comments by month, by what the rules said and what holds now."""
    month: sa.ColumnElement[str]
    milliseconds = sa.type_coerce(comments.c.created_at, sa.BigInteger)
    if db.dialect.name == "sqlite":
        month = sa.func.strftime("%Y-%m", milliseconds / 1000, "unixepoch")
    else:
        instant = sa.func.timezone("UTC", sa.func.to_timestamp(milliseconds / 1000))
        month = sa.func.to_char(instant, "YYYY-MM")
    query = (
        sa.select(month.label("month"), events.c.to_status, comments.c.status, sa.func.count())
        .select_from(akismet_checks)
        .join(comments, comments.c.id == akismet_checks.c.comment_id)
        .join(
            events,
            sa.and_(events.c.comment_id == comments.c.id, events.c.kind == EventKind.VERDICT),
        )
        .where(akismet_checks.c.site_id == site_id)
        .group_by("month", events.c.to_status, comments.c.status)
        .order_by("month")
    )
    return [
        Count(name, Status(said), Status(status), number)
        for name, said, status, number in db.execute(query)
    ]


def forget_checked(db: Connection, now: datetime, limit: int) -> int:
    """Delete comments that were only checked and kept as long as their site wants.

    Return how many. They leave no tombstone: nobody was promised anything.
    """
    age = sa.literal(round(now.timestamp() * 1000)) - sa.type_coerce(
        comments.c.created_at, sa.BigInteger
    )
    query = (
        sa.select(comments.c.id)
        .join(threads, threads.c.id == comments.c.thread_id)
        .join(sites, sites.c.id == comments.c.site_id)
        .where(threads.c.source == SOURCE, age > sites.c.akismet_keep_days * _DAY_MILLISECONDS)
        .order_by(comments.c.id)
        .limit(limit)
    )
    ids = db.scalars(query).all()
    for column in _pointing_at_comments():
        db.execute(sa.delete(column.table).where(column.in_(ids)))
    return db.execute(sa.delete(comments).where(comments.c.id.in_(ids))).rowcount


def _pointing_at_comments() -> Iterable[sa.Column[Any]]:
    """Yield the columns of other tables that name a comment, those first that nobody points at."""
    for table in reversed(metadata.sorted_tables):
        for key in table.foreign_keys:
            if key.column is comments.c.id and table is not comments:
                yield key.parent


def _row(item: Kept, now: datetime) -> dict[str, Any]:
    check = item.check
    late = check.callback is not None and (check.verdict is None or check.awaits_person)
    return {
        "comment_id": item.comment_id,
        "site_id": item.site_id,
        "fingerprint": check.fingerprint,
        "callback": check.callback if late else None,
        "sealed_key": check.sealed_key if late else None,
        "attempts": 0,
        "next_at": now if late else None,
        "awaits_person": late and check.awaits_person,
    }
