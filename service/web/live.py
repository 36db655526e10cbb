"""Live counts: the console hears that something happened, by stream, and asks what.

At most four streams a web process, so that open consoles never take the
threads that comments come in by; everybody else asks every few seconds and
mostly hears "not modified".
"""

import json
import time
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore, Lock

from flask import Blueprint, Response, make_response, request
from pydantic import BaseModel, ConfigDict, Field

from service.domain.decision import Moderator
from service.domain.errors import ModerationError
from service.domain.lane import Lane
from service.keyring import digest
from service.stopping import stopping
from service.storage.lanes import lane_counts
from service.storage.live import arrived_since, newest_event
from service.storage.people import moderator_by_token
from service.web.context import Services, services
from service.web.login import guard, session_token, signed_in
from service.web.pages import html_errors
from service.web.schemas import OneLine, validate

bp = Blueprint("live", __name__, url_prefix="/review/live")
bp.before_request(guard)
html_errors(bp)

_MOST_STREAMS = 4
_LOOK_SECONDS = 1.0
#: Something is sent at least so often: only then it shows that nobody listens.
_PING_SECONDS = 5.0
#: Then the browser connects anew, with a session that still holds.
_STREAM_SECONDS = 120.0
_streams = BoundedSemaphore(_MOST_STREAMS)


class Query(BaseModel):
    """What the page shows, and the newest event it knows."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    lane: Lane = Lane.REVIEW
    site: OneLine | None = Field(None, max_length=64)
    seen: int = Field(0, ge=0, lt=2**62)


class _Slot:
    """One of the streams that may be open; given back once, by whoever ends it first."""

    def __init__(self) -> None:
        self._open = _streams.acquire(blocking=False)
        self._lock = Lock()

    @property
    def free(self) -> bool:
        """Whether there was one left."""
        return self._open

    def give_back(self) -> None:
        """Let somebody else have it."""
        with self._lock:
            if self._open:
                self._open = False
                _streams.release()


@bp.get("")
def poll() -> Response:
    """The counts as they are, or that nothing happened since the page last asked."""
    needed, query = services(), validate(Query, request.args.to_dict())
    with needed.store.read() as db:
        newest = newest_event(db)
    tag = f"{newest}-{query.seen}-{query.lane}"
    if tag in request.if_none_match:
        answer = make_response("", 304)
    else:
        answer = make_response(_told(needed, signed_in(), query))
        answer.mimetype = "application/json"
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "no-cache, private"
    return answer


@bp.get("/stream")
def stream() -> Response:
    """The newest event's number whenever there is one; 204 where too many streams are open.

    To a browser 204 says not to try again.
    """
    slot = _Slot()
    if not slot.free:
        return make_response("", 204)
    events = _events(services(), digest(session_token() or ""), slot.give_back)
    answer = Response(events, mimetype="text/event-stream")
    answer.call_on_close(slot.give_back)
    answer.headers["Cache-Control"] = "no-store"
    # Proxies must hand each event on, not collect them.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


def _events(needed: Services, session: str, give_back: Callable[[], None]) -> Iterator[str]:
    known, told_at, ends_at = -1, time.monotonic(), time.monotonic() + _STREAM_SECONDS
    try:
        yield "retry: 3000\n\n"
        while time.monotonic() < ends_at:
            with needed.store.read() as db:
                newest = newest_event(db)
                moderator = moderator_by_token(db, session, needed.clock(), kind="session")
            if moderator is None:
                return
            if newest != known:
                known, told_at = newest, time.monotonic()
                yield f"data: {newest}\n\n"
            elif time.monotonic() - told_at > _PING_SECONDS:
                told_at = time.monotonic()
                yield ": nothing new\n\n"
            if stopping.wait(_LOOK_SECONDS):
                return
    except ModerationError:
        return  # the database is away: the browser comes back by itself
    finally:
        give_back()


def _told(needed: Services, moderator: Moderator, query: Query) -> str:
    with needed.store.read() as db:
        counts = lane_counts(db, moderator.sites, query.site)
        new = arrived_since(db, query.lane, query.seen, moderator.sites, query.site)
    return json.dumps(
        {
            "new": new,
            "counts": {
                lane: "10,000+" if count.more else f"{count.count:,}"
                for lane, count in counts.items()
            },
        }
    )
