"""The review API: what moderators' own tools list, decide and take back.

Open to bearer tokens of moderators and to signed-in sessions alike; requests
with a session also carry the CSRF token of its pages.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field, model_validator

from service.domain.comment import CommentId
from service.domain.decision import Decision, Event, Reason
from service.domain.errors import CommentNotFound
from service.moderation import MAX_BATCH, BatchResult
from service.storage.comments import events_of, reports_of
from service.storage.reviewing import (
    AuthorRecord,
    ReviewItem,
    author_history,
    review_item,
    review_list,
)
from service.web.answers import answer, read_query
from service.web.comments import CommentOut, comment_members, verdict_out
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.openapi import documented
from service.web.review_filter import ReviewQuery, opened, sealed
from service.web.schemas import OneLine, Strict, invalid, read_json
from service.web.texts import Note

bp = Blueprint("review", __name__)
bp.before_request(guard)

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_EVENT = 2**62
_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

Uuid = Annotated[str, Field(pattern=_UUID)]


class ListQuery(ReviewQuery):
    """Which comments are wanted, and how many at once."""

    limit: int = Field(50, ge=1, le=100, description="Comments a page")


class ReviewComment(CommentOut):
    """A comment as moderators see it."""

    site: str = Field(description="The site's short name")
    severity: int = Field(description="0 approved, 1 at its threshold, 2 twice, 3 three times")
    report_count: int
    decided_at: datetime | None


class ReviewPageOut(BaseModel):
    """Comments to review: worst first, then oldest first."""

    comments: list[ReviewComment]
    next: str | None = Field(description="Pass it as `after` for the following page; null: last")


class EventOut(BaseModel):
    """One line of the audit log."""

    id: int
    comment_id: str
    at: datetime
    kind: str
    actor: str = Field(description="rules, moderator:LOGIN, site:SLUG, author, reader or system")
    from_status: str
    to_status: str
    version: int = Field(description="The comment's version after the event")
    reason: str
    note: str
    batch: str | None


class ReportOut(BaseModel):
    """A reader's complaint."""

    reason: str
    note: str
    at: datetime


class RecordOut(BaseModel):
    """What is known under one identity, the comment itself included."""

    total: int
    by_status: dict[str, int]
    first_seen: datetime


class HistoryOut(BaseModel):
    """The author's comments on this site."""

    proven: RecordOut | None = Field(description="Under the identity the website vouches for")
    claimed: RecordOut | None = Field(description="Under the same address, which proves nothing")


class ReviewDetail(ReviewComment):
    """A comment with everything that is known of it."""

    reports: list[ReportOut]
    events: list[EventOut]
    history: HistoryOut


class DecisionIn(Strict):
    """A decision on one comment, as it was seen at `version`."""

    decision: Annotated[Decision, Field(strict=False)]
    reason: Annotated[Reason, Field(strict=False)] | None = None
    note: Note = ""
    rule: Annotated[OneLine, Field(max_length=64)] | None = Field(
        None, description="The one rule that is wrong for this comment"
    )
    version: int = Field(ge=1, le=_LARGEST_INTEGER)


class DecisionsIn(Strict):
    """One decision on many comments, as they stand now."""

    ids: list[Uuid] = Field(min_length=1, max_length=MAX_BATCH)
    decision: Annotated[Decision, Field(strict=False)]
    reason: Annotated[Reason, Field(strict=False)] | None = None
    note: Note = ""


class UndoIn(Strict):
    """What to take back: one event, or everything done under a batch id."""

    event: int | None = Field(None, ge=1, le=_LARGEST_EVENT)
    batch: Uuid | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.event is None) == (self.batch is None):
            raise invalid("needs either an event or a batch")
        return self


class BatchOut(BaseModel):
    """What was changed, and why the rest was not."""

    batch: str = Field(description="With this id the whole can be undone")
    decided: list[str]
    unchanged: dict[str, str] = Field(description="Comment id -> reason in plain words")


@bp.get("/v1/review/comments")
@documented(
    "List comments to review",
    query=ListQuery,
    responses={200: ReviewPageOut},
    security="moderator",
    tags=["Review"],
)
def comments() -> Response:
    """Comments of all sites that fit the filters, worst first, then oldest first."""
    query = read_query(ListQuery)
    needed = services()
    wanted = query.as_filter(signed_in(), needed.keyring, needed.clock(), needed.claims.held())
    with needed.store.read() as db:
        page = review_list(db, wanted, limit=query.limit, after=opened(query.after))
    listed = [ReviewComment(**_members(item)) for item in page.items]
    return answer(ReviewPageOut(comments=listed, next=sealed(page.next)))


@bp.get("/v1/review/comments/<uuid:comment_id>")
@documented(
    "See everything about a comment",
    responses={200: ReviewDetail},
    security="moderator",
    tags=["Review"],
)
def comment(comment_id: UUID) -> Response:
    """One comment with its whole evidence, its story, and its author's history."""
    wanted = CommentId(str(comment_id))
    with services().store.read() as db:
        item = review_item(db, wanted, signed_in().sites)
        if item is None:
            raise CommentNotFound
        history = author_history(db, item.comment)
        story, complaints = events_of(db, wanted), reports_of(db, wanted)
    return answer(
        ReviewDetail(
            **_members(item),
            reports=[ReportOut(**asdict(complaint)) for complaint in complaints],
            events=[_event_out(event) for event in story],
            history=HistoryOut(
                proven=_record_out(history.proven), claimed=_record_out(history.claimed)
            ),
        )
    )


@bp.post("/v1/review/comments/<uuid:comment_id>/decision")
@documented(
    "Decide on a comment",
    request=DecisionIn,
    responses={200: EventOut},
    problems=(409,),
    security="moderator",
    tags=["Review"],
)
def decide(comment_id: UUID) -> Response:
    """Approve a comment, reject it, or call it spam.

    `version` is the one that the moderator saw. If somebody moved the comment
    on since, 409 tells who, and where it stands; a verdict of the rules does
    not count.
    """
    said = read_json(request, DecisionIn)
    event = services().moderation.decide(
        CommentId(str(comment_id)),
        said.decision,
        moderator=signed_in(),
        version=said.version,
        reason=said.reason,
        note=said.note,
        rule=said.rule,
    )
    return answer(_event_out(event))


@bp.post("/v1/review/decisions")
@documented(
    "Decide on many comments",
    request=DecisionsIn,
    responses={200: BatchOut},
    security="moderator",
    tags=["Review"],
)
def decide_many() -> Response:
    """Decide on up to 500 comments as they stand now; one batch id undoes it all."""
    said = read_json(request, DecisionsIn)
    result = services().moderation.decide_many(
        [CommentId(comment_id) for comment_id in said.ids],
        said.decision,
        moderator=signed_in(),
        reason=said.reason,
        note=said.note,
    )
    return answer(_batch_out(result))


@bp.post("/v1/review/undo")
@documented(
    "Undo",
    request=UndoIn,
    responses={200: BatchOut},
    problems=(404, 409),
    security="moderator",
    tags=["Review"],
)
def undo() -> Response:
    """Take back one decision or a whole batch, where it still stands.

    Nothing is overwritten: an undo is an event of its own, and can be undone.
    """
    wanted = read_json(request, UndoIn)
    result = services().moderation.undo(
        event=wanted.event, batch=wanted.batch, moderator=signed_in()
    )
    return answer(_batch_out(result))


def _members(item: ReviewItem) -> dict[str, Any]:
    comment = item.comment
    return comment_members(comment, addresses=signed_in().sees_addresses) | {
        "verdict": verdict_out(item.evidence),
        "site": comment.site_slug,
        "severity": item.severity,
        "report_count": comment.report_count,
        "decided_at": comment.decided_at,
    }


def _event_out(event: Event) -> EventOut:
    return EventOut(**asdict(event))


def _record_out(record: AuthorRecord | None) -> RecordOut | None:
    if record is None:
        return None
    by_status = {str(status): count for status, count in record.by_status.items()}
    return RecordOut(total=record.total, by_status=by_status, first_seen=record.first_seen)


def _batch_out(result: BatchResult) -> BatchOut:
    return BatchOut(
        batch=result.batch,
        decided=[str(comment_id) for comment_id in result.decided],
        unchanged={str(comment_id): why for comment_id, why in result.unchanged.items()},
    )
