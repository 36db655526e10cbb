"""What is told of every request: an id, one log line, and its time."""

import re
from random import getrandbits
from time import perf_counter

import structlog
from flask import Flask, Response, g, request
from flask.globals import request_ctx
from structlog.contextvars import bind_contextvars, clear_contextvars

from service import metrics

REQUEST_ID_HEADER = "X-Request-ID"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: What is asked every few seconds says nothing worth a line.
_QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})

log = structlog.get_logger(__name__)


def init_app(app: Flask) -> None:
    """Give each request an id; log and count it when it is answered.

    A caller's X-Request-ID is taken over if it is well-formed. The id is
    `g.request_id`, stands in every line that the request causes, and goes back
    to the caller. Register this before anything else, so that it sees every
    request and the final answer.
    """
    app.before_request(_begin)
    app.after_request(_end)


def seconds_since_arrival() -> float:
    """Return for how long the present request has been here; its body may have come later."""
    started: float = g.telemetry[0]
    return perf_counter() - started


def _begin() -> None:
    given = request.environ.get("HTTP_X_REQUEST_ID", "")
    name = given if _REQUEST_ID.fullmatch(given) else f"{getrandbits(64):016x}"
    g.telemetry = perf_counter(), name
    g.request_id = name
    clear_contextvars()
    bind_contextvars(request_id=name)


def _end(response: Response) -> Response:
    started, name = g.telemetry
    seconds = perf_counter() - started
    response.headers[REQUEST_ID_HEADER] = name
    received = request_ctx.request
    # The rule, not the path: paths carry receipts and other private tokens.
    route = received.url_rule.rule if received.url_rule else "unmatched"
    method, status = received.method, response.status_code
    metrics.count_request(route, method, status, seconds)
    write = log.debug if route in _QUIET_ROUTES else log.info
    write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))
    return response
