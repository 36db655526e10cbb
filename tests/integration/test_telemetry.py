"""What is told of each request: its id and one log line."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog

from service.web import problems, telemetry
from tests.support.installation import Installation
from tests.support.waiting import wait_until
from tests.support.world import World, bearer, comment_json

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def talking(
    build_world: Callable[..., World],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """A world that logs every request."""
    world = build_world({"LOG_LEVEL": "INFO"})
    for module in (telemetry, problems):  # their loggers keep the level of an earlier test
        monkeypatch.setattr(module, "log", structlog.get_logger(module.__name__))
    return world


@pytest.fixture
def lines(talking: World, capfd: pytest.CaptureFixture[str]) -> Lines:
    """Return what reads the lines written since it was last called."""
    capfd.readouterr()
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.mark.parametrize("given", ["abc", "A-b_c.9", "x" * 64])
def test_a_callers_request_id_is_taken_over(given: str, world: World) -> None:
    answer = world.client.get("/healthz", headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a{}", "ä", "a/../b", '"}'])
def test_a_malformed_request_id_is_replaced(given: str, world: World) -> None:
    answer = world.client.get("/healthz", headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] not in ("", given)


def test_every_request_has_an_id_of_its_own(world: World) -> None:
    answers = [world.client.get(path) for path in ("/healthz", "/healthz", "/not-there")]

    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3


def test_a_request_is_one_line_with_its_route_and_site(talking: World, lines: Lines) -> None:
    comment_id = talking.post_comment()
    [posted] = lines()
    talking.client.get(f"/v1/comments/{comment_id}", headers=bearer(talking.server_key))

    [read] = lines()
    assert (posted["method"], posted["route"], posted["status"]) == ("POST", "/v1/comments", 202)
    assert posted["site"] == "news"
    assert posted["ms"] > 0
    assert read["route"] == "/v1/comments/<uuid:comment_id>"
    assert posted["request_id"] != read["request_id"]
    assert talking.row(comment_id).request_id == posted["request_id"]


def test_a_line_never_holds_the_path_or_query_that_was_asked_for(
    talking: World, lines: Lines
) -> None:
    for path in ("/v1/receipts/private-token", "/private-path?private=1", "/docs?private"):
        talking.client.get(path)

    told = lines()
    assert [line["route"] for line in told] == ["/v1/receipts/<token>", "unmatched", "/docs"]
    assert "private" not in json.dumps(told)


def test_what_is_asked_every_few_seconds_is_not_told(talking: World, lines: Lines) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert talking.client.get(path).status_code == 200

    assert lines() == []


def test_a_site_is_not_told_of_the_next_request(talking: World, lines: Lines) -> None:
    talking.post_comment()
    talking.client.get("/docs")

    assert "site" not in lines()[-1]


def test_a_mistake_of_our_own_is_told_under_its_request(
    talking: World, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("private words")

    monkeypatch.setattr(type(talking.services.intake), "submit", broken)

    answer = talking.post(comment_json())

    mistake, request = lines()
    assert answer.status_code == request["status"] == 500
    assert mistake["exception"][0]["type"] == "builtins.ValueError"
    assert mistake["request_id"] == request["request_id"] == answer.headers["X-Request-ID"]
    assert "private words" not in json.dumps(mistake) + answer.get_data(as_text=True)


def test_the_log_follows_a_comment_into_the_worker_and_holds_nothing_of_it(
    live: Installation, dialect: str
) -> None:
    before = len(live.output())
    author = {
        "name": "Nobody Knows",
        "email": "private-address@mail.example",
        "url": "https://private-site.example",
        "ip": "203.0.113.77",
        "user_agent": "private-browser",
    }
    payload = comment_json(body="private words http://private-link.example", author=author)

    answer = live.post(payload, {"X-Request-ID": "a-request-to-follow"})
    comment_id = answer.json()["id"]
    live.judged(comment_id)

    def told() -> list[str]:
        return [line for line in live.output()[before:].splitlines() if "to-follow" in line]

    wait_until(lambda: len(told()) >= 2, 10, "web and worker tell of it")
    by_event = {line["event"]: line for line in map(json.loads, told())}
    assert by_event["request"]["status"] == 202
    assert by_event["verdict"]["comment_id"] == comment_id
    written = live.output()[before:]
    assert "private" not in written
    assert "203.0.113.77" not in written
    assert "Nobody Knows" not in written
    assert live.credentials["server_key"] not in written
