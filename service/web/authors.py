"""An author's page: everything known under one identity on one site."""

from uuid import UUID

from flask import Blueprint
from sqlalchemy import Connection

from service.domain.comment import CommentId
from service.domain.errors import CommentNotFound
from service.storage.authors import Known, comments_of, known_by
from service.storage.notes import author_key, notes_on
from service.storage.reviewing import AuthorHistory, author_history, review_item
from service.web.cards import told_record
from service.web.chrome import page
from service.web.console import LANES, person
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors

bp = Blueprint("authors", __name__, url_prefix="/review/authors")
bp.before_request(guard)
html_errors(bp)

_COMMENTS_SHOWN = 50


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
        return page(
            "author.html",
            comment=item.comment,
            known=known,
            record=_told(history),
            rows=comments_of(db, known, limit=_COMMENTS_SHOWN),
            notes=_notes(db, known),
            lanes=LANES,
            person=person,
        )


def _told(history: AuthorHistory) -> list[tuple[str, str]]:
    records = [
        ("Signed in at the site", history.proven),
        ("Under the same e-mail address, which proves nothing", history.claimed),
    ]
    return [(how, told_record(record)) for how, record in records if record]


def _notes(db: Connection, known: Known) -> list[object]:
    key = author_key(known.verified_id, known.email_hash)
    return list(notes_on(db, known.site_id, None, key))
