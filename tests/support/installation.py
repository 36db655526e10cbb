"""The whole service as real processes, started as an operator does."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import redis

from service.jobs import CHECK, MODERATION
from tests.support.http_service import HttpService
from tests.support.processes import (
    Process,
    command_line,
    descendants,
    free_port,
    python,
    ready_to_judge,
    short_folder,
)
from tests.support.waiting import wait_until

#: Visitors of a test all come from one machine.
_LIMITS = {f"{what}_PER_MINUTE": "1000000" for what in ("ADDRESS", "EMAIL", "REPORTS", "LOGINS")}


@dataclass
class Installation(HttpService):
    """`python -m service run` on a free port with a data directory of its own.

    `environ` adds to its settings, such as DATABASE_URL and REDIS_URL.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: short_folder("live"))
    port: int = field(default_factory=free_port)
    process: Process | None = None
    _earlier: int = 0

    def start(self, bound: float = 60.0) -> "Installation":
        """Start everything and return once a worker can judge."""
        self._earlier = len(self.output()) if self.process else 0
        environ = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
        }
        environ |= {
            "PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "PYTHONUNBUFFERED": "1",
            **_LIMITS,
            **self.environ,
        }
        self.process = Process(
            python("-m", "service", "run"), log=self.folder / "output.log", environ=environ
        )
        wait_until(self._ready, bound, "the service answers and a worker runs", every=0.05)
        return self

    def stop(self) -> int:
        """Stop everything in order and return the exit status."""
        assert self.process is not None, "it was not started"
        return self.process.stop(bound=90)

    def discard(self) -> None:
        """End whatever still runs and delete its data."""
        if self.process is not None and self.process.running:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def credentials(self) -> dict[str, str]:
        """The first site's keys and the first moderator's token."""
        text = (self.folder / "data" / "credentials.json").read_text()
        found: dict[str, str] = json.loads(text)
        return found

    def forget_visitors(self) -> None:
        """Set the rules' counts to nought: all visitors of all tests come from one address."""
        socket = self.folder / "data" / "redis" / "redis.sock"
        with redis.Redis(unix_socket_path=str(socket)) as client:
            if seen := client.keys("anteroom:seen:*"):
                client.delete(*seen)

    def output(self) -> str:
        """Everything that the processes wrote."""
        assert self.process is not None, "it was not started"
        return self.process.output()

    def pids(self, *words: str) -> list[int]:
        """Return its processes whose command line has all `words`, such as "worker"."""
        assert self.process is not None, "it was not started"
        return [
            pid
            for pid in descendants(self.process.pid)
            if all(word in command_line(pid).split() for word in words)
        ]

    def _ready(self) -> bool:
        assert self.process is not None
        if not self.process.running:
            raise AssertionError(f"it did not start:\n{self.output()}")
        try:
            healthy = self.request("GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False
        return healthy and {MODERATION, CHECK} <= ready_to_judge(self.output()[self._earlier :])
