"""What Prometheus is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import redis
import sqlalchemy as sa
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.probes import WORK_COUNTS
from service.settings import Settings
from service.storage.tables import claims, comments
from tests.support.installation import Installation
from tests.support.postgres import PostgresCluster
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.world import World, comment_json

on_one_database = pytest.mark.parametrize("dialect", ["sqlite"])

Figures = dict[tuple[str, ...], float]
NO_REDIS = "unix:///nowhere/redis.sock"
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


def figures(text: str) -> Figures:
    """Return every sample by its name and the values of its labels."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client: FlaskClient) -> Figures:
    """Return what /metrics tells."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return figures(answer.get_data(as_text=True))


def gained(before: Figures, after: Figures) -> Figures:
    """Return what rose, by how much."""
    rises = {name: value - before.get(name, 0) for name, value in after.items()}
    return {name: rise for name, rise in rises.items() if rise}


# --- what web processes count --------------------------------------------------


@on_one_database
def test_accepted_comments_are_counted_once(world: World) -> None:
    before = scrape(world.client)

    same = comment_json()
    for _ in range(2):
        assert world.post(same, headers={"Idempotency-Key": "one"}).status_code == 202

    assert gained(before, scrape(world.client))[("anteroom_comments_accepted_total",)] == 1


@on_one_database
def test_refusals_are_counted_by_reason(world: World) -> None:
    before = scrape(world.client)

    world.post(comment_json(body=""))
    world.post(comment_json(parent_id="0191f1c0-1f00-7000-8000-000000000000"))
    world.post(key="sk_wrong")
    world.client.get("/v1/receipts/wrong")  # refuses no comment

    rises = gained(before, scrape(world.client))
    refused = {name[1]: rise for name, rise in rises.items() if "refused" in name[0]}
    assert refused == {"invalid": 1, "parent-not-found": 1, "http-401": 1}


@on_one_database
def test_requests_are_timed_by_route_and_never_by_path(world: World) -> None:
    before = scrape(world.client)

    for path in ("/v1/receipts/one", "/v1/receipts/two", "/private", "/other"):
        world.client.get(path)
    world.client.open("/v1/comments", method="INVENTED")

    rises = gained(before, scrape(world.client))
    counts = {name[1:]: rise for name, rise in rises.items() if name[0].endswith("seconds_count")}
    assert counts.pop(("GET", "/metrics", "200")) == 1
    assert counts == {
        ("GET", "/v1/receipts/<token>", "404"): 2,
        ("GET", "unmatched", "404"): 2,
        ("other", "unmatched", "405"): 1,
    }


def test_the_processes_of_a_server_count_together(live: Installation) -> None:
    def told() -> Figures:
        return figures(live.request("GET", "/metrics").body.decode())

    before = told()
    for _ in range(20):  # each on a connection of its own, so that both processes get some
        assert live.post(comment_json()).status == 202

    rises = gained(before, told())
    assert rises[("anteroom_comments_accepted_total",)] == 20
    assert rises[("anteroom_http_request_seconds_count", "POST", "/v1/comments", "202")] == 20


# --- what is read from the record and from Redis -------------------------------


def test_waiting_comments_are_counted_with_the_age_of_the_oldest(world: World) -> None:
    world.held_comment()
    older, _ = world.post_comment(), world.post_comment()
    _age(world, older, timedelta(hours=1))

    told = scrape(world.client)

    assert told[("anteroom_comments_waiting", "pending")] == 2
    assert told[("anteroom_comments_waiting", "held")] == 1
    assert 3600 <= told[("anteroom_oldest_comment_age_seconds", "pending")] < 3700
    assert 0 <= told[("anteroom_oldest_comment_age_seconds", "held")] < 100


def _age(world: World, comment_id: str, by: timedelta) -> None:
    """Give a comment the id that it would have had if it had come earlier."""
    then = (int(comment_id.replace("-", "")[:12], 16) - int(by.total_seconds() * 1000)) % 2**48
    older = f"{then:012x}"
    with world.store.write() as db:
        db.execute(sa.delete(claims).where(claims.c.comment_id == comment_id))
        db.execute(
            sa.update(comments)
            .where(comments.c.id == comment_id)
            .values(id=f"{older[:8]}-{older[8:]}{comment_id[13:]}")
        )


@on_one_database
def test_jobs_are_counted_by_queue(world: World) -> None:
    world.post_comment()

    told = scrape(world.client)

    assert told[("anteroom_jobs_waiting", "moderation")] == 1
    assert told[("anteroom_jobs_waiting", "check")] == 0
    assert told[("anteroom_workers", "moderation")] == 0


@on_one_database
def test_verdicts_rules_and_judging_times_come_from_the_workers(world: World) -> None:
    held = world.held_comment()
    world.approved_comment()

    told = scrape(world.client)

    assert told[("anteroom_verdicts_total", "held")] == 1
    assert told[("anteroom_verdicts_total", "approved")] == 1
    for rule in world.rules_hit(held):
        assert told[("anteroom_rule_hits_total", rule)] >= 1
    assert told[("anteroom_judge_seconds_count",)] == 2
    assert told[("anteroom_judge_seconds_bucket", "+Inf")] == 2
    assert told[("anteroom_judge_seconds_sum",)] > 0
    assert told[("anteroom_ruleset_info", world.verdict(held)["ruleset"])] == 1


@on_one_database
def test_buckets_of_judging_times_are_told_in_order(
    world: World, redis_client: redis.Redis
) -> None:
    counted = {"judge_bucket:1": 9, "judge_bucket:0.01": 7, "judge_bucket:0.0005": 2}
    for name, count in (counted | {"judge_count": 10}).items():
        redis_client.hset(WORK_COUNTS, name, count)

    told = scrape(world.client)

    buckets = {n[1]: value for n, value in told.items() if n[0] == "anteroom_judge_seconds_bucket"}
    assert list(buckets.items()) == [("0.0005", 2), ("0.01", 7), ("1", 9), ("+Inf", 10)]


# --- when a part is away -------------------------------------------------------


@on_one_database
def test_without_redis_the_rest_is_told(make_settings: Callable[..., Settings]) -> None:
    told = scrape(create_app(make_settings(REDIS_URL=NO_REDIS)).test_client())

    assert told[("anteroom_redis_up",)] == 0
    assert told[("anteroom_database_up",)] == 1
    assert ("anteroom_comments_waiting", "held") in told
    assert ("anteroom_jobs_waiting", "moderation") not in told


@on_one_database
def test_without_the_database_the_rest_is_told(make_settings: Callable[..., Settings]) -> None:
    told = scrape(create_app(make_settings(DATABASE_URL=NO_DATABASE)).test_client())

    assert told[("anteroom_database_up",)] == 0
    assert told[("anteroom_redis_up",)] == 1
    assert ("anteroom_comments_waiting", "held") not in told
    assert ("anteroom_jobs_waiting", "moderation") in told


@on_one_database
def test_a_redis_that_hangs_does_not_hang_the_scrape(
    make_settings: Callable[..., Settings],
) -> None:
    server = RedisServer().start()
    client = create_app(make_settings(REDIS_URL=server.url)).test_client()
    try:
        assert scrape(client)[("anteroom_redis_up",)] == 1
        with server.paused():
            told = scrape(client)
        assert told[("anteroom_redis_up",)] == 0
        wait_until(lambda: scrape(client)[("anteroom_redis_up",)], 10, "Redis is seen again")
    finally:
        server.discard()


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_database_that_hangs_does_not_hang_the_scrape(
    settings: Settings, postgres: PostgresCluster
) -> None:
    client = create_app(settings).test_client()
    assert scrape(client)[("anteroom_database_up",)] == 1

    with postgres.paused():
        told = scrape(client)

    assert told[("anteroom_database_up",)] == 0
    assert told[("anteroom_redis_up",)] == 1
    wait_until(lambda: scrape(client)[("anteroom_database_up",)], 10, "it is seen again")


# --- who may read them ---------------------------------------------------------


@on_one_database
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        pytest.param("127.0.0.1", {}, 200, id="this machine"),
        pytest.param("::1", {}, 200, id="this machine by IPv6"),
        pytest.param("10.1.2.3", {}, 200, id="private network"),
        pytest.param("::ffff:172.17.0.1", {}, 200, id="private network by IPv6"),
        pytest.param("8.8.8.8", {}, 403, id="the world"),
        pytest.param("2606:4700::1", {}, 403, id="the world by IPv6"),
        pytest.param("", {}, 403, id="unknown"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 403, id="through a proxy"),
        pytest.param("127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 403, id="said to be private"),
        pytest.param("127.0.0.1", {"Forwarded": "for=8.8.8.8"}, 403, id="through another proxy"),
    ],
)
def test_without_a_token_only_private_addresses_read_them(
    address: str, headers: dict[str, str], status: int, world: World
) -> None:
    answer = world.client.get(
        "/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address}
    )

    assert answer.status_code == status


@on_one_database
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer the-scrapers-token", 200),
        ("Bearer another-token", 401),
        ("Bearer ünïcödé", 401),
        ("Basic the-scrapers-token", 401),
        ("", 401),
    ],
)
def test_with_a_token_everybody_needs_it(
    authorization: str, status: int, make_settings: Callable[..., Settings]
) -> None:
    app = create_app(make_settings(METRICS_TOKEN="the-scrapers-token"))

    answer = app.test_client().get("/metrics", headers={"Authorization": authorization})

    assert answer.status_code == status
