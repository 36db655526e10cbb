"""Receipts: where an author sees what becomes of a comment, and takes it back.

The token in the address is the whole proof, so nothing of these pages is kept
by browsers or proxies, found by search engines or told to other sites.
"""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from pydantic import BaseModel, Field

from service.domain.comment import WITHDRAWABLE, Comment, CommentId, Status
from service.domain.errors import CommentNotFound
from service.domain.site import Site
from service.domain.verdict import ENGINE
from service.storage.comments import comment_by_id, verdict_of
from service.storage.sites import site_by_slug
from service.web.answers import answer
from service.web.context import services
from service.web.openapi import documented
from service.web.pages import html_errors

bp = Blueprint("receipts", __name__)

_MESSAGES = {
    Status.PENDING: "Your comment has arrived and awaits moderation. It is checked first; if a"
    " person has to look at it, that can take a while.",
    Status.APPROVED: "Your comment is published.",
    Status.HELD: "Your comment waits for a person to read it. That can take a while, so no time"
    " can be promised. It appears if they find nothing against it.",
    Status.REJECTED: "A moderator read your comment and decided not to publish it.",
    Status.SPAM: "A moderator read your comment and took it for advertising. It will not appear.",
    Status.WITHDRAWN: "You took this comment back. It will not appear, and nobody reviews it.",
    Status.ERASED: "This comment was erased. Nothing of it is kept.",
}

#: Why a person looks first, by the category of reasons; never which rule, which
#: would tell those who want to get around it.
_WAITS_BECAUSE = {
    "spam": "Comments that could be advertising, such as those with links from new writers, are"
    " read by a person first.",
    "abuse": "Comments with words that often hurt somebody are read by a person first.",
    "policy": "On this site a person reads every comment before it appears.",
    ENGINE: "This comment could not be checked automatically, so a person reads it first.",
}
_WAITS_ANYHOW = "Some comments are read by a person before they appear."


class ReceiptOut(BaseModel):
    """What an author may know of a comment's fate."""

    id: str
    status: str
    message: str = Field(description="What that means and what happens next, in plain words")
    house_rule: str | None = Field(
        description="For held comments the kind of comment that waits for a person"
    )
    can_withdraw: bool = Field(description="Whether the author may still take it back")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A comment as its author sees it."""

    comment: Comment
    site: Site
    house_rule: str | None

    @property
    def message(self) -> str:
        """What the status means and what happens next."""
        return _MESSAGES[self.comment.status]

    @property
    def can_withdraw(self) -> bool:
        """Whether the author may still take it back."""
        return self.comment.status in WITHDRAWABLE


@bp.get("/v1/receipts/<token>")
@documented("See what became of a comment", responses={200: ReceiptOut}, tags=["Receipts"])
def show(token: str) -> Response:
    """A page for browsers, JSON for everybody else."""
    return _shown(token, opened_receipt(token))


@bp.post("/v1/receipts/<token>/withdraw")
@documented(
    "Take a comment back",
    responses={200: ReceiptOut, 303: None},
    problems=(409,),
    tags=["Receipts"],
)
def withdraw(token: str) -> Response:
    """Withdraw a comment that is pending or held; doing so twice is no mistake.

    Browsers are led back to the receipt.
    """
    services().moderation.withdraw(_comment_id(token))
    if wants_page():
        return make_response(redirect(url_for("receipts.show", token=token), 303))
    return _shown(token, opened_receipt(token))


@bp.after_request
def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.vary.add("Accept")
    return response


def opened_receipt(token: str) -> Receipt:
    """Return what the receipt's holder may see; raises CommentNotFound for a made-up token."""
    comment_id = _comment_id(token)
    with services().store.read() as db:
        comment = comment_by_id(db, comment_id)
        if comment is None:
            raise CommentNotFound
        site = site_by_slug(db, comment.site_slug)
        held = comment.status is Status.HELD
        verdict = verdict_of(db, comment_id) if held else None
    assert site is not None, "a comment belongs to a site"
    return Receipt(comment, site, _house_rule(verdict or {}) if held else None)


def wants_page() -> bool:
    """Whether the request comes from somebody who reads HTML rather than JSON."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


html_errors(bp, when=wants_page)


def _comment_id(token: str) -> CommentId:
    comment_id = services().keyring.open_receipt(token)
    if comment_id is None:
        raise CommentNotFound
    return comment_id


def _house_rule(verdict: dict[str, dict[str, dict[str, int]]]) -> str:
    """Return in plain words why this kind of comment waits."""
    totals = verdict.get("totals", {})
    over = [name for name, total in totals.items() if total["points"] >= total["hold_at"]]
    known = [_WAITS_BECAUSE[name] for name in over if name in _WAITS_BECAUSE]
    return known[0] if known else _WAITS_ANYHOW


def _shown(token: str, receipt: Receipt) -> Response:
    if wants_page():
        return make_response(render_template("receipt.html", receipt=receipt, token=token))
    return answer(
        ReceiptOut(
            id=receipt.comment.id,
            status=receipt.comment.status,
            message=receipt.message,
            house_rule=receipt.house_rule,
            can_withdraw=receipt.can_withdraw,
        )
    )
