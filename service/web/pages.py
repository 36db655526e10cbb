"""What all pages for people share: how times read, and errors as pages."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, Flask, Response, make_response, render_template
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from service.domain.errors import ModerationError
from service.web.context import services
from service.web.problems import as_problem
from service.web.rendering import body_to_html, pieces

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_KEPT_HEADERS = ("Retry-After", "RateLimit", "RateLimit-Policy", "Allow")


def init_app(app: Flask) -> None:
    """Give templates the filters they use."""
    for shown_as in (age, ago, instant, as_html, pieces):
        app.add_template_filter(shown_as)


def html_errors(blueprint: Blueprint, when: Callable[[], bool] = lambda: True) -> None:
    """Let the blueprint's errors be pages instead of problem documents, where `when` says so."""

    def as_answer(error: ModerationError | HTTPException) -> Response:
        return as_page(error) if when() else as_problem(error)

    blueprint.register_error_handler(ModerationError, as_answer)
    blueprint.register_error_handler(HTTPException, as_answer)


def as_page(error: ModerationError | HTTPException) -> Response:
    """Return a page that tells of `error`, with the status that a problem document has."""
    if isinstance(error, HTTPException) and error.code and error.code < 400:
        return make_response(error.get_response())
    told = as_problem(error)
    document = told.get_json()
    page = render_template(
        "problem.html", title=document["title"], detail=document.get("detail"),
        errors=document.get("errors", []),
    )  # fmt: skip
    response = make_response(page, told.status_code)
    for name in _KEPT_HEADERS:
        if name in told.headers:
            response.headers[name] = told.headers[name]
    return response


def own_page(wanted: str) -> str | None:
    """Return the path, if it is one of the console's: never another website's address."""
    return wanted if wanted.isprintable() and wanted.startswith("/review") else None


def age(moment: datetime) -> str:
    """Return how long ago that was: "3 hours", "under a minute"."""
    seconds = (services().clock() - moment).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "under a minute"


def ago(moment: datetime) -> str:
    """Return when that was: "3 hours ago", "just now"."""
    return "just now" if (told := age(moment)) == "under a minute" else f"{told} ago"


def instant(moment: datetime) -> str:
    """Return a time as people write it, in UTC: "24 November 2026, 09:05 UTC"."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def as_html(body: str) -> Markup:
    """Return a comment's text as safe HTML that templates do not escape again."""
    return Markup(body_to_html(body))  # noqa: S704  # nh3 was its last gate
