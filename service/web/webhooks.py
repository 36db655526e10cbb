"""Webhooks in the review console: what websites were told, and sending it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from flask import Blueprint, Response, make_response, redirect, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import Forbidden

from service.domain.decision import Role
from service.domain.webhook import Delivery, Endpoint, Message, MessageState
from service.storage import outbox
from service.web.answers import read_query
from service.web.chrome import entered, page, tell
from service.web.context import services
from service.web.login import guard, signed_in
from service.web.pages import html_errors
from service.web.schemas import OneLine, validate

bp = Blueprint("webhooks", __name__)
bp.before_request(guard)
html_errors(bp)

_PAGE_SIZE = 50
_LARGEST_ID = 2**62


class LogQuery(BaseModel):
    """Which messages are wanted; what is left out filters nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: MessageState | None = None
    to: int | None = Field(None, ge=1, le=_LARGEST_ID)


class _Again(BaseModel):
    message: Annotated[OneLine, Field(max_length=40)] | None = None
    endpoint: int | None = Field(None, ge=1, le=_LARGEST_ID)


@dataclass(frozen=True, slots=True)
class Line:
    """A message with every attempt to deliver it."""

    message: Message
    attempts: Sequence[Delivery]


@bp.before_request
def _admins_only() -> None:
    if signed_in().role is not Role.ADMIN:
        raise Forbidden("Only admins see what websites are told.")


@bp.get("/review/webhooks")
def log() -> str:
    """Every endpoint and how it does; the newest messages with their attempts."""
    query = read_query(LogQuery)
    with services().store.read() as db:
        endpoints, counts = outbox.list_endpoints(db), outbox.counts_by_state(db)
        messages = outbox.list_messages(
            db, state=query.state, endpoint_id=query.to, limit=_PAGE_SIZE
        )
        attempts = outbox.deliveries_of(db, [message.id for message in messages])
    return page(
        "webhooks.html",
        query=query,
        endpoints=endpoints,
        counts=counts,
        urls=_urls(endpoints),
        lines=[Line(message, attempts[message.id]) for message in messages],
        states=list(MessageState),
    )


@bp.post("/review/webhooks/resend")
def resend() -> Response:
    """Send one message again, or all that were given up for an endpoint."""
    wanted = validate(_Again, entered())
    count = 0
    if wanted.message or wanted.endpoint:
        with services().store.write() as db:
            count = outbox.send_again(
                db, services().clock(), key=wanted.message, endpoint_id=wanted.endpoint
            )
    text = f"{count} to be sent again." if count else "There is nothing to send again."
    tell({"text": text, "alarming": not count})
    return make_response(redirect(url_for("webhooks.log"), 303))


def _urls(endpoints: Sequence[Endpoint]) -> dict[int, str]:
    return {endpoint.id: endpoint.url for endpoint in endpoints}
