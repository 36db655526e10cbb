"""The containers' health checks: what they say of a service that runs, and of one that does not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.processes import Process, free_port, python
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """A service that does its work."""
    installation = Installation().start()
    yield installation
    installation.discard()


def check(what: str, log: Path, **environ: str) -> int | None:
    """Run a health check and return its exit status."""
    given = {"PATH": os.environ["PATH"], "SECRET_KEY": "k" * 32}
    process = Process(python("-m", "service.healthcheck", what), log=log, environ=given | environ)
    wait_until(lambda: not process.running, 20, "it ends")
    assert "Traceback" not in process.output()
    return process.exit_status


def test_a_service_that_works_is_healthy(running: Installation, tmp_path: Path) -> None:
    socket = running.folder / "data" / "redis" / "redis.sock"
    assert check("web", tmp_path / "web", PORT=str(running.port)) == 0
    wait_until(lambda: check("worker", tmp_path / "worker", REDIS_URL=f"unix://{socket}") == 0, 20)


def test_without_a_web_server_the_web_is_not_healthy(tmp_path: Path) -> None:
    assert check("web", tmp_path / "log", PORT=str(free_port())) == 1


def test_without_workers_the_worker_is_not_healthy(
    redis_server: RedisServer, redis_url: str, tmp_path: Path
) -> None:
    assert check("worker", tmp_path / "log", REDIS_URL=redis_url) == 1


def test_without_redis_the_worker_is_not_healthy(tmp_path: Path) -> None:
    assert check("worker", tmp_path / "log", REDIS_URL=f"unix://{tmp_path}/none.sock") == 1
