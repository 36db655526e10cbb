"""Hooks for schemathesis that make made-up comments plausible.

JSON Schema cannot say what an e-mail address is, nor that text holds no control
characters. A value that the schema allows is replaced by one that the service
allows too, so that more than the checks of fields is tried; a value that the
schema forbids stays as it is.
"""

from typing import Any

import schemathesis

_PLAUSIBLE: dict[str, Any] = {
    "thread": {"id": "a-thread", "url": "https://news.example/a-thread", "title": "A thread"},
    "author": {
        "name": "Ada",
        "email": "ada@mail.example",
        "url": "https://ada.example/",
        "ip": "192.0.2.7",
    },
    "form_opened_at": "2026-11-24T09:00:00Z",
}
_LIMITS = {"name": 245, "email": 254, "url": 2_048, "title": 500, "id": 200, "ip": 64}
_LONGEST = 30_000


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """Return a comment that the service accepts if the schema does."""
    if isinstance(body, dict) and "body" in body and isinstance(body.get("thread"), dict):
        return {name: _better(name, value) for name, value in body.items()} | _missing(body)
    return body


@schemathesis.hook
def map_headers(context: schemathesis.HookContext, headers: Any) -> Any:
    """Return the headers without an Idempotency-Key of characters that none has."""
    key = (headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and not (key.isascii() and key.isalnum()):
        return {name: value for name, value in headers.items() if name != "Idempotency-Key"}
    return headers


def _missing(body: dict[str, Any]) -> dict[str, Any]:
    return {} if "author" in body else {"author": _PLAUSIBLE["author"]}


def _better(name: str, value: Any) -> Any:
    known = _PLAUSIBLE.get(name)
    if isinstance(known, dict) and isinstance(value, dict):
        given = {field: _field(field, inner, known) for field, inner in value.items()}
        return {field: known[field] for field in known if field not in value} | given
    if name == "parent_id" and isinstance(value, str) and 0 < len(value) <= 64:
        return None
    if name == "body" and isinstance(value, str) and len(value) < _LONGEST:
        return _printable(value)
    return known if known and isinstance(value, str) else value


def _field(name: str, value: Any, known: dict[str, Any]) -> Any:
    allowed = value is None and name in ("id", "url", "ip")
    if isinstance(value, str):
        allowed = len(value) <= _LIMITS.get(name, 0) and (name != "id" or value != "")
    if not allowed or name not in known:
        return value
    return value if value and name == "id" and value.isascii() and value.isalnum() else known[name]


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable()) or "A plausible remark."
