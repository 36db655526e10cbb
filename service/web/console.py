"""The review console: pages on which moderators read and decide, without any script."""

from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import urlencode
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from pydantic import BaseModel, Field

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, Reason
from service.domain.errors import CommentNotFound, DecisionConflict
from service.moderation import MAX_BATCH, BatchResult
from service.storage.comments import reports_of
from service.storage.reviewing import counts_by_status, review_item, review_list
from service.storage.sites import list_sites
from service.web.cards import CATEGORIES, card_of
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.review_filter import ReviewQuery, opened, sealed
from service.web.schemas import validate
from service.web.texts import Note

bp = Blueprint("console", __name__)
bp.before_request(guard)
html_errors(bp)

_PAGE_SIZE = 20
_EVERY_STATUS = "all"

#: The tabs, in the order of a moderator's day.
_TABS = (Status.HELD, Status.PENDING, Status.APPROVED, Status.REJECTED, Status.SPAM)
_AGES = {3_600: "an hour", 86_400: "a day", 7 * 86_400: "a week"}
_PAST = {Decision.APPROVE: "approved", Decision.REJECT: "rejected", Decision.SPAM: "marked as spam"}
_ACTORS = {
    "rules": "the rules",
    "author": "the author",
    "reader": "readers",
    "system": "the system",
}
_REASONS = {
    Reason.FINE: "Fine as it is",
    Reason.ABUSE: "Insults somebody",
    Reason.HATE: "Hatred against a group",
    Reason.THREAT: "Threatens somebody",
    Reason.PERSONAL_DATA: "Personal data of others",
    Reason.ADVERTISING: "Advertising",
    Reason.OFF_TOPIC: "Off topic",
    Reason.DUPLICATE: "Said before",
    Reason.ILLEGAL: "Against the law",
    Reason.OTHER: "Something else",
}


class Notice(TypedDict, total=False):
    """What the next page tells of the last action; with an event or a batch it can be undone."""

    text: str
    alarming: bool
    event: int
    batch: str
    comment: str


class _DecisionForm(BaseModel):
    decision: Decision
    version: int
    reason: Reason | None = None
    note: Note = ""


class _BulkForm(BaseModel):
    decision: Decision
    ids: list[UUID] = Field(max_length=MAX_BATCH)
    reason: Reason | None = None


class _UndoForm(BaseModel):
    event: int | None = None
    batch: UUID | None = None


@bp.get("/review")
def queue() -> str:
    """The review queue: held comments unless the address asks for others."""
    needed, query = services(), _query()
    wanted = query.as_filter(signed_in(), needed.keyring, needed.clock())
    with needed.store.read() as db:
        page = review_list(db, wanted, limit=_PAGE_SIZE, after=opened(query.after))
        cards = [card_of(db, item) for item in page.items]
        counts = counts_by_status(db, query.site)
        sites = list_sites(db)
    return render_template(
        "queue.html",
        cards=cards,
        counts={tab: counts[tab] for tab in _TABS},
        query=query,
        sites=sites,
        next=sealed(page.next),
        **_vocabulary(),
    )


@bp.get("/review/<uuid:comment_id>")
def comment(comment_id: UUID) -> str:
    """One comment with its whole evidence and story."""
    wanted = CommentId(str(comment_id))
    with services().store.read() as db:
        item = review_item(db, wanted, signed_in().sites)
        if item is None:
            raise CommentNotFound
        card, complaints = card_of(db, item), reports_of(db, wanted)
    return render_template(
        "comment.html",
        card=card,
        evidence=item.evidence,
        reports=complaints,
        query=ReviewQuery(),
        **_vocabulary(),
    )


@bp.post("/review/<uuid:comment_id>/decision")
def decide(comment_id: UUID) -> Response:
    """Decide on one comment, as it was shown."""
    said = validate(_DecisionForm, _entered())
    event = services().moderation.decide(
        CommentId(str(comment_id)),
        said.decision,
        moderator=signed_in(),
        version=said.version,
        reason=said.reason,
        note=said.note,
    )
    text = f"Comment {_PAST[said.decision]}."
    return _back(Notice(text=text, event=event.id, comment=event.comment_id))


@bp.post("/review/decisions")
def decide_many() -> Response:
    """Decide on all selected comments at once."""
    said = validate(_BulkForm, _entered() | {"ids": request.form.getlist("ids")})
    if not said.ids:
        return _back(Notice(text="No comment was selected.", alarming=True))
    result = services().moderation.decide_many(
        [CommentId(str(comment_id)) for comment_id in said.ids],
        said.decision,
        moderator=signed_in(),
        reason=said.reason,
    )
    return _back(_batch_notice(result, _PAST[said.decision]))


@bp.post("/review/undo")
def undo() -> Response:
    """Take the last decision back."""
    wanted = validate(_UndoForm, _entered())
    batch = str(wanted.batch) if wanted.batch else None
    result = services().moderation.undo(event=wanted.event, batch=batch, moderator=signed_in())
    return _back(_batch_notice(result, "put back where they were"))


@bp.errorhandler(DecisionConflict)
def _conflict(error: DecisionConflict) -> Response:
    """Say who was first, and leave the comment as they decided."""
    text = f"Not changed: {_person(error.decided_by)} moved this comment to “{error.status}” first."
    return _back(Notice(text=text, alarming=True, comment=error.comment_id))


def _query() -> ReviewQuery:
    asked = {name: value for name, value in request.args.items() if value != ""}
    if asked.setdefault("status", Status.HELD) == _EVERY_STATUS:
        del asked["status"]
    return validate(ReviewQuery, asked)


def _vocabulary() -> dict[str, Any]:
    """Return what both pages call things by."""
    return {
        "moderator": signed_in(),
        "categories": CATEGORIES,
        "reasons": _REASONS,
        "ages": _AGES,
        "link": _link,
        "sends_to": _sends_to,
        "person": _person,
    }


def _link(**changes: object) -> str:
    """Return the queue's address with its filters, some of them changed; None drops one.

    The place in the list is not kept: other filters make another list.
    """
    return _address(url_for("console.queue"), _filters() | {"after": None} | changes)


def _sends_to(endpoint: str, **values: Any) -> str:
    """Return where a form leads, with the filters to come back to."""
    return _address(url_for(endpoint, **values), _filters())


def _filters() -> dict[str, object]:
    """Return what the address says of the list, and nothing else that may stand in it."""
    return {name: request.args.get(name) for name in ReviewQuery.model_fields}


def _address(path: str, query: Mapping[str, object]) -> str:
    told = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(told)}" if told else path


def _person(actor: str) -> str:
    """Return who an actor of the audit log is, in plain words."""
    kind, _, name = actor.partition(":")
    return _ACTORS.get(actor) or (f"the site {name}" if kind == "site" else name or actor)


def _entered() -> dict[str, object]:
    """Return the form's fields; those left empty count as absent."""
    return {name: value for name, value in request.form.items() if value != ""}


def _batch_notice(result: BatchResult, done: str) -> Notice:
    count = len(result.decided)
    text = f"{count} {'comment' if count == 1 else 'comments'} {done}."
    if result.unchanged:
        whys = " ".join(sorted(set(result.unchanged.values()))[:3])
        text += f" {len(result.unchanged)} left as they were: {whys}"
    notice = Notice(text=text, alarming=bool(result.unchanged))
    if result.decided:
        notice["batch"] = result.batch
    return notice


def _back(notice: Notice) -> Response:
    """Return to the list that the form stood in, and tell there what happened."""
    flash(notice)  # type: ignore[arg-type]  # any JSON value travels
    return make_response(redirect(_address(url_for("console.queue"), _filters()), 303))
