"""An author's page: everything known under one identity on one site."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, url_for
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.domain.comment import CommentId
from service.domain.errors import CommentNotFound, FieldError, InvalidSubmission
from service.domain.standing import AuthorStanding, Standing
from service.storage import standings
from service.storage.acts import record_act
from service.storage.authors import Known, comments_of, known_by
from service.storage.notes import author_key, notes_on
from service.storage.reviewing import AuthorHistory, author_history, review_item
from service.web.cards import told_record
from service.web.chrome import Notice, entered, page, tell
from service.web.console import LANES, person
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.schemas import validate

bp = Blueprint("authors", __name__, url_prefix="/review/authors")
bp.before_request(guard)
html_errors(bp)

_COMMENTS_SHOWN = 50
_DAYS = (1, 7, 30, 90)


class _StandingForm(BaseModel):
    standing: Standing
    days: int = Field(ge=1, le=365)


@bp.get("/<uuid:comment_id>")
def author(comment_id: UUID) -> str:
    """Who wrote the comment, and what else they wrote on that site."""
    wanted = CommentId(str(comment_id))
    with services().store.read() as db:
        item = review_item(db, wanted, signed_in().sites)
        if item is None:
            raise CommentNotFound
        known = known_by(db, wanted)
        history = author_history(db, item.comment)
        standing = _standing(db, known)
        return page(
            "author.html",
            standing=standing,
            days=_DAYS,
            comment=item.comment,
            known=known,
            record=_told(history),
            rows=comments_of(db, known, limit=_COMMENTS_SHOWN),
            notes=_notes(db, known),
            lanes=LANES,
            person=person,
        )


@bp.post("/<uuid:comment_id>/standing")
def give_standing(comment_id: UUID) -> Response:
    """Trust or mute the author for a while."""
    said = validate(_StandingForm, entered())
    wanted, needed, moderator = CommentId(str(comment_id)), services(), signed_in()
    now = needed.clock()
    with needed.store.write() as db:
        known = _known(db, wanted)
        if known.verified_id is None:
            detail = "is somebody for whom the website does not vouch"
            raise InvalidSubmission([FieldError("/author", detail)])
        standings.add_standing(
            db, known.site_id, known.verified_id, said.standing,
            actor=moderator.actor, at=now, ends_at=now + timedelta(days=said.days),
        )  # fmt: skip
        detail = f"{said.standing} for {said.days} days"
        record_act(db, now, moderator.actor, "author", known.verified_id, detail)
    tell(Notice(text=f"The author is {said.standing} for {said.days} days."))
    return _to(wanted)


@bp.post("/<uuid:comment_id>/standing/take-back")
def take_back_standing(comment_id: UUID) -> Response:
    """Let the author be like everybody else again."""
    wanted, needed, moderator = CommentId(str(comment_id)), services(), signed_in()
    with needed.store.write() as db:
        known = _known(db, wanted)
        standing = _standing(db, known)
        if standing is not None:
            now = needed.clock()
            standings.take_back_standing(db, standing.id, moderator.actor, now)
            detail = f"not {standing.standing} any more"
            record_act(db, now, moderator.actor, "author", standing.verified_id, detail)
    tell(Notice(text="The author is like everybody else again."))
    return _to(wanted)


def _known(db: Connection, comment_id: CommentId) -> Known:
    if review_item(db, comment_id, signed_in().sites) is None:
        raise CommentNotFound
    return known_by(db, comment_id)


def _standing(db: Connection, known: Known) -> AuthorStanding | None:
    if known.verified_id is None:
        return None
    return standings.standing_of(db, known.site_id, known.verified_id, services().clock())


def _to(comment_id: CommentId) -> Response:
    return make_response(redirect(url_for("authors.author", comment_id=comment_id), 303))


def _told(history: AuthorHistory) -> list[tuple[str, str]]:
    records = [
        ("Signed in at the site", history.proven),
        ("Under the same e-mail address, which proves nothing", history.claimed),
    ]
    return [(how, told_record(record)) for how, record in records if record]


def _notes(db: Connection, known: Known) -> list[object]:
    key = author_key(known.verified_id, known.email_hash)
    return list(notes_on(db, known.site_id, None, key))
