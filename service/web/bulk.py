"""Deciding on many comments, and taking much back: always seen first, always undoable."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from flask import Blueprint, Response, make_response, redirect, request, url_for
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import Connection
from werkzeug.exceptions import Forbidden, NotFound

from service.domain.comment import CommentId
from service.domain.decision import Decision
from service.domain.errors import FieldError, InvalidSubmission
from service.domain.lane import Lane
from service.moderation import MAX_BATCH
from service.storage import following as record
from service.storage import takeback
from service.storage.people import accounts
from service.storage.reviewing import (
    QueueRow,
    ReviewFilter,
    matching_ids,
    queue_rows,
    rules_known,
)
from service.storage.takeback import Doing, Span
from service.web.answers import asked, read_query
from service.web.chrome import Notice, entered, page, tell
from service.web.console import LANES, PAST, REASONS, batch_notice, person
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.review_filter import ReviewQuery
from service.web.schemas import OneLine, invalid, validate

bp = Blueprint("bulk", __name__, url_prefix="/review")
bp.before_request(guard)
html_errors(bp)

_SAMPLES = 5
_CAMPAIGNS_SHOWN = 50
_MOST_TAKEN_BACK = 5_000


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise invalid("must be a time such as 2026-11-24T12:00") from error


_Moment = Annotated[str, AfterValidator(lambda text: _moment(text).isoformat())]


class _CampaignForm(BaseModel):
    decision: Decision
    ids: list[Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]] = Field(max_length=MAX_BATCH)
    follow: Literal["on"] | None = None


class _TakeBack(BaseModel):
    """What is to be taken back: a rule's holds, or a person's decisions."""

    what: Annotated[OneLine, Field(pattern=r"^(rule|moderator):.{1,64}$")]
    since: _Moment
    until: _Moment

    @property
    def rule(self) -> str:
        """The rule, "" if it is about a person."""
        kind, _, name = self.what.partition(":")
        return name if kind == "rule" else ""

    def span(self) -> Span:
        """Return the time meant, on the sites that whoever asks may see."""
        return Span(_moment(self.since), _moment(self.until), signed_in().sites)


@bp.get("/bulk")
def preview() -> str:
    """How many comments a filter finds, a few of them, and the decisions to choose from."""
    needed = services()
    query = validate(ReviewQuery, {"lane": Lane.REVIEW} | asked())
    wanted = query.as_filter(signed_in(), needed.keyring, needed.clock(), needed.claims.held())
    with needed.store.read() as db:
        # Counted by the same query: finding them is what takes its time.
        ids = matching_ids(db, wanted, limit=10 * MAX_BATCH)
        samples = replace(wanted, claimed=frozenset(ids[:_SAMPLES]))
        return page(
            "bulk.html",
            query=query,
            count=len(ids),
            ids=ids[:MAX_BATCH],
            rows=_few(db, samples, _SAMPLES) if ids else [],
            most=MAX_BATCH,
            lanes=LANES,
            reasons=REASONS,
        )


@bp.get("/campaigns")
def campaigns() -> str:
    """Nearly the same comments of which several wait."""
    with services().store.read() as db:
        waiting = record.waiting_campaigns(db, signed_in().sites, limit=_CAMPAIGNS_SHOWN)
        followed = record.followed_now(db, services().clock())
    return page("campaigns.html", campaigns=waiting, followed=followed, person=person, past=PAST)


@bp.get("/campaigns/<name>")
def campaign(name: str) -> str:
    """The members of one campaign, those that wait first."""
    with services().store.read() as db:
        waiting = _few(db, _members(name, Lane.REVIEW), MAX_BATCH)
        waiting += _few(db, _members(name, Lane.LIKELY_SPAM), MAX_BATCH - len(waiting))
        everything = _few(db, _members(name, Lane.ALL), _CAMPAIGNS_SHOWN)
        if not everything:
            raise NotFound("There is no such campaign.")
        held = {row.id for row in waiting}
        return page(
            "campaign.html",
            name=name,
            waiting=waiting,
            others=[row for row in everything if row.id not in held],
            sites=record.site_names(db, name, signed_in().sites),
            domains=sorted(record.domain_sets(db, [row.id for row in waiting])),
            followed=record.followed_now(db, services().clock(), name),
            person=person,
            past=PAST,
        )


@bp.post("/campaigns/<name>")
def decide_campaign(name: str) -> Response:
    """Decide once for the members chosen."""
    said = validate(_CampaignForm, entered() | {"ids": request.form.getlist("ids")})
    if not said.ids:
        tell(Notice(text="No comment was selected.", alarming=True))
        return _to(url_for("bulk.campaign", name=name))
    result = services().moderation.decide_campaign(
        name,
        [CommentId(comment_id) for comment_id in said.ids],
        said.decision,
        moderator=signed_in(),
        follow=said.follow is not None,
    )
    tell(batch_notice(result, PAST[said.decision]))
    return _to(url_for("bulk.campaigns"))


@bp.get("/take-back")
def take_back() -> str:
    """Choose what to take back; with an answer, what that would change."""
    _seniors_only()
    said = read_query(_TakeBack) if asked() else None
    with services().store.read() as db:
        values = _dry_run(db, said) if said else {}
        return page(
            "take_back.html", said=said, rules=rules_known(db),
            people=[account.moderator.login for account in accounts(db)], **values,
        )  # fmt: skip


@bp.post("/take-back")
def do_take_back() -> Response:
    """Take back what the dry run showed, as far as it still stands."""
    _seniors_only()
    said = validate(_TakeBack, entered())
    with services().store.read() as db:
        doings = _doings(db, said)
    if len(doings) > _MOST_TAKEN_BACK:
        detail = f"covers {len(doings)} comments; at most {_MOST_TAKEN_BACK} at once"
        raise InvalidSubmission([FieldError("/until", detail)])
    result = services().moderation.take_back(doings, signed_in(), rule=said.rule)
    tell(batch_notice(result, "taken back"))
    return _to(url_for("bulk.take_back"))


def _few(db: Connection, wanted: ReviewFilter, limit: int) -> list[QueueRow]:
    return queue_rows(db, wanted, limit=limit).rows if limit else []


def _members(name: str, lane: Lane) -> ReviewFilter:
    return ReviewFilter(sites=signed_in().sites, campaign=name, lane=lane)


def _dry_run(db: Connection, said: _TakeBack) -> dict[str, object]:
    doings, span = _doings(db, said), said.span()
    shown = frozenset(each.comment_id for each in doings[:_SAMPLES])
    wanted = ReviewFilter(sites=signed_in().sites, claimed=shown)
    return {
        "count": len(doings),
        "rows": _few(db, wanted, _SAMPLES) if shown else [],
        "moved_on": 0 if said.rule else takeback.moved_on(db, said.what, span),
    }


def _doings(db: Connection, said: _TakeBack) -> list[Doing]:
    if said.rule:
        return takeback.held_by_rule(db, said.rule, said.span())
    return takeback.decided_by(db, said.what, said.span())


def _seniors_only() -> None:
    if not signed_in().takes_back:
        raise Forbidden("Only senior moderators take back what others did.")


def _to(address: str) -> Response:
    return make_response(redirect(address, 303))
