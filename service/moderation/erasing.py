"""Erasure: the content goes, everywhere; the fact that there was a comment stays."""

from collections.abc import Callable
from datetime import datetime
from unicodedata import normalize

from sqlalchemy import Connection

from service.domain.comment import Comment, CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.domain.errors import CommentNotFound
from service.keyring import Keyring
from service.storage import Store, comments, upkeep
from service.storage.comments import Cause

#: Comments erased in one transaction.
_BATCH = 100


def erase(
    db: Connection, comment_id: CommentId, *, site_id: SiteId | None, actor: str, now: datetime
) -> None:
    """Erase one comment, unless that was done before."""
    comment = comments.locked_comment(db, comment_id, site_id)
    if comment is None:
        raise CommentNotFound(comment_id)
    _erase(db, comment, actor, now)


def erase_email(store: Store, keyring: Keyring, email: str, clock: Callable[[], datetime]) -> int:
    """Erase every comment under the address in short transactions; return how many."""
    address = normalize("NFC", email.strip()).lower()
    email_hash = keyring.hash("email", address)
    erased = 0
    while True:
        with store.write() as db:
            ids = upkeep.comments_by_email(db, address, email_hash, _BATCH)
            for comment in comments.locked_comments(db, ids).values():
                _erase(db, comment, "system", clock())
        erased += len(ids)
        if len(ids) < _BATCH:
            return erased


def _erase(db: Connection, comment: Comment, actor: str, now: datetime) -> None:
    if comment.status is Status.ERASED:
        return
    upkeep.forget_traces(db, comment.id)
    cause = Cause(EventKind.ERASED, actor, now)
    comments.change_status(db, comment, Status.ERASED, cause, upkeep.NO_CONTENT)
