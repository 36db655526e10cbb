"""What callers may send: strict JSON, and fields checked all at once.

pydantic checks the shape; the field types below check and normalise values.
Nothing is coerced: "1" is no number, and unknown fields are refused by name.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import SplitResult, urlsplit, urlunsplit

from email_validator import EmailNotValidError, validate_email
from flask import Request
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from service.domain.comment import (
    MAX_BODY_BYTES,
    MAX_EMAIL_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_THREAD_KEY_CHARACTERS,
    MAX_URL_CHARACTERS,
)
from service.domain.errors import FieldError, InvalidSubmission
from service.domain.site import Caller
from service.web.callers import normal_address, origin_of

#: The largest request of any kind.
MAX_REQUEST_BYTES = 512 * 1024

_MAX_HEADER_CHARACTERS = 512
_CLOCK_SKEW = timedelta(minutes=5)
#: Characters that print nothing although Unicode counts them as letters or symbols.
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Unicode's control characters: C0, DEL and C1.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
#: The C0 control characters, which have no place in a text but TAB and newline.
_BODY_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n"))
#: Local parts that need no more looking at: plain words joined by dots.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_MAX_LOCAL_CHARACTERS = 64
#: Domains and pages come again and again.
_REMEMBERED = 1_024
_INVISIBLE_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})

ModelT = TypeVar("ModelT", bound=BaseModel)
T = TypeVar("T")


class Strict(BaseModel):
    """Base of everything callers send."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class SenderRules:
    """What a site asks of comments, and what this caller may say.

    `origins` bound where a thread's URL may lead; None means anywhere.
    """

    require_name: bool
    require_email: bool
    trusted: bool
    origins: tuple[str, ...] | None

    @classmethod
    def of(cls, caller: Caller) -> "SenderRules":
        """Return the rules for what `caller` sends."""
        return cls(
            require_name=caller.site.require_name,
            require_email=caller.site.require_email,
            trusted=caller.trusted,
            origins=None if caller.trusted else caller.site.origins,
        )


def read_json(request: Request, model: type[ModelT]) -> ModelT:
    """Return the request's body as `model`.

    Aborts with 413, 415 or 400 if the body is too large, of another kind or no
    JSON; raises InvalidSubmission, naming every field, if it does not fit.
    """
    return validate(model, strict_json(request))


def validate(model: type[ModelT], value: object, rules: SenderRules | None = None) -> ModelT:
    """Return `value` as `model`, or raise InvalidSubmission naming every field.

    `rules` are needed for models that hold what a site asks of comments.
    """
    try:
        return model.model_validate(value, context=rules)
    except ValidationError as error:
        raise InvalidSubmission([_field_error(item) for item in error.errors()]) from error


def strict_json(request: Request) -> Any:
    """Return the JSON value that the request carries, read as RFC 8259 wants it.

    Unlike Flask's own reading this refuses NaN, repeated names, encodings other
    than UTF-8, a byte order mark and nesting without end.
    """
    refuse_encoded(request)
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send application/json.")
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("JSON is always UTF-8.")
    try:
        return _decode(read_body(request).decode("utf-8"))
    except RecursionError as error:
        raise BadRequest("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {_plain(error)}.") from error


def read_body(request: Request) -> bytes:
    """Return the raw body; abort if it proves too large (413) or was cut off (400).

    It can be read once, and only if nobody read of it before.
    """
    declared = request.content_length
    if declared is not None and declared > MAX_REQUEST_BYTES:
        raise RequestEntityTooLarge
    # Of the server itself if it knows where to end, without three layers of streams between.
    body = request.get_data() if declared is None else request.environ["wsgi.input"].read(declared)
    if len(body) > MAX_REQUEST_BYTES:
        raise RequestEntityTooLarge
    if declared is not None and len(body) < declared:
        raise BadRequest("The body ended before its declared length.")
    return body


def read_form_body(request: Request) -> None:
    """Read the body of a form, which must be there whole; abort with 400, 411, 413 or 415.

    Half a JSON text is no JSON, but half a form is a form: only its declared
    length tells that the rest is missing.
    """
    refuse_encoded(request)
    if request.content_length is None:
        raise LengthRequired
    request.environ["wsgi.input"] = BytesIO(read_body(request))


def refuse_encoded(request: Request) -> None:
    """Abort with 415 if the body is compressed: nobody unpacks bombs here."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType("Content-Encoding is not supported.")


def _unique_names(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


# `json.loads` makes a new one each time.
_decode = json.JSONDecoder(object_pairs_hook=_unique_names, parse_constant=_no_constant).decode


def _plain(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    # The interpreter's own words on integers of thousands of digits name its settings.
    return "a number is too long" if "digits" in str(error) else str(error)


_HALF_CHARACTER = "contains half of a character (a lone surrogate)"


# --- field types ---------------------------------------------------------------


def invalid(message: str) -> PydanticCustomError:
    """Return the error that a field check raises."""
    return PydanticCustomError("invalid", "{message}", {"message": message})


def without_surrogates(text: str) -> str:
    """Return `text`; refuse what is no Unicode text at all."""
    if not text.isascii() and _SURROGATE.search(text):
        raise invalid(_HALF_CHARACTER)
    return text


def one_line(text: str) -> str:
    """Return `text` normalised to NFC and trimmed; refuse control characters in it."""
    text = without_surrogates(text)
    if _CONTROL.search(text):
        raise invalid("contains control characters or line breaks")
    return unicodedata.normalize("NFC", text).strip()


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing of `text`."""
    return all(
        character in _BLANK_LETTERS or unicodedata.category(character) in _INVISIBLE_CATEGORIES
        for character in text
    )


def email_address(text: str) -> str:
    """Return an e-mail address in its usual spelling; refuse what is none."""
    try:
        return normal_email(text)
    except EmailNotValidError as error:
        raise invalid(str(error)) from error


def normal_email(address: str) -> str:
    """Return an e-mail address in its normal form; raise EmailNotValidError if it is none.

    email-validator judges every address. Most of its work is on the domain, and
    most readers' addresses share a few: behind a plain local part, of which it
    has nothing to say, each domain is judged once.
    """
    local, _, domain = address.rpartition("@")
    if len(local) <= _MAX_LOCAL_CHARACTERS and domain.isascii() and _PLAIN_LOCAL.fullmatch(local):
        return f"{local}@{_normal_domain(domain)}"
    return validate_email(address, check_deliverability=False).normalized


def _name(text: str, info: ValidationInfo) -> str:
    name = one_line(text)
    if not is_blank(name):
        return name
    if _rules(info).require_name:
        raise invalid("is required")
    return ""


def _email(text: str, info: ValidationInfo) -> str:
    address = one_line(text)
    if not address:
        if _rules(info).require_email:
            raise invalid("is required")
        return ""
    return email_address(address)


@lru_cache(_REMEMBERED)
def _normal_domain(domain: str) -> str:
    judged = validate_email(f"a@{domain}", check_deliverability=False)
    return judged.domain


def _body(text: str) -> str:
    body = text.replace("\r\n", "\n")
    try:
        encoded = body.encode()
    except UnicodeEncodeError as error:
        raise invalid(_HALF_CHARACTER) from error
    if len(encoded.translate(None, _BODY_CONTROLS)) != len(encoded):
        raise invalid("contains control characters")
    if is_blank(body):
        raise invalid("is empty")
    if len(encoded) > MAX_BODY_BYTES:
        raise invalid(f"is longer than {MAX_BODY_BYTES} bytes of UTF-8")
    return body


def _thread_url(text: str, info: ValidationInfo) -> str:
    url, origins = page_url(text), _rules(info).origins
    if origins is not None and origin_of(url) not in origins:
        raise invalid("must be a page of the site; with a public key no other is taken")
    return url


def _server_key_only(value: T, info: ValidationInfo) -> T:
    if value is not None and not _rules(info).trusted:
        raise invalid("is taken with a server key only")
    return value


def _rules(info: ValidationInfo) -> SenderRules:
    assert isinstance(info.context, SenderRules), "callers pass the site's rules"
    return info.context


def _author_url(text: str) -> str:
    url = one_line(text)
    if not url:
        return ""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)|//", url):
        url = f"http://{url}"
    return urlunsplit(_split_url(url))


@lru_cache(_REMEMBERED)
def page_url(text: str) -> str:
    """Return a page's address in its usual spelling; refuse what is no http(s) URL.

    Scheme and host in lower case, no credentials, default port or fragment.
    """
    parts = _split_url(one_line(text))
    return urlunsplit(parts._replace(path=parts.path or "/", fragment=""))


def _split_url(url: str) -> SplitResult:
    if re.search(r"[\s\\]", url):
        raise invalid("contains spaces or backslashes")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise invalid("is not a valid address") from error
    if parts.scheme not in ("http", "https"):
        raise invalid("must start with http:// or https://")
    if not host:
        raise invalid("has no host")
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return parts._replace(netloc=host if port in (None, default) else f"{host}:{port}")


def _ip(text: str) -> str:
    address = normal_address(text)
    if address is None:
        raise invalid("is not an IP address")
    return address


def _header(text: str) -> str:
    """Keep what a log line can hold of a header that any client may set to anything."""
    kept = "".join(c for c in without_surrogates(text) if unicodedata.category(c) != "Cc")
    return kept[:_MAX_HEADER_CHARACTERS]


def _opened_at(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid("must be a time such as 2026-11-24T12:00:00Z")
    try:
        opened = datetime.fromisoformat(value)
        if opened.tzinfo is None:
            raise invalid("needs a time zone, such as Z")
        opened = opened.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid("must be a time such as 2026-11-24T12:00:00Z") from error
    if opened > datetime.now(UTC) + _CLOCK_SKEW:
        raise invalid("lies in the future")
    return opened


def _nothing_is_blank(value: object) -> object:
    return "" if value is None else value


#: What may be left out; null means the same.
_Optional = BeforeValidator(_nothing_is_blank)

Name = Annotated[str, _Optional, Field(max_length=MAX_NAME_CHARACTERS), AfterValidator(_name)]
Email = Annotated[str, _Optional, Field(max_length=MAX_EMAIL_CHARACTERS), AfterValidator(_email)]
AuthorUrl = Annotated[
    str, _Optional, Field(max_length=MAX_URL_CHARACTERS), AfterValidator(_author_url)
]
Header = Annotated[str, _Optional, AfterValidator(_header)]
Address = Annotated[str, Field(max_length=64), AfterValidator(_ip)]
_ServerKeyOnly = AfterValidator(_server_key_only)
Body = Annotated[str, AfterValidator(_body)]
OneLine = Annotated[str, AfterValidator(one_line)]
EmailAddress = Annotated[
    OneLine, Field(max_length=MAX_EMAIL_CHARACTERS), AfterValidator(email_address)
]
Title = Annotated[str, _Optional, Field(max_length=500), AfterValidator(one_line)]
PageUrl = Annotated[str, Field(max_length=MAX_URL_CHARACTERS), AfterValidator(_thread_url)]
ParentId = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(one_line)]
ThreadKey = Annotated[
    str, Field(min_length=1, max_length=MAX_THREAD_KEY_CHARACTERS), AfterValidator(one_line)
]
ExternalId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
VerifiedId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line)]
OpenedAt = Annotated[
    datetime | None,
    BeforeValidator(_opened_at, json_schema_input_type=str | None),
]


# --- models --------------------------------------------------------------------


class ThreadIn(Strict):
    """The page under which the comment stands: `id` or `url` is needed."""

    id: ThreadKey | None = Field(None, description="The site's own id for the thread")
    url: PageUrl | None = Field(None, description="Identifies the thread when there is no id")
    title: Title = ""

    @model_validator(mode="after")
    def _names_a_thread(self) -> Self:
        if self.id is None and self.url is None:
            raise invalid("needs an id or a url")
        return self


class AuthorIn(Strict):
    """The writer, and what the website knows of the visitor."""

    name: Name = Field("", validate_default=True, description="Required unless the site says no")
    email: Email = Field("", validate_default=True, description="Required unless the site says no")
    url: AuthorUrl = ""
    ip: Annotated[Address | None, _ServerKeyOnly] = Field(
        None, description="The visitor's address; server key only"
    )
    user_agent: Header = ""
    referrer: Header = ""
    verified_id: Annotated[VerifiedId | None, _ServerKeyOnly] = Field(
        None, description="The website's own id of a writer it signed in; server key only"
    )
    email_verified: Annotated[bool | None, _ServerKeyOnly] = Field(
        None, description="Whether the website proved the address; server key only"
    )


def _no_author(value: object) -> object:
    return {} if value is None else value


class CommentIn(Strict):
    """A comment on its way in."""

    thread: ThreadIn
    author: Annotated[AuthorIn, BeforeValidator(_no_author)] = Field(
        None, validate_default=True, description="Name and email are required as a rule"
    )
    body: Body = Field(description=f"At most {MAX_BODY_BYTES:,} bytes of UTF-8")
    parent_id: ParentId | None = Field(None, description="The approved comment replied to")
    external_id: ExternalId | None = Field(None, description="The website's own id of the comment")
    form_opened_at: OpenedAt = Field(None, description="When the visitor opened the form")


class AcceptedOut(BaseModel):
    """A comment that is stored and will be judged."""

    id: str
    status: str = Field(examples=["pending"])
    receipt_url: str = Field(description="Private link under which its author follows it")


# --- errors --------------------------------------------------------------------

_MESSAGES: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_sub_type": "must be text",
}


def _field_error(item: ErrorDetails) -> FieldError:
    pointer = "".join(f"/{_escaped(part)}" for part in item["loc"])
    return FieldError(pointer, _message(item))


def _escaped(part: int | str) -> str:
    text = str(part).replace("~", "~0").replace("/", "~1")
    return text.encode("utf-8", "replace").decode()[:100]


def _message(item: ErrorDetails) -> str:
    context = item.get("ctx", {})
    if item["type"] == "string_too_long":
        return f"is longer than {context['max_length']} characters"
    if item["type"] == "string_too_short":
        return "is empty"
    if item["type"] == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    return _MESSAGES.get(item["type"]) or item["msg"]
