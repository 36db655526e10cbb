"""`POST /v1/check`: a verdict now, nothing kept, and never at intake's cost."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.jobs import CHECK
from tests.support.http_service import Answer
from tests.support.installation import Installation
from tests.support.processes import paused
from tests.support.waiting import wait_until
from tests.support.world import World, bearer, comment_json

PATH = "/v1/check"
LINKS = "See http://example.com/a and http://example.org/b and http://example.net/c."


def check(live: Installation, payload: Any) -> Answer:
    return live.request("POST", PATH, payload, bearer(live.credentials["server_key"]))


# --- with a worker -------------------------------------------------------------


@pytest.mark.parametrize(("body", "status"), [("A calm remark.", "approved"), (LINKS, "held")])
def test_a_text_gets_its_verdict_now(live: Installation, body: str, status: str) -> None:
    answer = check(live, comment_json(body=body))
    assert answer.status == 200
    assert answer.json()["status"] == answer.json()["verdict"]["status"] == status


def test_a_check_and_a_comment_get_the_same_verdict(live: Installation) -> None:
    sent = comment_json(body=LINKS)
    checked = check(live, sent).json()["verdict"]
    stored = live.judged(live.post(sent).json()["id"])["verdict"]
    for part in ("status", "ruleset", "totals", "hits"):
        assert checked[part] == stored[part]


def test_the_visitors_address_may_be_missing(live: Installation) -> None:
    sent = comment_json()
    del sent["author"]["ip"]
    assert check(live, sent).status == 200


def test_checks_leave_no_trace(live: Installation) -> None:
    sent = comment_json(body="Said again and again, and checked each time.")
    verdicts = [check(live, sent).json()["verdict"] for _ in range(15)]
    assert {verdict["status"] for verdict in verdicts} == {"approved"}
    assert {str(verdict["signals"]) for verdict in verdicts} == {str(verdicts[0]["signals"])}
    assert live.post(sent).status == 202


def test_waiting_checks_never_starve_intake(live: Installation) -> None:
    with paused(live.pids("worker", "check")), ThreadPoolExecutor(40) as threads:
        checks = [threads.submit(check, live, comment_json()) for _ in range(40)]
        accepted = [live.post(comment_json()).status for _ in range(20)]
    assert accepted == [202] * 20
    assert {answer.result().status for answer in checks} <= {200, 503}
    wait_until(lambda: check(live, comment_json()).status == 200, 20, "checks work again")


# --- without a worker ----------------------------------------------------------


SQLITE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])


@SQLITE_IS_ENOUGH
def test_without_a_worker_in_time_the_caller_is_told_to_come_back(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"CHECK_TIMEOUT": "1"})
    assert_unavailable(world.post(path=PATH))
    wait_until(lambda: (world.jobs.depths() or {})[CHECK] == 0, 10, "nobody waits for it any more")
    assert world.count() == 0


@SQLITE_IS_ENOUGH
def test_without_redis_the_caller_is_told_at_once(build_world: Callable[..., World]) -> None:
    world = build_world({"REDIS_URL": "unix:///nowhere/redis.sock"})
    assert_unavailable(world.post(path=PATH))


@SQLITE_IS_ENOUGH
def test_at_most_half_of_the_threads_wait_for_checks(build_world: Callable[..., World]) -> None:
    world = build_world({"WEB_THREADS": "4", "CHECK_TIMEOUT": "3"})
    with waiting_checks(world, 2):
        assert_unavailable(world.post(path=PATH))
        assert (world.jobs.depths() or {})[CHECK] <= 2, "the third was not even queued"
        assert world.post().status_code == 202


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("key", ["public_key", "token", "akismet_key"])
def test_only_the_server_key_may_check(world: World, key: str) -> None:
    assert world.post(path=PATH, key=getattr(world, key)).status_code in (401, 403)


@SQLITE_IS_ENOUGH
def test_a_check_is_held_to_the_same_rules_as_a_comment(world: World) -> None:
    bad = {"author": {"email": "nobody"}, "thread": {}, "colour": "red"}
    errors = {
        path: world.post(bad, path=path).get_json()["errors"] for path in (PATH, "/v1/comments")
    }
    assert errors[PATH] == errors["/v1/comments"]


def assert_unavailable(answer: TestResponse) -> None:
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1


def seats_left(world: World) -> int:
    """Return how many more checks may wait."""
    left: int = world.app.extensions["anteroom.check_seats"]._value
    return left


@contextmanager
def waiting_checks(world: World, number: int) -> Iterator[None]:
    """Have so many checks wait for a worker that is not there; all of them give up in the end."""

    def post() -> TestResponse:
        return world.app.test_client().post(
            PATH, json=comment_json(), headers=bearer(world.server_key)
        )

    with ThreadPoolExecutor(number) as threads:
        waiting: list[Future[TestResponse]] = [threads.submit(post) for _ in range(number)]
        wait_until(lambda: seats_left(world) == 0, 5, "the checks wait")
        yield
        for answer in waiting:
            assert_unavailable(answer.result(10))
