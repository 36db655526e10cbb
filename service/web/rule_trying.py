"""The try box: a made-up comment, and what the rules say of it."""

from typing import Literal
from uuid import UUID

from flask import Blueprint, Response, make_response, request
from pydantic import BaseModel, ConfigDict, Field

from service.domain.comment import CommentId
from service.domain.decision import Role
from service.domain.errors import CommentNotFound, RulesetNotFound
from service.storage.reviewing import review_item
from service.web.cards import CATEGORIES, Finding, finding_of
from service.web.chrome import entered
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors
from service.web.rules import TryIn
from service.web.ruling import REFUSALS, refusal, rules_page
from service.web.schemas import validate

bp = Blueprint("rule_trying", __name__, url_prefix="/review/rules/try")
bp.before_request(guard)
html_errors(bp)


class TryForm(BaseModel):
    """A made-up comment, as a form sends it."""

    model_config = ConfigDict(extra="ignore")

    text: str = ""
    name: str = ""
    email: str = ""
    url: str = ""
    reply: Literal["on"] | None = None
    approved: int = Field(0, ge=0, le=1_000_000)

    @property
    def wanted(self) -> TryIn:
        """The same as the API takes it."""
        plain = self.model_dump(include={"text", "name", "email", "url"})
        plain["text"] = self.text.replace("\r\n", "\n")
        author = {"approved": self.approved}
        return validate(TryIn, {**plain, "reply": self.reply == "on", "author": author})


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: UUID | None = None


@bp.get("")
def form() -> str:
    """An empty box, or one with a stored comment in it."""
    require(Role.SENIOR)
    query = validate(_Query, request.args.to_dict())
    return _shown(_like(query.comment) if query.comment else TryForm())


@bp.post("")
def try_out() -> Response:
    """The verdict on what was entered; nothing is kept."""
    require(Role.SENIOR)
    said = validate(TryForm, entered())
    if not said.text:
        return make_response(_shown(said, error="Please enter a text."), 422)
    try:
        found = verdict_on(said.wanted)
    except REFUSALS as error:
        status, words = refusal(error)
        return make_response(_shown(said, error=words), status)
    except RulesetNotFound:
        return make_response(_shown(said, error="No rules are live yet."), 404)
    return make_response(_shown(said, found))


def verdict_on(wanted: TryIn) -> Finding:
    """Return what a ruleset says of a made-up comment, ready to be shown."""
    verdict = services().rulesets.try_out(wanted.case, wanted.draft, wanted.base)
    return finding_of(verdict, body=wanted.text, name=wanted.name, url=wanted.url)


def _shown(said: TryForm, finding: Finding | None = None, error: str = "") -> str:
    return rules_page(
        "rule_try.html", said=said, finding=finding, error=error, categories=CATEGORIES
    )


def _like(comment_id: UUID) -> TryForm:
    with services().store.read() as db:
        item = review_item(db, CommentId(str(comment_id)), signed_in().sites)
    if item is None:
        raise CommentNotFound
    author = item.comment.author
    return TryForm(
        text=item.comment.body,
        name=author.name,
        email=author.email,
        url=author.url,
        reply="on" if item.comment.parent_id else None,
    )
