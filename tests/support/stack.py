"""The parts of the service as processes of their own, so that each can be hurt by itself."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

from rq import Worker as RqWorker
from rq.worker import WorkerStatus

from service.domain.comment import CommentId
from service.domain.decision import Event
from service.installation import Credentials, fresh_credentials, install
from service.jobs import CHECK, MODERATION, JobQueue
from service.keyring import Keyring
from service.storage import Store, open_store
from service.storage.comments import events_of
from tests.support.databases import as_setting
from tests.support.http_service import HttpService
from tests.support.processes import (
    Process,
    children,
    command_line,
    descendants,
    free_port,
    holds_file_lock,
    python,
    ready_to_judge,
    send,
    short_folder,
)
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.world import comment_json

SECRET = "what these processes share, and nobody else knows"

#: Waits that would only make a test longer; what depends on them scales.
HASTY = {"OVERDUE_SECONDS": "2", "SWEEP_SECONDS": "0.5"}
#: On a busy machine a second passes without a rule's fault.
_LENIENT = {"RULE_SECONDS": "4"}


@dataclass
class Stack(HttpService):
    """A web server and workers over a database and a Redis that somebody else started."""

    database_url: str
    redis: RedisServer
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: short_folder("stack"))
    port: int = field(default_factory=free_port)
    workers: list[Process] = field(default_factory=list)
    _web: Process | None = None
    _started: int = 0

    def start(self, module: str = "worker") -> "Stack":
        """Make the first site, start a web server and a worker, return once both are at work."""
        install(
            self.store,
            self._made,
            keyring=Keyring(SECRET),
            origins=[self.base_url],
            now=datetime.now(UTC),
        )
        self.start_web()
        worker = self.start_worker(module, wait=False)
        wait_until(self.serves, 60, "the web server answers")
        self._await_worker(worker)
        return self

    def start_web(self, *module: str) -> None:
        """Start the web server, or another module; it may take a moment until it answers."""
        self._web = self._process("web", *(module or ("service", "web")))

    def start_worker(
        self,
        module: str = "worker",
        variables: Mapping[str, str] | None = None,
        *,
        wait: bool = True,
    ) -> Process:
        """Start one more worker and return it once it can judge."""
        self._started += 1
        worker = self._process(f"worker-{self._started}", module, **(variables or {}))
        self.workers.append(worker)
        if wait:
            self._await_worker(worker)
        return worker

    def kill_worker(self, worker: Process) -> None:
        """End a worker, all its processes, with SIGKILL."""
        worker.kill()
        self.workers.remove(worker)

    def replace_workers(self, module: str = "worker", **variables: str) -> Process:
        """End all workers with SIGKILL, then start one; keywords set variables."""
        self.kill_workers()
        return self.start_worker(module, variables)

    def kill_workers(self) -> None:
        """End all workers with SIGKILL."""
        for worker in list(self.workers):
            self.kill_worker(worker)

    def discard(self) -> None:
        """End whatever still runs and delete what it wrote."""
        self.kill_workers()
        if self._web is not None and self._web.running:
            self._web.kill()
        self.jobs.close()
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def web(self) -> Process:
        """The web server."""
        assert self._web is not None, "it was not started"
        return self._web

    @property
    def credentials(self) -> dict[str, str]:
        """The first site's keys and the first moderator's token."""
        return asdict(self._made)

    @cached_property
    def store(self) -> Store:
        """The record, for tests to look into."""
        return open_store(as_setting(self.database_url))

    @cached_property
    def jobs(self) -> JobQueue:
        """The job queue, for tests to put jobs on."""
        return JobQueue(self.redis.url)

    def judging(self) -> list[int]:
        """Return the ids of the processes that judge."""
        return [
            pid
            for worker in self.workers
            for pid in children(worker.pid)
            if command_line(pid).endswith(" moderation")
        ]

    @contextmanager
    def judging_paused(self) -> Iterator[None]:
        """Hold the processes that judge still within the block, none of them amid a write."""
        held = wait_until(self._hold_judging, 20, "no worker writes")
        try:
            yield
        finally:
            send(held, SIGCONT)

    def _hold_judging(self) -> list[int]:
        """Stop the processes that judge and return them; none if one holds others up so."""
        judging = self.judging()
        send(judging, SIGSTOP)
        if not any(holds_file_lock(pid) for pid in judging):
            return judging
        send(judging, SIGCONT)
        return []

    def worker_pids(self) -> list[int]:
        """Return the ids of all processes of all workers."""
        return [pid for worker in self.workers for pid in worker.family()]

    def web_pids(self) -> list[int]:
        """Return the ids of the processes that answer requests."""
        return descendants(self.web.pid)

    def send(self, **changes: Any) -> str:
        """Send a valid comment, changed as `comment_json` says, and return its id."""
        answer = self.post(comment_json(**changes))
        assert answer.status == 202, answer.body
        comment_id: str = answer.json()["id"]
        return comment_id

    def events(self, comment_id: str) -> list[Event]:
        """Return what happened to a comment, in order."""
        with self.store.read() as db:
            return events_of(db, CommentId(comment_id))

    def queue_is_done(self) -> bool:
        """Return whether no job waits, and no worker that lives has one in hand."""
        alive = self.judging()
        known = RqWorker.all(connection=self.jobs.connection)
        states = {worker.get_state() for worker in known if worker.pid in alive}
        return self.jobs.backlog() == 0 and states == {WorkerStatus.IDLE}

    def serves(self) -> bool:
        """Return whether the web server says that it lives."""
        try:
            return self.request("GET", "/healthz", timeout=2).status == 200
        except OSError:
            return False

    def output(self) -> str:
        """Return everything that its processes wrote, of those that ended as well."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))

    @cached_property
    def _made(self) -> Credentials:
        return fresh_credentials(self.base_url)

    def _process(self, name: str, *module: str, **variables: str) -> Process:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environ = {
            "SECRET_KEY": SECRET,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "BASE_URL": self.base_url,
        }
        return Process(
            python("-m", *module),
            log=self.folder / f"{name}.log",
            environ=kept | environ | _LENIENT | dict(self.variables) | variables,
        )

    def _await_worker(self, worker: Process) -> None:
        def ready() -> bool:
            assert worker.running, worker.output()
            return {MODERATION, CHECK} <= ready_to_judge(worker.output())

        wait_until(ready, 60, "a worker can judge")
