"""Errors as answers: RFC 9457 problem documents, everywhere the same."""

from dataclasses import asdict
from http import HTTPStatus
from inspect import getdoc
from typing import Any, NamedTuple

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from service import metrics
from service.domain import errors
from service.web.context import receipt_url

log = structlog.get_logger(__name__)

#: Error class -> (status, kind, title). The kind is the last part of the
#: problem's `type`, which leads to its paragraph on the documentation page.
_ANSWERS: dict[type[errors.ModerationError], tuple[int, str, str]] = {
    errors.InvalidSubmission: (422, "invalid", "Some fields are not valid"),
    errors.CommentNotFound: (404, "comment-not-found", "There is no such comment"),
    errors.ThreadNotFound: (404, "thread-not-found", "There is no such site or thread"),
    errors.ParentNotFound: (404, "parent-not-found", "The comment replied to does not exist"),
    errors.ParentNotApproved: (
        409,
        "parent-not-approved",
        "Only approved comments can be replied to",
    ),
    errors.ThreadClosed: (403, "thread-closed", "This thread takes no more comments"),
    errors.DuplicateComment: (409, "duplicate", "This comment was sent before"),
    errors.IdempotencyKeyReused: (
        422,
        "idempotency-key-reused",
        "This Idempotency-Key was used with another body",
    ),
    errors.ExternalIdTaken: (409, "external-id-taken", "This external_id has other content"),
    errors.DecisionConflict: (409, "decision-conflict", "Somebody else decided first"),
    errors.PersonNotFound: (404, "person-not-found", "There is no such moderator"),
    errors.LoginTaken: (409, "login-taken", "This login name is taken"),
    errors.LastAdmin: (409, "last-admin", "One admin must remain"),
    errors.NotWithdrawable: (409, "not-withdrawable", "It is too late to withdraw this comment"),
    errors.RateLimited: (429, "rate-limited", "Too many requests"),
    errors.InvalidRuleset: (422, "ruleset-invalid", "The ruleset has mistakes"),
    errors.RulesetConflict: (409, "ruleset-conflict", "Somebody else published a ruleset"),
    errors.RulesetNotAllowed: (403, "ruleset-not-allowed", "This change takes an admin"),
    errors.RulesetNotFound: (404, "ruleset-not-found", "There is no such ruleset"),
    errors.TrialNotFound: (404, "trial-not-found", "There is no such trial"),
    errors.SiteNotFound: (404, "site-not-found", "There is no such site"),
    errors.LearnerNotProven: (409, "learner-not-proven", "The learner has not proved itself"),
    errors.CheckUnavailable: (503, "check-unavailable", "No verdict could be had in time"),
    errors.StoreUnavailable: (503, "store-unavailable", "The database is away"),
}

_RETRY_SECONDS = "5"
#: Where comments come in: what is refused there is counted.
_DOOR = "intake.submit"


class Kind(NamedTuple):
    """One kind of problem, for the documentation to tell of."""

    name: str
    status: int
    title: str
    meaning: str


def kinds() -> list[Kind]:
    """Return every kind of problem that has a name."""
    return [
        Kind(name, status, title, (getdoc(error) or "").partition("\n\n")[0])
        for error, (status, name, title) in _ANSWERS.items()
    ]


def problem(
    status: int,
    title: str | None = None,
    detail: str | None = None,
    *,
    kind: str | None = None,
    headers: dict[str, str] | None = None,
    **extensions: Any,
) -> Response:
    """Return a problem document; `extensions` become members of it."""
    body: dict[str, Any] = {
        "type": f"/docs#{kind}" if kind else "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
    }
    if detail:
        body["detail"] = detail
    response = jsonify(body | extensions)
    response.status_code = status
    response.mimetype = "application/problem+json"
    response.headers.update(headers or {})
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", 'Bearer realm="anteroom"')
    return response


def problem_for(error: errors.ModerationError) -> Response:
    """Return the problem document that tells of `error`."""
    status, kind, title = _ANSWERS[type(error)]
    _count(kind)
    return problem(status, title, kind=kind, headers=_headers(error), **_members(error))


def as_problem(error: errors.ModerationError | HTTPException) -> Response:
    """Return the problem document that tells of `error`, whoever raised it."""
    if isinstance(error, errors.ModerationError):
        return problem_for(error)
    return _http_problem(error)


def init_app(app: Flask) -> None:
    """Answer every error of `app` with a problem document."""
    app.register_error_handler(errors.ModerationError, problem_for)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _unexpected)


def _count(reason: str) -> None:
    if request.endpoint == _DOOR:
        metrics.count_refused(reason)


def _members(error: errors.ModerationError) -> dict[str, Any]:
    if isinstance(error, errors.InvalidSubmission):
        listed = [{"pointer": e.pointer, "detail": e.detail} for e in error.errors]
        return {"errors": listed}
    if isinstance(error, errors.DecisionConflict):
        return {
            "comment_id": error.comment_id,
            "current_status": error.status,
            "current_version": error.version,
            "decided_by": error.decided_by,
        }
    if isinstance(error, errors.NotWithdrawable):
        return {"current_status": error.status}
    if isinstance(error, errors.DuplicateComment) and error.first:
        return {"id": error.first, "receipt_url": receipt_url(error.first)}
    if isinstance(error, errors.InvalidRuleset):
        return {"problems": [asdict(problem) for problem in error.problems]}
    if isinstance(error, errors.RulesetConflict):
        return {"current_version": error.number, "published_by": error.author}
    if isinstance(error, errors.RateLimited):
        return {"violated_policies": [error.policy]}
    return {}


def _headers(error: errors.ModerationError) -> dict[str, str]:
    if isinstance(error, errors.RateLimited):
        return {
            "Retry-After": str(error.retry_after),
            "RateLimit-Policy": f'"{error.policy}";q={error.limit};w={error.window}',
            "RateLimit": f'"{error.policy}";r=0;t={error.retry_after}',
        }
    if isinstance(error, errors.StoreUnavailable | errors.CheckUnavailable):
        return {"Retry-After": _RETRY_SECONDS}
    return {}


def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    kept = ("Allow", "WWW-Authenticate", "Retry-After", "Location")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    if 300 <= status < 400:
        return Response(status=status, headers=headers)
    _count(f"http-{status}")
    return problem(status, detail=error.description, headers=headers)


def _unexpected(error: Exception) -> Response:
    log.exception("unexpected error", error=type(error).__name__)
    return problem(500, detail="Something broke on our side; the log knows the request id.")
