"""Is it alive, is it ready: what orchestrators ask."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from service.app import create_app
from service.jobs import MODERATION, connect
from service.settings import Settings
from tests.support.postgres import PostgresCluster
from tests.support.redis_server import RedisServer
from tests.support.world import World
from worker.queue_worker import QueueWorker

on_one_database = pytest.mark.parametrize("dialect", ["sqlite"])

NO_REDIS = "unix:///nowhere/redis.sock"
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


def ask(settings: Settings) -> tuple[int, dict[str, Any]]:
    """Return status and document of /readyz."""
    answer = create_app(settings).test_client().get("/readyz")
    document: dict[str, Any] = answer.get_json()
    return answer.status_code, document


@pytest.fixture
def policy(redis_client: redis.Redis) -> Iterator[Callable[[str], None]]:
    """Return what sets Redis' memory policy; undone after the test."""

    def be(name: str) -> None:
        redis_client.config_set("maxmemory-policy", name)

    yield be
    be("noeviction")


@on_one_database
def test_a_process_is_alive_whatever_is_away(make_settings: Callable[..., Settings]) -> None:
    app = create_app(make_settings(DATABASE_URL=NO_DATABASE, REDIS_URL=NO_REDIS))

    answer = app.test_client().get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_with_a_current_database_and_redis(settings: Settings) -> None:
    assert ask(settings) == (
        200,
        {
            "status": "ready",
            "database": {"reachable": True, "schema_current": True},
            "redis": {"reachable": True, "memory_policy": "noeviction", "warning": None},
            "workers": {"moderation": 0, "check": 0, "webhooks": 0, "trials": 0},
            "ruleset": {"live": None, "workers": [], "warning": None},
            "models": None,
        },
    )


@on_one_database
def test_it_is_ready_to_accept_while_redis_is_away(make_settings: Callable[..., Settings]) -> None:
    status, told = ask(make_settings(REDIS_URL=NO_REDIS))

    assert (status, told["status"]) == (200, "ready")
    assert told["redis"] == {"reachable": False, "memory_policy": None, "warning": None}
    assert told["workers"] is None


@on_one_database
def test_it_is_ready_while_redis_hangs(make_settings: Callable[..., Settings]) -> None:
    server = RedisServer().start()
    try:
        with server.paused():
            status, told = ask(make_settings(REDIS_URL=server.url))
    finally:
        server.discard()

    assert (status, told["redis"]["reachable"]) == (200, False)


@on_one_database
def test_it_is_unready_while_the_database_is_away(make_settings: Callable[..., Settings]) -> None:
    status, told = ask(make_settings(DATABASE_URL=NO_DATABASE))

    assert (status, told["status"]) == (503, "unready")
    assert told["database"] == {"reachable": False, "schema_current": False}
    assert told["redis"]["reachable"] is True


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_it_is_unready_while_the_database_hangs(
    settings: Settings, postgres: PostgresCluster
) -> None:
    with postgres.paused():
        status, told = ask(settings)

    assert (status, told["database"]["reachable"]) == (503, False)
    assert ask(settings)[0] == 200


@on_one_database
def test_it_is_unready_before_the_migrations(
    make_settings: Callable[..., Settings], tmp_path: Any
) -> None:
    status, told = ask(make_settings(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db"))

    assert (status, told["status"]) == (503, "unready")
    assert told["database"] == {"reachable": True, "schema_current": False}


@on_one_database
def test_a_redis_that_may_drop_jobs_is_warned_of(
    settings: Settings, policy: Callable[[str], None]
) -> None:
    policy("allkeys-lru")

    status, told = ask(settings)

    assert (status, told["redis"]["memory_policy"]) == (200, "allkeys-lru")
    assert told["redis"]["warning"].startswith("Set maxmemory-policy to noeviction")


@on_one_database
def test_workers_are_counted_by_queue_and_dead_ones_are_not(
    settings: Settings, redis_client: redis.Redis
) -> None:
    workers = [QueueWorker(MODERATION, connect(settings.redis_url)) for _ in range(2)]
    for worker in workers:
        worker.register_birth()  # type: ignore[no-untyped-call]  # RQ has no types here
    redis_client.delete(workers[0].key)

    assert ask(settings)[1]["workers"] == {
        "moderation": 1,
        "check": 0,
        "webhooks": 0,
        "trials": 0,
    }


@on_one_database
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operators_answers_are_never_cached(path: str, world: World) -> None:
    assert world.client.get(path).headers["Cache-Control"] == "no-store"
