"""Logs: JSON, one line an event, on standard error.

Our own code logs through structlog; what libraries log through `logging` is
rendered alike. Comment text, addresses and keys are never logged on purpose;
should one slip into a field all the same, `_redact` takes it out.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import PurePath
from traceback import walk_tb
from typing import Any

import structlog
from structlog.typing import EventDict

from service.settings import Settings

_STANDARD_ERROR = 2
_REDACTED = "[redacted]"
#: Fields that would hold what must not be logged.
_PRIVATE_FIELDS = frozenset(
    {
        "author",
        "authorization",
        "body",
        "cookie",
        "email",
        "ip",
        "key",
        "password",
        "remote_addr",
        "secret",
        "text",
        "token",
        "user_agent",
    }
)
# Bounded, so that a long field without a match costs linear time.
_MAIL_ADDRESS = re.compile(r"""[^\s@"'<>(),:;]{1,64}@[^\s@"'<>(),:;]{1,255}""")
_KEY = re.compile(r"\b(sk|pk|mt)_[\w-]{16,}")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
#: Errors whose messages tell of code or of connections. All others may quote the
#: values that were at hand, and those are what people wrote.
_TELLING_ERRORS = (OSError, ImportError, AttributeError, NameError, TypeError, MemoryError)
_TELLING_MODULES = ("service", "worker", "redis", "jinja2")
_MAX_MESSAGE_CHARACTERS = 300
_MAX_FRAMES = 25
_MAX_CAUSES = 5
#: Libraries that tell each request, job or connection, with raw paths or arguments.
_TALKATIVE = ("werkzeug", "rq", "rq.worker", "granian.access", "alembic")


def configure(settings: Settings) -> None:
    """Render every log line of this process as JSON, from the set level on."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=_Sink,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [Bridge()]
    root.setLevel(settings.log_level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


class Bridge(logging.Handler):
    """A handler for the standard library's logging that writes our kind of line.

    Only the first line of a message is kept and extra fields are not: job
    queues and database drivers put arguments there.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record`; a record that cannot be rendered is reported by its logger."""
        try:
            message = _first_line(record.getMessage())
        except (TypeError, ValueError, KeyError):
            message = "unreadable log message"
        event = {"event": message, "exc_info": record.exc_info}
        line: Any = event
        for processor in _PROCESSORS:
            line = processor(_Sink(record.name), record.levelname.lower(), line)
        _write(line)


class _Sink:
    """Where structlog's lines go; knows the name that it logs for."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        _write(line)

    debug = info = warning = warn = error = critical = exception = fatal = msg


def _write(line: str) -> None:
    # One system call a line keeps the lines of several processes apart. A line
    # that cannot be written is lost: logging never fails a request.
    with suppress(OSError):
        os.write(_STANDARD_ERROR, f"{line}\n".encode())


def _name_level(sink: Any, level: str, event: EventDict) -> EventDict:
    event["level"] = level
    event["logger"] = sink.name
    return event


def _describe_exception(_sink: Any, _level: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    error = error[1] if isinstance(error, tuple) else error
    if error:
        event["exception"] = [_describe(cause) for cause in _causes(error)]
    return event


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _describe(error: BaseException) -> dict[str, Any]:
    frames = [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    kind = type(error)
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "message": _message(error),
        "frames": frames[-_MAX_FRAMES:],
    }


def _message(error: BaseException) -> str:
    kind = type(error)
    telling = (
        isinstance(error, _TELLING_ERRORS)
        or kind.__name__ == "OperationalError"  # what drivers raise for lost connections
        or kind.__module__.partition(".")[0] in _TELLING_MODULES
    )
    return _first_line(str(error)) if telling else _REDACTED


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:_MAX_MESSAGE_CHARACTERS]


def _redact(_sink: Any, _level: str, event: EventDict) -> EventDict:
    for field in event.keys() & _PRIVATE_FIELDS:
        event[field] = _REDACTED
    for field, value in event.items():
        if type(value) is not int:
            event[field] = _clean(value)
    return event


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return _redact(None, "", {str(field): part for field, part in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    return value


def _clean_text(text: str) -> str:
    # Looking for one character first keeps the usual line off the patterns.
    if "@" in text:
        text = _MAIL_ADDRESS.sub(_REDACTED, text)
    if "_" in text:
        text = _KEY.sub(rf"\1_{_REDACTED}", text)
    if "earer" in text.lower():
        text = _BEARER.sub(f"Bearer {_REDACTED}", text)
    return text


def _as_json(value: Any) -> str:
    # The names of unknown objects only: a repr may hold a whole comment.
    if isinstance(value, datetime | PurePath):
        return str(value)
    return f"<{type(value).__name__}>"


_encode = json.JSONEncoder(default=_as_json, separators=(",", ":")).encode


def _render(_sink: Any, _level: str, event: EventDict) -> str:
    return _encode(event)


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    _name_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _describe_exception,
    _redact,
    _render,
]
