"""Log lines: one JSON object each, and nothing in them that people wrote."""

import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from service import logs
from service.settings import Settings

Line = dict[str, Any]
ADDRESS = "ada.lovelace+news@mail.example"
KEY = "sk_0123456789abcdefghijklmnopqrstuvwxyz-_ABCDE"


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Return what configures logging; undone after the test."""
    structlog.contextvars.clear_contextvars()
    root = logging.getLogger()
    before = (root.handlers, root.level)

    def at(level: str = "INFO") -> None:
        logs.configure(cast(Settings, SimpleNamespace(log_level=level)))

    yield at
    root.handlers, root.level = before
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def written(
    configure: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> Callable[[], list[Line]]:
    """Return what reads the lines written since it was last called."""
    configure()
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.fixture
def log() -> Any:
    """A logger of our own code."""
    return structlog.get_logger("service.example")


def test_a_line_says_when_where_how_bad_and_what(
    log: Any, written: Callable[[], list[Line]]
) -> None:
    log.warning("queue away", queue="moderation", jobs=3)

    [line] = written()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "queue away",
        "level": "warning",
        "logger": "service.example",
        "queue": "moderation",
        "jobs": 3,
    }


def test_what_somebody_sent_cannot_start_a_line_of_its_own(
    log: Any, configure: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    configure()
    forged = 'x\r\n{"level": "error", "event": "forged"}\u2028\x85\x1b[2J\0'

    log.info(forged, field=forged, **{forged: 1})

    raw = capfd.readouterr().err
    assert raw.count("\n") == 1
    assert raw.isascii()
    assert raw.rstrip("\n").isprintable()
    assert json.loads(raw)["field"] == forged


@pytest.mark.parametrize(
    "field", ["email", "ip", "body", "text", "author", "authorization", "token", "password"]
)
def test_a_field_for_private_things_keeps_its_value_back(
    field: str, log: Any, written: Callable[[], list[Line]]
) -> None:
    log.info("event", **{field: "very private"}, nested={field: ["very private"]})

    [line] = written()
    assert line[field] == "[redacted]"
    assert line["nested"] == {field: "[redacted]"}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        pytest.param(f"mail to {ADDRESS} failed", "mail to [redacted] failed", id="address"),
        pytest.param(f"<{ADDRESS}>", "<[redacted]>", id="address in brackets"),
        pytest.param("redis://:secret@redis:6379", "redis://:[redacted]:6379", id="password"),
        pytest.param(f"key {KEY} refused", "key sk_[redacted] refused", id="key"),
        pytest.param(
            f"Authorization: Bearer {KEY}", "Authorization: Bearer [redacted]", id="token"
        ),
        pytest.param(f"bearer {'a' * 20}", "Bearer [redacted]", id="token of another kind"),
        pytest.param("risk_assessment_of_many_things", None, id="a word that holds sk_"),
        pytest.param("pk_comments", None, id="the name of a primary key"),
        pytest.param("11 @ 12 o'clock", None, id="an at sign alone"),
    ],
)
def test_secrets_within_a_text_are_taken_out(
    told: str, kept: str | None, log: Any, written: Callable[[], list[Line]]
) -> None:
    log.info(told, some=told, deep={"list": [told]})

    [line] = written()
    wanted = told if kept is None else kept
    assert (line["event"], line["some"], line["deep"]) == (wanted, wanted, {"list": [wanted]})


def test_redacting_a_long_text_takes_linear_time(
    log: Any, written: Callable[[], list[Line]]
) -> None:
    log.info("long", some="a" * 1_000_000 + "@")

    assert len(written()[0]["some"]) > 900_000


def test_an_object_is_named_and_not_shown(log: Any, written: Callable[[], list[Line]]) -> None:
    log.info("event", comment=SimpleNamespace(words="private words"))

    assert written()[0]["comment"] == "<SimpleNamespace>"


def test_an_error_tells_its_kind_and_place_but_not_the_value_it_quotes(
    log: Any, written: Callable[[], list[Line]]
) -> None:
    try:
        int("private words")
    except ValueError:
        log.exception("unexpected error")

    [line] = written()
    assert "private words" not in json.dumps(line)
    [told] = line["exception"]
    assert (told["type"], told["message"]) == ("builtins.ValueError", "[redacted]")
    assert told["frames"][-1].endswith(
        " test_an_error_tells_its_kind_and_place_but_not_the_value_it_quotes"
    )


def test_an_error_of_a_connection_says_what_went_wrong(
    log: Any, written: Callable[[], list[Line]]
) -> None:
    log.error("away", exc_info=ConnectionRefusedError("port 5432 refused\nprivate words"))

    assert written()[0]["exception"][0]["message"] == "port 5432 refused"


def test_the_causes_of_an_error_are_told(log: Any, written: Callable[[], list[Line]]) -> None:
    try:
        try:
            raise OSError("disk full")
        except OSError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        log.error("failed", exc_info=error)

    types = [told["type"] for told in written()[0]["exception"]]
    assert types == ["builtins.RuntimeError", "builtins.OSError"]


def test_what_libraries_log_looks_alike(written: Callable[[], list[Line]]) -> None:
    structlog.contextvars.bind_contextvars(request_id="abc")

    logging.getLogger("some.package").warning(
        "job %s failed\nTraceback: private words", "42", extra={"arguments": "private words"}
    )

    [line] = written()
    del line["timestamp"]
    assert line == {
        "event": "job 42 failed",
        "level": "warning",
        "logger": "some.package",
        "request_id": "abc",
    }


def test_a_library_that_misuses_its_logger_harms_nobody(
    written: Callable[[], list[Line]],
) -> None:
    record = logging.LogRecord("some.package", logging.WARNING, "", 1, "%d of %s", ("one",), None)

    logs.Bridge().handle(record)

    assert written()[0]["event"] == "unreadable log message"


@pytest.mark.parametrize("library", ["werkzeug", "rq.worker", "granian.access", "alembic.runtime"])
def test_libraries_that_tell_every_request_or_job_are_silent(
    library: str, written: Callable[[], list[Line]]
) -> None:
    logging.getLogger(library).info("GET /v1/receipts/a-private-token")

    assert written() == []


def test_lines_below_the_set_level_are_not_written(
    log: Any, configure: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    configure("ERROR")

    log.warning("unimportant")
    logging.getLogger("some.package").warning("unimportant")
    log.error("important")

    assert capfd.readouterr().err.count("\n") == 1


def test_a_line_that_cannot_be_written_is_lost_without_harm(
    log: Any, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure()
    monkeypatch.setattr(logs, "_STANDARD_ERROR", 987_654)

    log.error("nobody hears")
