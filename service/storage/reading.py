"""What everybody may read: the approved comments of a thread, and how many there are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from service.domain.comment import CommentId, SiteId, Status, ThreadId
from service.storage.akismet import NATIVE
from service.storage.tables import comments, threads

#: Comments (flat) or conversations (tree) on one page.
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class PublicComment:
    """An approved comment with nothing in it that only its site may know.

    `parent_id` is the nearest comment above it that is approved too; `depth`
    is how deep it was written, which is what bounds further replies.
    """

    id: CommentId
    version: int
    parent_id: CommentId | None
    depth: int
    author_name: str
    author_url: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a thread's approved comments, oldest first; `count` is of all of them.

    `next` is where the following page begins, None on the last.
    """

    comments: tuple[PublicComment, ...]
    next: CommentId | None
    count: int


@dataclass(frozen=True, slots=True)
class FeedComment:
    """An approved comment with the page it stands on, for those who follow along."""

    id: CommentId
    version: int
    author_name: str
    author_url: str
    body: str
    created_at: datetime
    thread_key: str
    thread_url: str
    thread_title: str


EMPTY_PAGE = Page((), None, 0)


def flat_page(
    db: Connection, thread_id: ThreadId, after: CommentId | None = None, size: int = PAGE_SIZE
) -> Page:
    """Return the next `size` approved comments after the one named."""
    wanted = _approved(thread_id)
    if after:
        wanted = wanted.where(comments.c.id > after)
    rows = db.execute(wanted.order_by(comments.c.id).limit(size + 1)).all()
    following = CommentId(rows[size - 1].id) if len(rows) > size else None
    return Page(_public(db, rows[:size]), following, _count(db, thread_id))


def tree_page(
    db: Connection, thread_id: ThreadId, after: CommentId | None = None, size: int = PAGE_SIZE
) -> Page:
    """Return the next `size` conversations, each whole: a root and all below it.

    A conversation counts if anything in it is approved, even where its root
    is not. A comment always comes after the one it replies to.
    """
    group = (
        sa.select(comments.c.root_id)
        .where(comments.c.thread_id == thread_id, comments.c.status == Status.APPROVED)
        .distinct()
    )
    if after:
        group = group.where(comments.c.root_id > after)
    roots = db.execute(group.order_by(comments.c.root_id).limit(size + 1)).scalars().all()
    following = CommentId(roots[size - 1]) if len(roots) > size else None
    wanted = _approved(thread_id).where(comments.c.root_id.in_(roots[:size]))
    rows = db.execute(wanted.order_by(comments.c.id)).all()
    return Page(_public(db, rows), following, _count(db, thread_id))


def counts(db: Connection, site_id: SiteId, keys: Iterable[str]) -> dict[str, int]:
    """Return how many approved comments each of the site's threads has; 0 where unknown."""
    asked = list(dict.fromkeys(keys))
    statement = (
        sa.select(threads.c.key, sa.func.count().label("approved"))
        .join(comments, comments.c.thread_id == threads.c.id)
        .where(
            threads.c.site_id == site_id,
            threads.c.source == NATIVE,
            threads.c.key.in_(asked),
            comments.c.status == Status.APPROVED,
        )
        .group_by(threads.c.key)
    )
    found: dict[str, int] = {row.key: row.approved for row in db.execute(statement)}
    return {key: found.get(key, 0) for key in asked}


def newest(
    db: Connection, site_id: SiteId, thread_key: str | None = None, limit: int = PAGE_SIZE
) -> list[FeedComment]:
    """Return the newest approved comments of a site, or of one of its threads."""
    query = (
        sa.select(
            *(getattr(comments.c, name) for name in _FED),
            threads.c.key.label("thread_key"),
            threads.c.url.label("thread_url"),
            threads.c.title.label("thread_title"),
        )
        .join(threads, threads.c.id == comments.c.thread_id)
        .where(
            threads.c.site_id == site_id,
            threads.c.source == NATIVE,
            comments.c.status == Status.APPROVED,
        )
        .order_by(comments.c.id.desc())
        .limit(limit)
    )
    if thread_key is not None:
        query = query.where(threads.c.key == thread_key)
    return [FeedComment(**row) for row in db.execute(query).mappings()]


_FED = ("id", "version", "author_name", "author_url", "body", "created_at")


def _approved(thread_id: ThreadId) -> sa.Select[Any]:
    return sa.select(
        comments.c.id,
        comments.c.version,
        comments.c.parent_id,
        comments.c.depth,
        comments.c.author_name,
        comments.c.author_url,
        comments.c.body,
        comments.c.created_at,
    ).where(comments.c.thread_id == thread_id, comments.c.status == Status.APPROVED)


def _count(db: Connection, thread_id: ThreadId) -> int:
    statement = sa.select(sa.func.count()).where(
        comments.c.thread_id == thread_id, comments.c.status == Status.APPROVED
    )
    return db.execute(statement).scalar_one()


def _public(db: Connection, rows: Sequence[Row[Any]]) -> tuple[PublicComment, ...]:
    above = _parents_above(db, rows)
    return tuple(
        PublicComment(
            id=CommentId(row.id),
            version=row.version,
            parent_id=_nearest_approved(row.parent_id, above),
            depth=row.depth,
            author_name=row.author_name,
            author_url=row.author_url,
            body=row.body,
            created_at=row.created_at,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Link:
    """One step up a conversation: whether it is approved, and what stands above it."""

    approved: bool
    parent_id: CommentId | None


def _parents_above(db: Connection, rows: Sequence[Row[Any]]) -> Mapping[CommentId, _Link]:
    """Return what is known of every comment on the way up to an approved one."""
    links = {row.id: _Link(True, row.parent_id) for row in rows}
    missing = {row.parent_id for row in rows} - {None} - links.keys()
    # One query a level, and a conversation is only a few levels deep.
    while missing:
        found = db.execute(
            sa.select(comments.c.id, comments.c.status, comments.c.parent_id).where(
                comments.c.id.in_(missing)
            )
        ).all()
        links |= {row.id: _Link(row.status == Status.APPROVED, row.parent_id) for row in found}
        refused = {row.parent_id for row in found if row.status != Status.APPROVED}
        missing = refused - {None} - links.keys()
    return links


def _nearest_approved(
    comment_id: CommentId | None, links: Mapping[CommentId, _Link]
) -> CommentId | None:
    while comment_id and not links[comment_id].approved:
        comment_id = links[comment_id].parent_id
    return comment_id
