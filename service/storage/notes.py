"""What moderators tell each other: about one comment, or about its author on one site."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import CommentId, SiteId
from service.storage.tables import comments, notes


@dataclass(frozen=True, slots=True)
class Note:
    """What one moderator wrote."""

    id: int
    text: str
    actor: str
    at: datetime
    on_author: bool


def author_key(verified_id: str | None, email_hash: str | None) -> str | None:
    """Return what an author is known by: the proven identity, else the address's hash."""
    if verified_id:
        return f"verified:{verified_id}"
    return f"email:{email_hash}" if email_hash else None


def author_of(db: Connection, comment_id: CommentId) -> str | None:
    """Return what the comment's author is known by; None if by nothing."""
    query = sa.select(comments.c.author_verified_id, comments.c.author_email_hash)
    row = db.execute(query.where(comments.c.id == comment_id)).one()
    return author_key(row.author_verified_id, row.author_email_hash)


def add_note(
    db: Connection,
    site_id: SiteId,
    text: str,
    *,
    actor: str,
    at: datetime,
    comment_id: CommentId | None = None,
    author: str | None = None,
) -> None:
    """Keep a note on a comment, or on an author."""
    values = {"site_id": site_id, "text": text, "actor": actor, "at": at}
    about = {"comment_id": comment_id, "author": author}
    db.execute(sa.insert(notes).values(values | about))


def notes_on(
    db: Connection, site_id: SiteId, comment_id: CommentId | None, author: str | None
) -> list[Note]:
    """Return the notes on the comment and on the author, oldest first."""
    about: list[sa.ColumnElement[bool]] = []
    if comment_id is not None:
        about.append(notes.c.comment_id == comment_id)
    if author is not None:
        about.append(sa.and_(notes.c.site_id == site_id, notes.c.author == author))
    if not about:
        return []
    rows = db.execute(sa.select(notes).where(sa.or_(*about)).order_by(notes.c.id))
    return [
        Note(row.id, row.text, row.actor, row.at, on_author=row.author is not None) for row in rows
    ]


def drop_note(db: Connection, note_id: int, actor: str, sites: frozenset[SiteId] | None) -> bool:
    """Delete one's own note; False if there is none such."""
    where = [notes.c.id == note_id, notes.c.actor == actor]
    if sites is not None:
        where.append(notes.c.site_id.in_(sorted(sites)))
    return db.execute(sa.delete(notes).where(*where)).rowcount == 1


def forget_notes(db: Connection, ids: Sequence[CommentId]) -> None:
    """Delete the notes on these comments: they may quote them."""
    db.execute(sa.delete(notes).where(notes.c.comment_id.in_(ids)))
