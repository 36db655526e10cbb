"""What Akismet clients send: odd forms, read generously and made into a comment.

Nothing is refused for its shape: whatever a website shows its readers has to be
judged, so what does not fit is cut to what does.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import BadRequest

from service.domain.comment import (
    MAX_BODY_BYTES,
    MAX_EMAIL_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_THREAD_KEY_CHARACTERS,
    MAX_URL_CHARACTERS,
    Author,
    Submission,
    ThreadRef,
)
from service.web.callers import normal_address
from service.web.schemas import read_body, refuse_encoded

Fields = Mapping[str, str]

_MOST_FIELDS = 2_000
_MAX_HEADER_CHARACTERS = 512
_HOST_KEY = re.compile(r"([0-9a-f]{12})\.")
_KEY = re.compile(r"[0-9a-f]{12}")
_YES = frozenset({"1", "true", "yes"})
#: All but TAB and newline: no text holds them, and PostgreSQL refuses one of them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
#: A text in which every quote and backslash is escaped, as PHP programs do.
_SLASHED = re.compile(r"""(?:[^\\'"]|\\[\\'"0])*""")
_SLASH = re.compile(r"\\(.)", re.DOTALL)
_THREAD_PREFIX = "akismet:"
#: What WordPress numbers its signed-in writers by; 0 are all others.
_USER_IDS = ("user_ID", "user_id")


def read_fields(received: Request) -> dict[str, str]:
    """Return the fields of body and query string; of those given twice the last.

    Aborts with 400, 413 or 415 for bodies that are cut off, too large or packed,
    and with 400 for one with thousands of fields.
    """
    refuse_encoded(received)
    fields = dict(received.args)
    if received.mimetype == "multipart/form-data":
        return fields | dict(received.form)
    charset = received.mimetype_params.get("charset", "utf-8")
    body = read_body(received).decode("latin-1")
    return fields | dict(_pairs(body, charset))


def key_of(received: Request, fields: Fields) -> str | None:
    """Return the key, wherever the client puts it; None if that is none."""
    host = _HOST_KEY.match(received.host.lower())
    given = fields.get("api_key") or fields.get("key") or (host[1] if host else "")
    return given if _KEY.fullmatch(given) else None


def says_yes(fields: Fields, name: str) -> bool:
    """Whether the client switched something on."""
    return fields.get(name, "").strip().lower() in _YES


def roles(fields: Fields) -> set[str]:
    """Return the roles that the writer has at the website."""
    return {role.strip().lower() for role in fields.get("user_role", "").split(",")}


def to_submission(fields: Fields) -> Submission:
    """Return the comment that the fields describe."""
    page = _line(fields, "permalink", MAX_URL_CHARACTERS) or _line(
        fields, "blog", MAX_URL_CHARACTERS
    )
    author = Author(
        name=unslashed(_line(fields, "comment_author", MAX_NAME_CHARACTERS)),
        email=_line(fields, "comment_author_email", MAX_EMAIL_CHARACTERS),
        url=_line(fields, "comment_author_url", MAX_URL_CHARACTERS),
        ip=normal_address(fields.get("user_ip", "").strip()),
        user_agent=_line(fields, "user_agent", _MAX_HEADER_CHARACTERS),
        referrer=_line(fields, "referrer", _MAX_HEADER_CHARACTERS),
        verified_id=_verified_id(fields),
    )
    return Submission(
        thread=ThreadRef(key=_thread_key(page), url=page, title=page),
        author=author,
        body=_body(fields),
        honeypot_filled=_honeypot_filled(fields),
    )


def identity_of(submission: Submission) -> tuple[str, ...]:
    """Return what makes two calls speak of one comment, however they slash and space it."""
    author = submission.author
    parts = (author.name, author.email.lower(), submission.body)
    return tuple(" ".join(part.replace("\\", "").split()) for part in parts)


def unslashed(text: str) -> str:
    """Return the text without PHP's escapes, if it is escaped throughout."""
    if "\\" in text and _SLASHED.fullmatch(text):
        return _SLASH.sub(r"\1", text)
    return text


def _pairs(body: str, charset: str) -> list[tuple[str, str]]:
    if body.count("&") >= _MOST_FIELDS:
        raise BadRequest(f"There are more than {_MOST_FIELDS} fields.")
    given = {"keep_blank_values": True, "errors": "replace"}
    try:
        return parse_qsl(body, encoding=charset, **given)  # type: ignore[arg-type]
    except LookupError:
        return parse_qsl(body, encoding="utf-8", **given)  # type: ignore[arg-type]


def _line(fields: Fields, name: str, longest: int) -> str:
    text = _CONTROL.sub(" ", fields.get(name, ""))
    return " ".join(text.split())[:longest]


def _body(fields: Fields) -> str:
    text = fields.get("comment_content", "").replace("\r\n", "\n").replace("\r", "\n")
    text = unslashed(_CONTROL.sub(" ", text))
    return text.encode()[:MAX_BODY_BYTES].decode(errors="ignore")


def _thread_key(page: str) -> str:
    key = _THREAD_PREFIX + page
    if len(key) <= MAX_THREAD_KEY_CHARACTERS:
        return key
    return _THREAD_PREFIX + sha256(page.encode()).hexdigest()


def _verified_id(fields: Fields) -> str | None:
    for name in _USER_IDS:
        number = fields.get(name, "").strip()
        if number.isdecimal() and number.isascii() and len(number) < 20 and int(number):
            return f"{_THREAD_PREFIX}{int(number)}"
    return None


def _honeypot_filled(fields: Fields) -> bool:
    names = ["POST_ak_hp_textarea"]
    if named := fields.get("honeypot_field_name", ""):
        names += [named, f"POST_{named}"]
    return any(fields.get(name, "").strip() for name in names)
