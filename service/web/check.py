"""`POST /v1/check`: the verdict on a text now, and nothing kept of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from pydantic import BaseModel

from service.domain.errors import CheckUnavailable
from service.domain.payload import submission_to_json
from service.web.callers import require_server_key
from service.web.context import services
from service.web.intake import read_submission
from service.web.openapi import documented
from service.web.schemas import CommentIn, strict_json
from service.web.verdicts import VerdictOut

bp = Blueprint("check", __name__)

_SEATS = "anteroom.check_seats"


class CheckOut(BaseModel):
    """The verdict on a text that was stored nowhere."""

    status: str
    verdict: VerdictOut


@bp.record
def _set_seats(state: BlueprintSetupState) -> None:
    """Let at most half of the threads wait for checks, so that intake never starves."""
    seats = max(1, state.options.get("web_threads", 2) // 2)
    state.app.extensions[_SEATS] = BoundedSemaphore(seats)


@bp.post("/v1/check")
@documented(
    "Judge a text without keeping it",
    request=CommentIn,
    responses={200: CheckOut},
    problems=(413, 415, 503),
    security="server",
    tags=["Comments"],
)
def check() -> Response:
    """Return the verdict for this text now.

    Nothing is kept: no row, no counter moves, no duplicate is looked for.
    """
    needed = services()
    caller = require_server_key(needed)
    submission = read_submission(caller, strict_json(request))
    payload = {"site_id": caller.site.id, "submission": submission_to_json(submission)}
    with check_seat():
        return jsonify(needed.jobs.check(payload))


@contextmanager
def check_seat() -> Iterator[None]:
    """Let the block wait for a worker; raise CheckUnavailable where too many do so already."""
    seats: BoundedSemaphore = current_app.extensions[_SEATS]
    if not seats.acquire(blocking=False):
        raise CheckUnavailable("too many checks wait already")
    try:
        yield
    finally:
        seats.release()
