"""Plain HTML forms: their fields under our names or WordPress's, made into our JSON."""

import unicodedata
from typing import Annotated

from flask import Request, request
from pydantic import BaseModel, Field

from service.domain.errors import FieldError, InvalidSubmission

_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

#: Form field -> where its value belongs in the JSON of a comment.
_PLACES: dict[str, tuple[str, ...]] = {
    "name": ("author", "name"),
    "author": ("author", "name"),
    "email": ("author", "email"),
    "url": ("author", "url"),
    "ip": ("author", "ip"),
    "user_agent": ("author", "user_agent"),
    "referrer": ("author", "referrer"),
    "verified_id": ("author", "verified_id"),
    "body": ("body",),
    "comment": ("body",),
    "thread_id": ("thread", "id"),
    "comment_post_ID": ("thread", "id"),
    "thread_url": ("thread", "url"),
    "thread_title": ("thread", "title"),
    "parent_id": ("parent_id",),
    "comment_parent": ("parent_id",),
    "external_id": ("external_id",),
    "form_opened_at": ("form_opened_at",),
}

#: Fields that are read elsewhere or that WordPress's own form sends along.
_PASSED_OVER = frozenset(
    {"site_key", "redirect_to", "submit", "wp-comment-cookies-consent", "akismet_comment_nonce"}
)

_LABELS = {
    "/author/name": "Name",
    "/author/email": "Email",
    "/author/url": "Website",
    "/body": "Comment",
    "/parent_id": "Reply",
    "/thread": "Article",
}

_MAX_HEADER_CHARACTERS = 512

_Text = Annotated[str, Field(default="")]


class CommentForm(BaseModel):
    """A comment as a plain HTML form sends it; WordPress's own names work too."""

    site_key: _Text = Field("", description="The public key, as a form can set no header")
    author: _Text = Field("", description="Name; also `name`")
    email: _Text
    url: _Text = Field("", description="The author's website")
    comment: _Text = Field("", description="The text; also `body`")
    thread_id: _Text = Field("", description="Also `comment_post_ID`")
    thread_url: _Text
    thread_title: _Text
    comment_parent: _Text = Field("", description="The comment replied to; also `parent_id`")
    form_opened_at: _Text
    redirect_to: _Text = Field("", description="A page of the site to return to")


def is_form(received: Request) -> bool:
    """Whether the request carries a form."""
    return received.mimetype in _FORM_TYPES


def fields(received: Request, honeypot_field: str) -> tuple[dict[str, object], bool]:
    """Return the form as the JSON of a comment, and whether the honeypot was filled.

    Empty fields count as absent. Raises InvalidSubmission for fields that are
    unknown or given twice.
    """
    comment: dict[str, object] = {"thread": {}, "author": {}}
    errors = []
    for name, values in received.form.lists():
        if name in _PASSED_OVER or name == honeypot_field:
            continue
        if name not in _PLACES:
            errors.append(FieldError(f"/{name[:100]}", "is not a field of this form"))
        elif len(values) > 1:
            errors.append(FieldError(f"/{name}", "is given twice"))
        elif not _is_absent(name, values[0]):
            _put(comment, _PLACES[name], values[0])
    if errors:
        raise InvalidSubmission(errors)
    return comment, bool(received.form.get(honeypot_field, "").strip())


def entered(received: Request) -> list[tuple[str, str]]:
    """Return what was entered, field by field, to be offered again."""
    return [(name, value) for name, value in received.form.items() if name != "submit"]


def label(pointer: str) -> str:
    """Return how the form calls the field that `pointer` leads to."""
    return _LABELS.get(pointer, pointer.rsplit("/", 1)[-1].replace("_", " ").capitalize())


def header(name: str) -> str:
    """Return a request header without control characters, cut to a bearable length."""
    text = request.headers.get(name, "")
    kept = "".join(c for c in text if unicodedata.category(c) != "Cc")
    return kept[:_MAX_HEADER_CHARACTERS]


def _is_absent(name: str, value: str) -> bool:
    # WordPress says 0 for "no parent".
    return not value.strip() or (name == "comment_parent" and value == "0")


def _put(comment: dict[str, object], place: tuple[str, ...], value: str) -> None:
    target = comment
    for part in place[:-1]:
        inner = target[part]
        assert isinstance(inner, dict), "places lead through objects"
        target = inner
    target[place[-1]] = value
