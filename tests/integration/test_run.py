"""The one-machine mode: what `make run` starts, keeps alive, and leaves behind."""

import json
import os
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.installation import Installation
from tests.support.postgres import PostgresCluster
from tests.support.processes import Process, alive, command_line, free_port, python, short_folder
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.world import comment_json
from worker.ruleset.shipped import DIRECTORY

CREDENTIALS = {
    "base_url", "site", "server_key", "public_key", "akismet_key", "moderator", "password",
    "api_token",
}  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    """A service that runs on through the tests of this module."""
    installation = Installation().start()
    yield installation
    installation.discard()


@pytest.fixture
def own() -> Iterator[Installation]:
    """A service of this test's own, to be stopped and killed."""
    installation = Installation().start()
    yield installation
    installation.discard()


def data(installation: Installation) -> Path:
    """Return its data directory."""
    return installation.folder / "data"


def mode(path: Path) -> int:
    """Return who may do what with a file."""
    return stat.S_IMODE(path.stat().st_mode)


def refused(log: Path, **environ: str) -> str:
    """Run it where it cannot run and return the sentence that says so."""
    process = Process(
        python("-m", "service", "run"), log=log, environ={"PATH": os.environ["PATH"], **environ}
    )
    wait_until(lambda: not process.running, 30, "it gives up")
    assert process.exit_status == 1
    assert process.output().startswith("Error: ")
    assert len(process.output().splitlines()) == 1
    return process.output()


def post_and_judge(installation: Installation) -> str:
    """Send a comment, wait for its verdict and return its id."""
    answer = installation.post(comment_json())
    assert answer.status == 202, answer.body
    comment_id: str = answer.json()["id"]
    assert installation.judged(comment_id)["status"] == "approved"
    return comment_id


def test_the_first_credentials_are_kept_for_the_owner_alone(running: Installation) -> None:
    assert set(running.credentials) == CREDENTIALS
    assert running.credentials["base_url"] == running.base_url
    assert mode(data(running) / "credentials.json") == 0o600
    assert mode(data(running) / "secret.key") == 0o600
    assert mode(data(running)) == 0o700


def test_addresses_and_first_credentials_are_printed(running: Installation) -> None:
    wait_until(lambda: running.credentials["password"] in running.output(), 10)
    for path in ("", "/demo", "/review", "/docs"):
        assert running.base_url + path in running.output()
        assert running.request("GET", path or "/").status in (200, 302, 303), path
    for secret in ("server_key", "public_key", "akismet_key", "api_token"):
        assert running.credentials[secret] in running.output()


def test_a_comment_is_judged(running: Installation) -> None:
    post_and_judge(running)


def test_the_first_moderator_may_review(running: Installation) -> None:
    token = running.credentials["api_token"]
    answer = running.request(
        "GET", "/v1/review/comments", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("service", "sweep"), "Deleted by age"),
        (("service", "stats"), ""),
        (("worker", "rules", "history"), "anteroom: The first ruleset"),
        (("worker", "rules", "publish", str(DIRECTORY), "-m", "Again"), "cli: Again"),
    ],
)
def test_commands_find_it_without_settings(
    running: Installation, tmp_path: Path, words: tuple[str, ...], answer: str
) -> None:
    environ = {"PATH": os.environ["PATH"], "DATA_DIR": str(data(running))}
    command = Process(python("-m", *words), log=tmp_path / "log", environ=environ)
    wait_until(lambda: not command.running, 60, "it ends")

    assert command.exit_status == 0, command.output()
    assert answer in command.output()


def test_every_process_is_in_one_group(running: Installation) -> None:
    assert running.process is not None
    groups = {os.getpgid(pid) for pid in running.process.family()}
    assert groups == {running.process.pid}
    assert any("-m worker" in command_line(pid) for pid in running.process.family())


def test_redis_takes_no_network_connections_and_keeps_its_data(running: Installation) -> None:
    redis = data(running) / "redis"
    configuration = (redis / "redis.conf").read_text().splitlines()
    assert {"port 0", "appendonly yes", "maxmemory-policy noeviction"} <= set(configuration)
    assert mode(redis / "redis.sock") == 0o700
    assert (redis / "appendonlydir").is_dir()


def test_a_taken_port_is_refused(running: Installation, tmp_path: Path) -> None:
    sentence = refused(tmp_path / "log", PORT=str(running.port), DATA_DIR=str(tmp_path / "other"))
    assert f"Port {running.port}" in sentence


def test_a_data_directory_in_use_is_refused(running: Installation, tmp_path: Path) -> None:
    sentence = refused(tmp_path / "log", PORT=str(free_port()), DATA_DIR=str(data(running)))
    assert "in use by another run" in sentence


def test_an_unusable_setting_is_refused_by_name(tmp_path: Path) -> None:
    process = Process(
        python("-m", "service", "run"),
        log=tmp_path / "log",
        environ={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path / "d"), "PORT": "many"},
    )
    wait_until(lambda: not process.running, 30, "it gives up")
    assert process.exit_status == 1
    assert "PORT" in process.output()
    assert "Traceback" not in process.output()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Redis", ("valkey-server",)),
        ("worker", ("-m", "worker")),
        ("web server", ("-m", "service", "web")),
    ],
)
def test_a_process_that_dies_is_started_again_and_said_so(
    running: Installation, name: str, words: tuple[str, ...]
) -> None:
    assert running.process is not None
    victim = next(
        pid for pid in running.process.family() if all(word in command_line(pid) for word in words)
    )
    told = f"{name} was killed by SIGKILL; starting it again"
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: told in running.output(), 10, told)
    wait_until(lambda: _takes(running), 30, "it takes comments again")
    post_and_judge(running)


def _takes(installation: Installation) -> bool:
    try:
        return installation.request("GET", "/readyz").status == 200
    except OSError:
        return False


def test_a_second_run_goes_on_with_the_data_of_the_first(own: Installation) -> None:
    comment_id = post_and_judge(own)
    first = own.credentials
    assert own.stop() == 0
    again = replace(own, port=free_port(), process=None)
    again.folder.joinpath("output.log").unlink()
    again.start()
    try:
        assert again.comment(comment_id)["status"] == "approved"
        assert again.credentials == first | {"base_url": again.base_url}
        assert first["password"] not in again.output()
        for host in ("127.0.0.1", "localhost"):
            assert _post_from_browser(again, f"http://{host}:{again.port}") == 202
        assert _post_from_browser(again, own.base_url) == 403
    finally:
        assert again.stop() == 0


def test_another_database_gets_the_credentials_that_are_kept(own: Installation) -> None:
    first = own.credentials
    assert own.stop() == 0
    other = f"sqlite:///{own.folder}/other.db"
    again = replace(own, environ={"DATABASE_URL": other}, process=None)
    again.folder.joinpath("output.log").unlink()
    again.start()
    try:
        assert again.credentials == first
        post_and_judge(again)
    finally:
        assert again.stop() == 0


def _post_from_browser(installation: Installation, origin: str) -> int:
    """Send a comment as a page at `origin` would and return the answer's status."""
    headers = {
        "Origin": origin,
        "Authorization": f"Bearer {installation.credentials['public_key']}",
    }
    comment = comment_json(thread={"url": f"{origin}/an-article"})
    del comment["author"]["ip"]
    return installation.request("POST", "/v1/comments", comment, headers).status


def test_ctrl_c_stops_everything_in_order(own: Installation) -> None:
    assert own.process is not None
    post_and_judge(own)
    family = own.process.family()
    os.killpg(own.process.pid, signal.SIGINT)
    wait_until(lambda: not own.process.running, 30, "it stops")  # type: ignore[union-attr]
    assert own.process.exit_status == 0
    assert not any(alive(pid) for pid in family)
    assert own.output().rstrip().endswith("Stopped. The data is kept for the next run.")
    assert "Traceback" not in own.output()
    assert "starting it again" not in own.output()


def test_nothing_outlives_a_run_that_is_killed(own: Installation) -> None:
    assert own.process is not None
    family = own.process.family()
    own.process.tell(signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in family), 10, "all are gone")
    assert own.process.exit_status == -signal.SIGKILL
    own.start()
    post_and_judge(own)


def test_a_long_data_directory_still_has_a_short_socket() -> None:
    folder = short_folder("long") / ("x" * 120)
    folder.mkdir()
    installation = Installation(folder=folder)
    try:
        installation.start()
        post_and_judge(installation)
        assert installation.stop() == 0
    finally:
        installation.discard()


def test_a_given_redis_and_database_are_used(
    postgres: PostgresCluster, redis_server: RedisServer
) -> None:
    url = postgres.create_database("given_to_run")
    installation = Installation(environ={"DATABASE_URL": url, "REDIS_URL": redis_server.url})
    try:
        installation.start()
        post_and_judge(installation)
        assert not (data(installation) / "redis").exists()
        assert not list(data(installation).glob("*.db"))
        assert installation.stop() == 0
    finally:
        installation.discard()
        postgres.drop_database("given_to_run")


IN_ORDER = """
import sys
from service.local.processes import Child, Supervisor, program
child = (
    "import signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]);"
    "print('up', flush=True); signal.sigwait([signal.SIGTERM]);"
    "print(sys.argv[1], file=open(sys.argv[2], 'a'))"
)
supervisor = Supervisor(print)
for name in ("first", "second", "third"):
    command = [sys.executable, "-W", "ignore", "-c", child, name, sys.argv[1]]
    supervisor.start(Child(name, program(command), stop_seconds=10))
supervisor.watch()
supervisor.stop()
"""


def test_children_stop_one_after_the_other_the_last_one_first(tmp_path: Path) -> None:
    process = Process(
        python("-c", IN_ORDER, str(tmp_path / "order")),
        log=tmp_path / "log",
        environ={"PATH": os.environ["PATH"]},
    )
    wait_until(lambda: process.output().count("up") == 3, 10, "all three run")
    os.killpg(process.pid, signal.SIGINT)
    wait_until(lambda: not process.running, 20, "it stops")
    assert process.exit_status == 0, process.output()
    assert (tmp_path / "order").read_text().split() == ["third", "second", "first"]


def test_credentials_are_plain_json(running: Installation) -> None:
    text = (data(running) / "credentials.json").read_text()
    assert json.loads(text) == running.credentials
