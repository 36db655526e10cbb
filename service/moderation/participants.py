"""What authors and readers may do: take a comment back, report one."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from service.domain.comment import WITHDRAWABLE, Comment, CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.domain.errors import CommentNotFound, NotWithdrawable
from service.storage import comments
from service.storage.comments import Cause

#: Where readers' doubts stand in the review queue: above nothing, below the worst.
_REPORTED = 1


@dataclass(frozen=True, slots=True)
class Complaint:
    """A reader's report on its way in; `reporter` is a keyed hash."""

    reporter: str
    reason: str
    note: str
    at: datetime


def withdraw(db: Connection, comment_id: CommentId, now: datetime) -> Comment:
    """Take the comment back for its author and return it as it stands then."""
    comment = comments.locked_comment(db, comment_id)
    if comment is None:
        raise CommentNotFound(comment_id)
    if comment.status is Status.WITHDRAWN:
        return comment
    if comment.status not in WITHDRAWABLE:
        raise NotWithdrawable(comment.status)
    cause = Cause(EventKind.WITHDRAWN, "author", now)
    comments.change_status(db, comment, Status.WITHDRAWN, cause)
    return replace(comment, status=Status.WITHDRAWN, version=comment.version + 1)


def report(db: Connection, comment_id: CommentId, site_id: SiteId, complaint: Complaint) -> bool:
    """Keep the complaint; return True if it was the one that reopened the comment."""
    comment = comments.locked_comment(db, comment_id, site_id)
    if comment is None or not comment.visible:
        raise CommentNotFound(comment_id)
    if not comments.add_report(db, comment_id, **asdict(complaint)):
        return False
    # The version stays: a report changes nothing that a moderator has seen.
    told = Cause(EventKind.REPORT, "reader", complaint.at, complaint.reason)
    comments.append_event(db, comment, comment.status, told)
    return comments.is_reported_enough(db, comment) and _reopened(db, comment, complaint.at)


def _reopened(db: Connection, comment: Comment, at: datetime) -> bool:
    cause = Cause(EventKind.REOPENED, "reader", at)
    columns = {"severity": _REPORTED, "decided_at": None}
    return comments.change_status(db, comment, Status.HELD, cause, columns) is not None
