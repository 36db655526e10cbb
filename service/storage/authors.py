"""Authors as moderators know them: by what a comment says of who wrote it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import CommentId, SiteId, Status
from service.storage.tables import comments, threads

_EXCERPT_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Known:
    """What an author is known by on a site; `email_hash` proves nothing."""

    site_id: SiteId
    verified_id: str | None
    email_hash: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """One of an author's comments in short; `proven` if the website vouches for them."""

    id: CommentId
    status: Status
    name: str
    excerpt: str
    thread_title: str
    created_at: datetime
    proven: bool


def known_by(db: Connection, comment_id: CommentId) -> Known:
    """Return what the comment's author is known by."""
    query = sa.select(
        comments.c.site_id, comments.c.author_verified_id, comments.c.author_email_hash
    )
    row = db.execute(query.where(comments.c.id == comment_id)).one()
    return Known(SiteId(row.site_id), row.author_verified_id, row.author_email_hash)


def comments_of(db: Connection, known: Known, *, limit: int) -> list[Written]:
    """Return what the author wrote on that site, newest first."""
    same = _same_author(known)
    if same is None:
        return []
    query = (
        sa.select(
            comments.c.id,
            comments.c.status,
            comments.c.author_name,
            sa.func.substr(comments.c.body, 1, _EXCERPT_CHARACTERS).label("excerpt"),
            threads.c.title,
            comments.c.created_at,
            comments.c.author_verified_id,
        )
        .join(threads, threads.c.id == comments.c.thread_id)
        .where(comments.c.site_id == known.site_id, same)
        .order_by(comments.c.id.desc())
        .limit(limit)
    )
    return [
        Written(
            id=CommentId(row.id),
            status=Status(row.status),
            name=row.author_name,
            excerpt=row.excerpt,
            thread_title=row.title,
            created_at=row.created_at,
            proven=row.author_verified_id is not None,
        )
        for row in db.execute(query)
    ]


def _same_author(known: Known) -> ColumnElement[bool] | None:
    pairs: list[tuple[ColumnElement[Any], str | None]] = [
        (comments.c.author_verified_id, known.verified_id),
        (comments.c.author_email_hash, known.email_hash),
    ]
    same = [column == value for column, value in pairs if value]
    return sa.or_(*same) if same else None
