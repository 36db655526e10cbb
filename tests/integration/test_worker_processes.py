"""`python -m worker` as processes: they come back when they die, and go when told."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import gethostname

import pytest
import redis
from rq import Worker
from rq.utils import as_text

from service.domain.clock import utc_now
from service.domain.comment import CommentId
from service.jobs import QUEUES
from service.storage import outbox, samples
from tests.conftest import SECRET
from tests.support.processes import Process, alive, children, command_line, python
from tests.support.processes import resident_megabytes as megabytes
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until
from tests.support.world import World

Start = Callable[[], Process]


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


@pytest.fixture
def start(
    database_url: str, redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> Iterator[Start]:
    """Return a function that starts a supervised worker and waits until it listens."""
    started: list[Process] = []
    environ = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": SECRET,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SWEEP_SECONDS": "0.2",
        "OVERDUE_SECONDS": "1",
        "WEBHOOK_NETWORKS": "127.0.0.0/8",
    }

    def run() -> Process:
        log = tmp_path / "worker.log"
        started.append(Process(python("-m", "worker"), log=log, environ=environ))
        wait_until(lambda: queues_served(redis_client) == set(QUEUES), 20, "workers listen")
        return started[-1]

    yield run
    for process in started:
        if process.running:
            process.kill()


def queues_served(client: redis.Redis) -> set[str]:
    """Return the queues that RQ knows a worker of, as `rq info` does."""
    workers = Worker.all(connection=client)
    assert all(len(worker.queue_names()) == 1 for worker in workers), "two queues lose jobs"
    return {name for worker in workers for name in worker.queue_names()}


def hosts(client: redis.Redis, queue: str) -> set[str]:
    """Return the machines of a queue's workers, which the containers' health check looks at."""
    keys = client.smembers(f"rq:workers:{queue}")
    return {as_text(client.hget(key, "hostname") or "") for key in keys}


def sampled(world: World, ids: set[CommentId]) -> set[CommentId]:
    """Return which of these comments people are asked to look at."""
    with world.store.read() as db:
        return set(samples.sampled_for(db, list(ids)))


def workers(world: World) -> dict[str, int]:
    """Return how many workers each queue has, as operators see it; nothing while Redis is slow."""
    counted: dict[str, int] | None = world.client.get("/readyz").get_json()["workers"]
    return counted or {}


def child(process: Process, role: str) -> int:
    """Return the id of the process that does one job."""
    [found] = [pid for pid in children(process.pid) if command_line(pid).endswith(f" {role}")]
    return found


def test_a_comment_is_judged_and_a_check_answered(world: World, start: Start) -> None:
    start()

    comment_id = world.post_comment()
    answer = world.post(path="/v1/check")

    wait_until(lambda: world.status(comment_id) == "approved", 10, "judged")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "approved"


def test_each_job_has_a_process_of_modest_size(start: Start) -> None:
    process = start()

    wait_until(lambda: len(children(process.pid)) == 5, 10, "five processes")
    for role in ("moderation", "check", "webhooks", "trials", "sweep"):
        assert megabytes(child(process, role)) < 260
        assert "-m worker" in command_line(child(process, role))


def test_a_process_that_dies_is_started_again_and_said_so(world: World, start: Start) -> None:
    process = start()
    first = child(process, "moderation")

    os.kill(first, signal.SIGKILL)
    comment_id = world.post_comment()

    wait_until(lambda: world.status(comment_id) == "approved", 20, "judged by its successor")
    assert child(process, "moderation") != first
    assert "worker moderation was killed by SIGKILL" in process.output()


def test_a_comment_whose_job_is_lost_is_swept_up(
    world: World, start: Start, redis_client: redis.Redis
) -> None:
    comment_id = world.post_comment()
    redis_client.flushall()

    start()

    wait_until(lambda: world.status(comment_id) == "approved", 20, "swept and judged")


def test_workers_are_known_again_after_redis_forgot_them(
    world: World, start: Start, redis_client: redis.Redis
) -> None:
    process = start()
    below = children(process.pid)
    redis_client.flushall()

    wait_until(lambda: set(workers(world).values()) == {1}, 30, "every queue has its worker again")

    told = world.client.get("/readyz").get_json()["ruleset"]
    assert {worker["queue"] for worker in told["workers"]} >= {"moderation", "check", "trials"}
    assert queues_served(redis_client) == set(QUEUES)
    assert all(gethostname() in hosts(redis_client, queue) for queue in QUEUES)
    assert children(process.pid) == below, "no process had to be started again"


def test_approvals_are_put_before_people_from_the_first_round_on(
    world: World, start: Start
) -> None:
    approved = {world.judged_comment(body=f"I was there in {year}.") for year in range(1990, 1995)}
    assert {world.status(comment_id) for comment_id in approved} == {"approved"}

    start()

    wait_until(lambda: sampled(world, approved) == approved, 20, "sampled")


def test_a_website_hears_of_its_comment(world: World, start: Start) -> None:
    with Receiver() as receiver:
        with world.store.write() as db:
            outbox.add_endpoint(db, world.site.id, receiver.url, seed="s", now=utc_now())
        start()
        comment_id = world.post_comment(external_id="wp-7")
        wait_until(lambda: receiver.received, 20, "told")

    [request] = receiver.received
    assert request.type == "comment.approved"
    assert request.json()["data"]["id"] == comment_id
    assert request.json()["data"]["external_id"] == "wp-7"


def test_it_stops_in_order_when_told(world: World, start: Start, redis_client: redis.Redis) -> None:
    process = start()
    several = [world.post_comment() for _ in range(30)]
    family = process.family()

    assert process.stop(signal.SIGTERM) == 0

    assert not any(alive(pid) for pid in family)
    assert queues_served(redis_client) == set()
    assert {world.status(comment_id) for comment_id in several} <= {"approved", "pending"}


def test_its_processes_do_not_outlive_it(start: Start) -> None:
    process = start()
    below = children(process.pid)

    os.kill(process.pid, signal.SIGKILL)

    wait_until(lambda: not any(alive(pid) for pid in below), 5, "all gone")


def test_its_log_tells_no_more_than_it_should(world: World, start: Start) -> None:
    process = start()
    comment_id = world.post_comment(
        body="a very private remark", author={"email": "canary@mail.example", "name": "Canary"}
    )
    wait_until(lambda: world.status(comment_id) == "approved", 10, "judged")
    wait_until(lambda: comment_id in process.output(), 10, "told")

    log = process.output()
    assert "private remark" not in log
    assert "canary" not in log.lower()
    assert world.row(comment_id).request_id in log


def test_it_refuses_to_start_without_its_settings(tmp_path: Path) -> None:
    process = Process(
        python("-m", "worker"), log=tmp_path / "log", environ={"PATH": os.environ["PATH"]}
    )

    wait_until(lambda: not process.running, 10, "refused")

    assert process.exit_status == 2
    assert "SECRET_KEY: is required" in process.output()
