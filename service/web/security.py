"""Headers that every answer carries, and who may read answers from other origins."""

from flask import Flask, Response, request

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


_HEADERS = (
    ("Content-Security-Policy", content_policy()),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_ENCRYPTED_HEADERS = (*_HEADERS, ("Strict-Transport-Security", "max-age=31536000"))


def init_app(app: Flask) -> None:
    """Add the headers to every answer of `app`."""
    app.after_request(_harden)
    app.after_request(_share)


def _harden(response: Response) -> Response:
    present = {name.lower() for name, _ in response.headers}
    secure = services().settings.base_url.startswith("https://")
    for name, value in _ENCRYPTED_HEADERS if secure else _HEADERS:
        if name.lower() not in present:
            response.headers.add(name, value)
    if "cache-control" not in present and request.endpoint != "static":
        response.headers.add("Cache-Control", "no-store")
    return response


def _share(response: Response) -> Response:
    """Let the pages of known sites read the answers to what they post."""
    origin = request.headers.get("Origin")
    if request.endpoint not in _CROSS_ORIGIN_ENDPOINTS or not origin:
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
