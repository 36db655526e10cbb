"""Moderators' decisions, one or many, and taking them back.

A decision is a compare-and-set in one transaction with its event. Nothing is
ever overwritten: an undo is a new event that leads back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from service.domain.comment import REVIEWABLE, Comment, CommentId, SiteId, Status
from service.domain.decision import Decision, Event, EventKind, Moderator, Reason
from service.domain.errors import CommentNotFound, DecisionConflict
from service.storage import comments, database_now
from service.storage.comments import Cause

#: Comments in one bulk decision: one transaction, short enough for others to wait.
MAX_BATCH = 500

_UNDOABLE = frozenset({EventKind.DECISION, EventKind.UNDO})
#: Statuses in which nobody's decision stands.
_UNDECIDED = frozenset({Status.PENDING, Status.HELD})


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of a comment, and when.

    `rule` is the one rule that they call wrong for it; `sites` those whose
    comments they may decide on, None every site.
    """

    decision: Decision
    actor: str
    at: datetime
    reason: Reason | None = None
    note: str = ""
    rule: str | None = None
    sites: frozenset[SiteId] | None = None

    def may_see(self, comment: Comment | None) -> bool:
        """Whether there is such a comment for them."""
        return comment is not None and (self.sites is None or comment.site_id in self.sites)


@dataclass(slots=True)
class BatchResult:
    """What a change of many comments did: which were changed, and why the others were not."""

    batch: str = field(default_factory=lambda: str(uuid4()))
    decided: list[CommentId] = field(default_factory=list)
    unchanged: dict[CommentId, str] = field(default_factory=dict)


def decide(db: Connection, comment_id: CommentId, said: Said, version: int) -> Event:
    """Decide on a comment seen at `version`."""
    comment = comments.locked_comment(db, comment_id)
    if comment is None or not said.may_see(comment):
        raise CommentNotFound(comment_id)
    seen = comment.version == version or _only_judged_since(db, comment, version)
    event = _decided(db, comment, said) if seen and _reviewable(comment) else None
    if event is None:
        raise _conflict(db, comment)
    return event


def decide_many(
    db: Connection, ids: Sequence[CommentId], said: Said, batch: str | None = None
) -> BatchResult:
    """Decide on comments as they stand now, under one batch id: a fresh one unless given."""
    if len(ids) > MAX_BATCH:
        raise ValueError(f"at most {MAX_BATCH} comments at once")
    result = BatchResult(batch) if batch else BatchResult()
    found = comments.locked_comments(db, ids)
    for comment_id in dict.fromkeys(ids):
        comment = found.get(comment_id)
        comment = comment if said.may_see(comment) else None
        obstacle = _obstacle(comment, said.decision.status)
        if comment is None or obstacle:
            result.unchanged[comment_id] = obstacle
        elif _decided(db, comment, said, result.batch):
            result.decided.append(comment_id)
    return result


class Undoing:
    """Takes decisions back within one transaction.

    `pending` collects the comments that nobody had judged before the decision:
    they need a job once the transaction is committed.
    """

    def __init__(self, db: Connection, moderator: Moderator, at: datetime) -> None:
        self.pending: list[CommentId] = []
        self._db = db
        self._moderator = moderator
        self._at = at

    def event(self, event_id: int) -> BatchResult:
        """Take one decision back; raise DecisionConflict if it no longer stands."""
        event = comments.event_by_id(self._db, event_id)
        comment = comments.locked_comment(self._db, event.comment_id) if event else None
        if event is None or comment is None or not self._moderator.reviews(comment.site_id):
            raise CommentNotFound(f"no event {event_id}")
        result = BatchResult()
        if not self._undone(comment, event, result.batch):
            raise _conflict(self._db, comment)
        result.decided.append(comment.id)
        return result

    def batch(self, batch: str) -> BatchResult:
        """Take back those decisions of a batch that still stand."""
        events = comments.events_of_batch(self._db, batch)
        found = comments.locked_comments(self._db, [event.comment_id for event in events])
        events = [e for e in events if self._moderator.reviews(found[e.comment_id].site_id)]
        if not events:
            raise CommentNotFound(f"no batch {batch}")
        result = BatchResult()
        for event in events:
            if self._undone(found[event.comment_id], event, result.batch):
                result.decided.append(event.comment_id)
            else:
                result.unchanged[event.comment_id] = _moved_on(self._db, found[event.comment_id])
        return result

    def events(self, ids: Sequence[int], batch: str) -> BatchResult:
        """Take those decisions back that still stand, under one batch id."""
        found = [event for event_id in ids if (event := comments.event_by_id(self._db, event_id))]
        locked = comments.locked_comments(self._db, [event.comment_id for event in found])
        result = BatchResult(batch)
        for event in found:
            comment = locked[event.comment_id]
            if self._moderator.reviews(comment.site_id) and self._undone(comment, event, batch):
                result.decided.append(comment.id)
            else:
                result.unchanged[comment.id] = _moved_on(self._db, comment)
        return result

    def _undone(self, comment: Comment, event: Event, batch: str) -> bool:
        if event.kind not in _UNDOABLE or event.version != comment.version:
            return False
        back_to = event.from_status
        columns: dict[str, object] = {"decided_at": None if back_to in _UNDECIDED else self._at}
        if back_to is Status.PENDING:
            columns["pending_since"] = database_now(self._db)
            self.pending.append(comment.id)
        cause = Cause(EventKind.UNDO, self._moderator.actor, self._at, batch=batch)
        return bool(comments.change_status(self._db, comment, back_to, cause, columns))


def _decided(
    db: Connection, comment: Comment, said: Said, batch: str | None = None
) -> Event | None:
    reason = said.reason or ""
    cause = Cause(EventKind.DECISION, said.actor, said.at, reason, said.note, batch)
    columns = {"decided_at": said.at}
    event = comments.change_status(db, comment, said.decision.status, cause, columns)
    if event is not None and said.rule:
        wrong = Cause(EventKind.RULE_WRONG, said.actor, said.at, note=said.rule)
        decided = replace(comment, status=event.to_status, version=event.version)
        comments.append_event(db, decided, event.to_status, wrong)
    return event


def _only_judged_since(db: Connection, comment: Comment, version: int) -> bool:
    """Whether the one thing that happened since `version` is the rules' verdict."""
    if comment.version != version + 1:
        return False
    event = comments.last_change(db, comment)
    return event is not None and event.kind is EventKind.VERDICT


def _reviewable(comment: Comment) -> bool:
    # Text that was deleted by age leaves nothing that could still be published.
    return comment.status in REVIEWABLE and comment.body != ""


def _obstacle(comment: Comment | None, wanted: Status) -> str:
    """Say why the comment cannot be given the status; empty if it can."""
    if comment is None:
        return "There is no such comment."
    if comment.status is wanted and comment.decided_at is not None:
        return f"It is {wanted} already."
    if comment.status not in REVIEWABLE:
        return f"It was {comment.status}."
    return "" if _reviewable(comment) else "Its text was deleted."


def _conflict(db: Connection, comment: Comment) -> DecisionConflict:
    return DecisionConflict(
        comment.id, comment.status, comment.version, decided_by=_last_actor(db, comment)
    )


def _moved_on(db: Connection, comment: Comment) -> str:
    return f"It is {comment.status} since, by {_last_actor(db, comment)}."


def _last_actor(db: Connection, comment: Comment) -> str:
    event = comments.last_change(db, comment)
    return event.actor if event else "author"
