"""Headers that every answer carries, and who may read answers from other origins."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request

from service.settings import Settings
from service.web.context import services

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)

#: Where browsers post with a site's public key.
_CROSS_ORIGIN_ENDPOINTS = frozenset({"intake.submit", "reports.report"})


def content_policy(*form_origins: str) -> str:
    """Return the Content-Security-Policy of pages whose forms lead to `form_origins` too.

    A redirect after a form counts as where the form leads.
    """
    return _POLICY.format(forms=" ".join(("'self'", *form_origins)))


_HEADERS = [
    ("Content-Security-Policy", content_policy()),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
]
_ENCRYPTED = ("Strict-Transport-Security", "max-age=31536000")
_UNCACHED = ("Cache-Control", "no-store")

_Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def init_app(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer of `app`."""
    secure = settings.base_url.startswith("https://")
    headers = [*_HEADERS, _ENCRYPTED] if secure else _HEADERS
    static = f"{app.static_url_path}/"
    app.wsgi_app = _hardened(app.wsgi_app, headers, static)  # type: ignore[assignment,method-assign]
    app.after_request(_share)


def _hardened(
    application: _Application, headers: list[tuple[str, str]], static: str
) -> _Application:
    """Return `application` with `headers` in every answer that does not set its own.

    Added to the finished answer, as a plain list: each header that Flask's own
    answers hold is checked and copied three times.
    """
    added = [(name.lower(), (name, value)) for name, value in headers]
    uncached = [*added, (_UNCACHED[0].lower(), _UNCACHED)]

    def hardened(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        wanted = added if environ["PATH_INFO"].startswith(static) else uncached

        def start(status: str, answered: list[tuple[str, str]], *error: Any) -> Any:
            present = {name.lower() for name, _ in answered}
            answered += [header for name, header in wanted if name not in present]
            return start_response(status, answered, *error)

        return application(environ, start)

    return hardened


def _share(response: Response) -> Response:
    """Let the pages of known sites read the answers to what they post."""
    origin = request.environ.get("HTTP_ORIGIN")
    if not origin or request.endpoint not in _CROSS_ORIGIN_ENDPOINTS:
        return response
    response.vary.add("Origin")
    if services().keys.knows_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = (
                "Authorization, Content-Type, Idempotency-Key"
            )
            response.headers["Access-Control-Max-Age"] = "600"
    return response
