"""The review console: where moderators read and decide. Every decision works without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from werkzeug.exceptions import Forbidden

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, Event, Reason
from service.domain.errors import (
    CheckUnavailable,
    CommentNotFound,
    DecisionConflict,
    FieldError,
    InvalidSubmission,
    RulesetConflict,
    RulesetNotAllowed,
)
from service.domain.lane import WAITING, Lane
from service.domain.ruleset import RulesetVersion
from service.domain.standing import AuthorStanding
from service.moderation import MAX_BATCH, BatchResult
from service.moderation.likely_spam import SWITCH
from service.storage import notes
from service.storage.acts import record_act
from service.storage.comments import last_change_of, reports_of
from service.storage.lanes import LaneCount, lane_counts
from service.storage.live import newest_event
from service.storage.reviewing import QueuePage, decisions_since, queue_rows, review_item
from service.storage.sites import list_sites
from service.storage.switches import set_switch, switch
from service.web.answers import asked, read_query
from service.web.cards import ABUSE, CATEGORIES, card_of
from service.web.chrome import Conflict, Notice, entered, page, tell
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.review_filter import ReviewQuery, opened, sealed
from service.web.schemas import OneLine, validate
from service.web.texts import Note

bp = Blueprint("console", __name__)
bp.before_request(guard)
html_errors(bp)

_PAGE_SIZE = 25
_BREAK_WINDOW = 3_600

LANES = {
    Lane.REVIEW: "Needs review",
    Lane.LIKELY_SPAM: "Likely spam",
    Lane.SAMPLE: "Sample",
    Lane.APPROVED: "Approved",
    Lane.REJECTED: "Rejected",
    Lane.SPAM: "Spam",
    Lane.PENDING: "Not judged yet",
    Lane.ALL: "All",
}
_AGES = {3_600: "an hour", 86_400: "a day", 7 * 86_400: "a week"}
_CLAIMED = {"nobody": "nobody", "mine": "me", "others": "somebody else"}
_SEVERITIES = {1: "at the threshold", 2: "twice the threshold", 3: "three times the threshold"}
PAST = {
    Decision.APPROVE: "approved",
    Decision.REJECT: "rejected",
    Decision.SPAM: "marked as spam",
}
_ACTORS = {
    "rules": "the rules",
    "author": "the author",
    "reader": "readers",
    "system": "the system",
}
REASONS = {
    Reason.ABUSE: "Insults somebody",
    Reason.HATE: "Hatred against a group",
    Reason.THREAT: "Threatens somebody",
    Reason.PERSONAL_DATA: "Personal data of others",
    Reason.ADVERTISING: "Advertising",
    Reason.OFF_TOPIC: "Off topic",
    Reason.DUPLICATE: "Said before",
    Reason.ILLEGAL: "Against the law",
    Reason.FINE: "Fine as it is",
    Reason.OTHER: "Something else",
}
#: The reasons that one key each rejects with, in the order of the keys.
KEYED_REASONS = (
    Reason.ABUSE,
    Reason.HATE,
    Reason.THREAT,
    Reason.PERSONAL_DATA,
    Reason.OFF_TOPIC,
)


class _View(BaseModel):
    """What the address says besides the filters: which comment is open, and how."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    open: UUID | None = None
    zen: bool = False
    folded: bool = False


class _DecisionForm(BaseModel):
    decision: Decision | None = None
    reject_because: Reason | None = None
    wrong_rule: OneLine | None = Field(None, max_length=64)
    version: int
    reason: Reason | None = None
    note: Note = ""
    next: UUID | None = None


class _BulkForm(BaseModel):
    decision: Decision
    ids: list[UUID] = Field(max_length=MAX_BATCH)
    reason: Reason | None = None


class _SwitchForm(BaseModel):
    days: int = Field(ge=0, le=365)


class _UndoForm(BaseModel):
    event: int | None = None
    batch: UUID | None = None


class _NoteForm(BaseModel):
    text: Note = Field(min_length=1)
    about: str = Field("comment", pattern="^(comment|author)$")


@dataclass(frozen=True, slots=True)
class _Place:
    """The open comment's neighbours in the list."""

    previous: CommentId | None = None
    next: CommentId | None = None
    next_page: str | None = None


@bp.get("/review")
def queue() -> str:
    """The queue: a list, the comment that is open, and why it stands there."""
    needed, query, view = services(), _query(), _view()
    claims = needed.claims.held()
    wanted = query.as_filter(signed_in(), needed.keyring, needed.clock(), claims)
    with needed.store.read() as db:
        rows = queue_rows(db, wanted, limit=_PAGE_SIZE, after=opened(query.after))
        chosen = CommentId(str(view.open)) if view.open else _first_free(rows, claims)
        counts = lane_counts(db, signed_in().sites, query.site)
        values = _opened(db, chosen) if chosen else {}
        sites = [site for site in list_sites(db) if signed_in().reviews(site.id)]
        seen = newest_event(db)
        spam_switch = switch(db, SWITCH) if query.lane is Lane.LIKELY_SPAM else None
        busy = decisions_since(db, signed_in().actor, needed.clock(), _BREAK_WINDOW)
    if chosen:
        values["holder"] = needed.claims.take(chosen, signed_in().login)
    return page(
        "queue.html",
        rows=rows.rows,
        next_page=sealed(rows.next),
        counts=counts,
        waiting=_waiting(counts),
        query=query,
        sites=sites,
        claims=claims,
        place=_neighbours(rows, chosen),
        busy=busy,
        seen=seen,
        spam_switch=spam_switch,
        **{"card": None, "folded": None, **values},
        **_vocabulary(),
    )


@bp.get("/review/<uuid:comment_id>")
def comment(comment_id: UUID) -> str:
    """One comment by itself, with its whole evidence and story."""
    wanted = CommentId(str(comment_id))
    with services().store.read() as db:
        values = _opened(db, wanted)
    values["holder"] = services().claims.take(wanted, signed_in().login)
    return page("comment.html", query=ReviewQuery(), place=_Place(), **values, **_vocabulary())


@bp.post("/review/<uuid:comment_id>/decision")
def decide(comment_id: UUID) -> Response:
    """Decide on one comment, as it was shown."""
    said = validate(_DecisionForm, entered())
    decision, reason = _decision(said)
    try:
        event = services().moderation.decide(
            CommentId(str(comment_id)),
            decision,
            moderator=signed_in(),
            version=said.version,
            reason=reason,
            note=said.note,
            rule=said.wrong_rule,
        )
    except DecisionConflict as conflict:
        return _conflict(conflict, decision, reason)
    blamed = f", and “{said.wrong_rule}” is wrong here" if said.wrong_rule else ""
    notice = Notice(
        text=f"Comment {PAST[decision]}{blamed}.", event=event.id, comment=event.comment_id
    )
    return _back(notice, _still_there(said.next))


@bp.post("/review/<uuid:comment_id>/claim")
def claim(comment_id: UUID) -> Response:
    """Keep the comment claimed while somebody works on it."""
    services().claims.take(CommentId(str(comment_id)), signed_in().login)
    return make_response("", 204)


@bp.post("/review/<uuid:comment_id>/notes")
def add_note(comment_id: UUID) -> Response:
    """Leave a note on the comment or on its author, for other moderators."""
    said = validate(_NoteForm, entered())
    wanted, needed, moderator = CommentId(str(comment_id)), services(), signed_in()
    with needed.store.write() as db:
        item = review_item(db, wanted, moderator.sites)
        if item is None:
            raise CommentNotFound
        author = notes.author_of(db, wanted) if said.about == "author" else None
        if said.about == "author" and author is None:
            raise InvalidSubmission([FieldError("/about", "is an author known by nothing")])
        notes.add_note(
            db,
            item.comment.site_id,
            said.text,
            actor=moderator.actor,
            at=needed.clock(),
            comment_id=None if author else wanted,
            author=author,
        )
    return _back(Notice(text="Your note is kept."), wanted)


@bp.post("/review/<uuid:comment_id>/notes/<int:note_id>/drop")
def drop_note(comment_id: UUID, note_id: int) -> Response:
    """Delete a note of one's own."""
    with services().store.write() as db:
        dropped = notes.drop_note(db, note_id, signed_in().actor, signed_in().sites)
    text = "Your note is deleted." if dropped else "That note is not yours, or gone already."
    return _back(Notice(text=text, alarming=not dropped), CommentId(str(comment_id)))


@bp.post("/review/decisions")
def decide_many() -> Response:
    """Decide on all selected comments at once."""
    said = validate(_BulkForm, entered() | {"ids": request.form.getlist("ids")})
    if not said.ids:
        return _back(Notice(text="No comment was selected.", alarming=True))
    result = services().moderation.decide_many(
        [CommentId(str(comment_id)) for comment_id in said.ids],
        said.decision,
        moderator=signed_in(),
        reason=said.reason,
    )
    return _back(batch_notice(result, PAST[said.decision]))


@bp.post("/review/likely-spam")
def switch_likely_spam() -> Response:
    """Have likely spam marked as such after some days, or never; admins only."""
    moderator, now = signed_in(), services().clock()
    if not moderator.manages_people:
        raise Forbidden("Only admins turn this switch.")
    days = validate(_SwitchForm, entered()).days
    with services().store.write() as db:
        set_switch(db, SWITCH, days, moderator.actor, now)
        told = f"after {days} days" if days else "never"
        record_act(db, now, moderator.actor, "likely spam", "marked by itself", told)
    return _back(Notice(text=f"Likely spam is marked by itself {told}."))


@bp.post("/review/undo")
def undo() -> Response:
    """Take a decision or a batch back; the last of one's own if none is named."""
    wanted = validate(_UndoForm, entered())
    moderation, moderator = services().moderation, signed_in()
    try:
        result: BatchResult | AuthorStanding | None
        if wanted.event is None and wanted.batch is None:
            if (change := _last_list_change()) is not None:
                return _take_back(change)
            result = moderation.undo_last(moderator)
        else:
            batch = str(wanted.batch) if wanted.batch else None
            result = moderation.undo(event=wanted.event, batch=batch, moderator=moderator)
    except DecisionConflict as conflict:
        text = f"Not changed: {person(conflict.decided_by)} moved this comment on since."
        return _back(Notice(text=text, alarming=True, comment=conflict.comment_id))
    if isinstance(result, AuthorStanding):
        return _back(Notice(text=f"The author is not {result.standing} any more."))
    if result is None:
        return _back(Notice(text="There is no decision of yours left to undo.", alarming=True))
    alone = result.decided[0] if len(result.decided) == 1 else None
    return _back(batch_notice(result, "put back where they were"), alone)


def _last_list_change() -> RulesetVersion | None:
    """Return the change of a list that was the last thing they did, if it was."""
    change = services().rulesets.last_list_change_by(signed_in().actor)
    if change is None:
        return None
    last = services().moderation.last_done_at(signed_in())
    return change if last is None or last < change.published_at else None


def _take_back(change: RulesetVersion) -> Response:
    moderator = signed_in()
    try:
        services().rulesets.take_back(change, author=moderator.actor, role=moderator.role)
    except RulesetConflict:
        return _back(Notice(text="Somebody changed the rules just now.", alarming=True))
    except RulesetNotAllowed:
        return _back(Notice(text="Taking that back wants another role.", alarming=True))
    return _back(Notice(text=f"Taken back: {change.note}."))


def person(actor: str) -> str:
    """Return who an actor of the audit log is, in plain words."""
    kind, _, name = actor.partition(":")
    told = {
        "site": f"the site {name}",
        "campaign": f"{name}’s decision on the campaign",
        "switch": f"a switch that {name} set",
    }
    return _ACTORS.get(actor) or told.get(kind) or name or actor


def address(path: str, query: Mapping[str, object]) -> str:
    """Return an address with those parts of the query that say something."""
    told = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(told)}" if told else path


def link(**changes: object) -> str:
    """Return the queue's address with its filters, some of them changed; None drops one.

    The place in the list is kept only where nothing else changes: other filters
    make another list.
    """
    moved = {"open": None} if set(changes) <= {"open", "zen"} else {"open": None, "after": None}
    return address(url_for("console.queue"), _filters() | moved | changes)


def sends_to(endpoint: str, **values: Any) -> str:
    """Return where a form leads, with the filters to come back to."""
    return address(url_for(endpoint, **values), _filters() | {"open": None})


def _query() -> ReviewQuery:
    shown = {*_View.model_fields}
    wanted = {name: value for name, value in asked().items() if name not in shown}
    return validate(ReviewQuery, {"lane": Lane.REVIEW} | wanted)


def _view() -> _View:
    return read_query(_View)


def _filters() -> dict[str, object]:
    """Return what the address says of the list and the view, and nothing else in it."""
    kept = [*ReviewQuery.model_fields, "open", "zen"]
    return {name: request.args.get(name) for name in kept}


def _first_free(rows: QueuePage, claims: Mapping[CommentId, str]) -> CommentId | None:
    """Return the first comment that nobody else has open, or the first."""
    free = [
        row.id for row in rows.rows if claims.get(row.id, signed_in().login) == signed_in().login
    ]
    return next(iter([*free, *(row.id for row in rows.rows)]), None)


def _neighbours(rows: QueuePage, chosen: CommentId | None) -> _Place:
    ids = [row.id for row in rows.rows]
    if chosen not in ids:
        return _Place(next=ids[0] if ids else None)
    index = ids.index(chosen)
    following = ids[index + 1] if index + 1 < len(ids) else None
    return _Place(
        previous=ids[index - 1] if index else None,
        next=following,
        next_page=None if following else sealed(rows.next),
    )


def _opened(db: Connection, comment_id: CommentId) -> dict[str, Any]:
    item = review_item(db, comment_id, signed_in().sites)
    if item is None:
        raise CommentNotFound
    return {
        "card": card_of(db, item, signed_in().sites),
        "evidence": item.evidence,
        "reports": reports_of(db, comment_id),
        "folded": _folded(item.comment.body) if _view().folded else None,
    }


def _folded(text: str) -> dict[str, str]:
    try:
        return services().jobs.fold(text)
    except CheckUnavailable:
        return {"": "No worker answered. Please try again."}


def _waiting(counts: Mapping[Lane, LaneCount]) -> int:
    return sum(counts[lane].count for lane in WAITING)


def _decision(said: _DecisionForm) -> tuple[Decision, Reason | None]:
    if said.wrong_rule:
        return Decision.APPROVE, said.reason
    if said.reject_because:
        return Decision.REJECT, said.reject_because
    if said.decision is None:
        raise InvalidSubmission([FieldError("/decision", "is required")])
    return said.decision, said.reason


def _still_there(comment_id: UUID | None) -> CommentId | None:
    """Return the following comment if it still waits and nobody else has it open."""
    if comment_id is None:
        return None
    wanted, needed = CommentId(str(comment_id)), services()
    if needed.claims.held().get(wanted, signed_in().login) != signed_in().login:
        return None
    with needed.store.read() as db:
        item = review_item(db, wanted, signed_in().sites)
    lane = request.args.get("lane", Lane.REVIEW)
    if item is None or (
        lane in WAITING and item.comment.status not in (Status.HELD, Status.APPROVED)
    ):
        return None
    return wanted


def _conflict(conflict: DecisionConflict, decision: Decision, reason: Reason | None) -> Response:
    """Show the other's decision, and offer to keep it or to decide otherwise."""
    with services().store.read() as db:
        event = last_change_of(db, conflict.comment_id)
    who, where = person(conflict.decided_by), f"“{conflict.status}”"
    notice = Notice(
        text=f"Not changed: {who} moved this comment to {where} first{_because(event)}.",
        alarming=True,
        conflict=Conflict(
            comment=conflict.comment_id,
            version=conflict.version,
            decision=decision,
            reason=reason or "",
            words=PAST[decision],
        ),
    )
    return _back(notice, conflict.comment_id)


def _because(event: Event | None) -> str:
    if event is None:
        return ""
    reason = REASONS[Reason(event.reason)].lower() if event.reason else ""
    told = [part for part in (reason, f"“{event.note}”" if event.note else "") if part]
    return f" ({', '.join(told)})" if told else ""


def _vocabulary() -> dict[str, Any]:
    """Return what the pages call things by."""
    return {
        "lanes": LANES,
        "abuse": ABUSE,
        "categories": CATEGORIES,
        "reasons": REASONS,
        "keyed_reasons": KEYED_REASONS,
        "severities": _SEVERITIES,
        "ages": _AGES,
        "claimed_by": _CLAIMED,
        "view": _view(),
        "link": link,
        "sends_to": sends_to,
        "person": person,
    }


def batch_notice(result: BatchResult, done: str) -> Notice:
    """Return what a change of many comments did, in words, with its undo."""
    count = len(result.decided)
    text = f"{count} {'comment' if count == 1 else 'comments'} {done}."
    if result.unchanged:
        whys = " ".join(sorted(set(result.unchanged.values()))[:3])
        text += f" {len(result.unchanged)} left as they were: {whys}"
    notice = Notice(text=text, alarming=bool(result.unchanged))
    if result.decided:
        notice["batch"] = result.batch
    return notice


def _back(notice: Notice, opening: CommentId | None = None) -> Response:
    """Return to the list that the form stood in, and tell there what happened."""
    tell(notice)
    return make_response(
        redirect(address(url_for("console.queue"), _filters() | {"open": opening}), 303)
    )
