"""Judged comments with the verdicts on them, for trying other rules on the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import Comment, CommentId, Status
from service.storage import Store
from service.storage.comments import row_to_comment, select_comments, verdicts_of
from service.storage.periods import id_at
from service.storage.tables import comments

_PAGE = 200
_REFUSED = (Status.REJECTED, Status.SPAM)


@dataclass(frozen=True, slots=True)
class JudgedComment:
    """A comment with the newest verdict on it; None if a person was faster than the rules."""

    comment: Comment
    evidence: dict[str, Any] | None

    @property
    def rejected_by_people(self) -> bool | None:
        """Whether a person rejected it; None if nobody decided."""
        if self.comment.decided_at is None:
            return None
        if self.comment.status is Status.APPROVED:
            return False
        return True if self.comment.status in _REFUSED else None


def count_judged(db: Connection, since: datetime) -> int:
    """Return how many comments arrived since and are past waiting."""
    query = sa.select(sa.func.count()).select_from(comments)
    return db.execute(query.where(*_past_waiting(since))).scalar_one()


def judged_comments(store: Store, since: datetime, limit: int) -> Iterator[JudgedComment]:
    """Give the newest `limit` comments that arrived since, oldest first, a page at a time."""
    with store.read() as db:
        after = _place_of(db, since, limit)
    while True:
        with store.read() as db:
            page = _page(db, after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].comment.id


def _place_of(db: Connection, since: datetime, limit: int) -> CommentId:
    """Return the id after which the newest `limit` comments come."""
    query = sa.select(comments.c.id).where(*_past_waiting(since)).order_by(comments.c.id.desc())
    return CommentId(db.execute(query.offset(limit).limit(1)).scalar() or id_at(since))


def _page(db: Connection, after: CommentId) -> list[JudgedComment]:
    query = (
        select_comments()
        .where(comments.c.id > after, comments.c.status.not_in(_NOT_JUDGED))
        .order_by(comments.c.id)
        .limit(_PAGE)
    )
    found = [row_to_comment(row) for row in db.execute(query)]
    evidence = verdicts_of(db, [comment.id for comment in found])
    return [JudgedComment(comment, evidence.get(comment.id)) for comment in found]


def _past_waiting(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return comments.c.id >= id_at(since), comments.c.status.not_in(_NOT_JUDGED)


_NOT_JUDGED = (Status.PENDING, Status.ERASED)
