"""What moderators look at: the review queue, its counts, and authors' histories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import Comment, CommentId, Status
from service.storage.comments import Rows, row_to_comment, select_comments, verdicts_of
from service.storage.samples import in_sample
from service.storage.tables import comments, hits, sites, threads

#: A place in the review queue: (severity, id) of the last comment seen.
Place = tuple[int, CommentId]


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which comments to list; None asks nothing.

    `site` is a slug, `thread` the site's own key of it. `author` is a whole
    verified id or a part of a name, `email_hash` the keyed hash of a whole
    address, `text` a part of the body or of the name, `sample` asks for those
    that wait to be looked at as a sample.
    """

    status: Status | None = None
    category: str | None = None
    rule: str | None = None
    site: str | None = None
    thread: str | None = None
    author: str | None = None
    email_hash: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    text: str | None = None
    sample: bool | None = None


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A comment as moderators see it; `evidence` is the newest verdict, None before it."""

    comment: Comment
    severity: int
    evidence: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """A page of the review queue; `next` is None on the last one."""

    items: list[ReviewItem]
    next: Place | None


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many comments have a status, and when the oldest of them came."""

    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuthorRecord:
    """What is known under one identity: comments by status, and the first one's time."""

    by_status: Mapping[Status, int]
    first_seen: datetime

    @property
    def total(self) -> int:
        """How many comments there are under this identity."""
        return sum(self.by_status.values())


@dataclass(frozen=True, slots=True)
class AuthorHistory:
    """An author's comments on this site, the one looked at included.

    `proven` are those under the identity that the website vouches for,
    `claimed` those that merely carry the same e-mail address, which anybody
    can type. None where the comment has no such identity.
    """

    proven: AuthorRecord | None
    claimed: AuthorRecord | None


def review_list(
    db: Connection, wanted: ReviewFilter, *, limit: int, after: Place | None = None
) -> ReviewPage:
    """Return comments to review: worst first, then oldest first."""
    query = (
        select_comments()
        .where(*_conditions(wanted), *_behind(after))
        .order_by(comments.c.severity.desc(), comments.c.id)
        .limit(limit + 1)
    )
    items = _items(db, query)
    last = items[limit - 1] if len(items) > limit else None
    return ReviewPage(items[:limit], (last.severity, last.comment.id) if last else None)


def review_item(db: Connection, comment_id: CommentId) -> ReviewItem | None:
    """Return one comment as moderators see it."""
    items = _items(db, select_comments().where(comments.c.id == comment_id))
    return items[0] if items else None


def counts_by_status(db: Connection, site: str | None = None) -> dict[Status, StatusCount]:
    """Return a count for every status, of one site or of all."""
    query = sa.select(
        # Ids are in order of arrival and in the queue's index; times are in neither.
        comments.c.status,
        sa.func.count().label("number"),
        sa.func.min(comments.c.id).label("first"),
    ).group_by(comments.c.status)
    if site is not None:
        query = query.where(comments.c.site_id == _site_id(site))
    rows = db.execute(query).all()
    arrivals = _arrivals(db, [row.first for row in rows])
    counts = {Status(row.status): StatusCount(row.number, arrivals[row.first]) for row in rows}
    return {status: counts.get(status, StatusCount()) for status in Status}


def author_history(db: Connection, comment: Comment) -> AuthorHistory:
    """Return what the author wrote on this site, by proven and by claimed identity."""
    of_comment = sa.select(comments.c.author_email_hash, comments.c.author_verified_id)
    identity = db.execute(of_comment.where(comments.c.id == comment.id)).one()
    return AuthorHistory(
        proven=_record(db, comment, comments.c.author_verified_id, identity.author_verified_id),
        claimed=_record(db, comment, comments.c.author_email_hash, identity.author_email_hash),
    )


def _conditions(wanted: ReviewFilter) -> list[ColumnElement[bool]]:
    filters: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "status": lambda status: comments.c.status == status,
        "category": lambda category: _hit(hits.c.category == category),
        "rule": lambda rule: _hit(hits.c.rule == rule),
        "site": lambda slug: sites.c.slug == slug,
        "thread": lambda key: threads.c.key == key,
        "author": _by_author,
        "email_hash": lambda digest: comments.c.author_email_hash == digest,
        "created_from": lambda time: comments.c.created_at >= time,
        "created_before": lambda time: comments.c.created_at < time,
        "text": _with_text,
        "sample": lambda wanted: in_sample() if wanted else ~in_sample(),
    }
    asked = {name: getattr(wanted, name) for name in filters}
    return [filters[name](value) for name, value in asked.items() if value is not None]


def _hit(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return sa.exists().where(hits.c.comment_id == comments.c.id, condition)


def _by_author(author: str) -> ColumnElement[bool]:
    named = comments.c.author_name.icontains(author, autoescape=True)
    return sa.or_(comments.c.author_verified_id == author, named)


def _with_text(text: str) -> ColumnElement[bool]:
    columns = (comments.c.body, comments.c.author_name)
    return sa.or_(*(column.icontains(text, autoescape=True) for column in columns))


def _behind(after: Place | None) -> list[ColumnElement[bool]]:
    if after is None:
        return []
    severity, comment_id = after
    same = sa.and_(comments.c.severity == severity, comments.c.id > comment_id)
    return [sa.or_(comments.c.severity < severity, same)]


def _items(db: Connection, query: Rows) -> list[ReviewItem]:
    rows = db.execute(query).all()
    evidence = verdicts_of(db, [CommentId(row.id) for row in rows])
    return [
        ReviewItem(row_to_comment(row), row.severity, evidence.get(CommentId(row.id)))
        for row in rows
    ]


def _site_id(slug: str) -> sa.ScalarSelect[Any]:
    return sa.select(sites.c.id).where(sites.c.slug == slug).scalar_subquery()


def _arrivals(db: Connection, ids: list[str]) -> dict[str, datetime]:
    query = sa.select(comments.c.id, comments.c.created_at).where(comments.c.id.in_(ids))
    return {row.id: row.created_at for row in db.execute(query)}


def _record(
    db: Connection, comment: Comment, column: ColumnElement[Any], value: str | None
) -> AuthorRecord | None:
    if value is None:
        return None
    query = (
        sa.select(
            comments.c.status,
            sa.func.count().label("number"),
            sa.func.min(comments.c.created_at, type_=comments.c.created_at.type).label("first"),
        )
        .where(comments.c.site_id == comment.site_id, column == value)
        .group_by(comments.c.status)
    )
    rows = db.execute(query).all()
    return AuthorRecord(
        by_status={Status(row.status): row.number for row in rows},
        first_seen=min(row.first for row in rows),
    )
