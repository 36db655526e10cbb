"""The whole service as real processes, started as an operator does."""

import http.client
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.processes import (
    Process,
    command_line,
    descendants,
    free_port,
    python,
    short_folder,
)
from tests.support.waiting import wait_until
from tests.support.world import bearer

#: Visitors of a test all come from one machine.
_LIMITS = {"ADDRESS_PER_MINUTE": "1000000", "EMAIL_PER_MINUTE": "1000000"}


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass
class Installation:
    """`python -m service run` on a free port with a data directory of its own.

    `environ` adds to its settings, such as DATABASE_URL and REDIS_URL.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: short_folder("live"))
    port: int = field(default_factory=free_port)
    process: Process | None = None

    def start(self, bound: float = 60.0) -> "Installation":
        """Start everything and return once a worker can judge."""
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
    def base_url(self) -> str:
        """The address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The first site's keys and the first moderator's token."""
        text = (self.folder / "data" / "credentials.json").read_text()
        found: dict[str, str] = json.loads(text)
        return found

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

    def request(
        self,
        method: str,
        path: str,
        payload: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Answer:
        """Send one request on a connection of its own; `payload` goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            body = None if payload is None else json.dumps(payload)
            kind = {} if payload is None else {"Content-Type": "application/json"}
            connection.request(method, path, body, {**kind, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, payload: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a comment with the server key."""
        sent = bearer(self.credentials["server_key"]) | dict(headers or {})
        return self.request("POST", "/v1/comments", payload, sent)

    def comment(self, comment_id: str) -> Any:
        """Return a comment as the website reads it."""
        sent = bearer(self.credentials["server_key"])
        answer = self.request("GET", f"/v1/comments/{comment_id}", headers=sent)
        assert answer.status == 200, answer.body
        return answer.json()

    def judged(self, comment_id: str, bound: float = 20.0) -> Any:
        """Return a comment once it is pending no more."""

        def settled() -> Any:
            found = self.comment(comment_id)
            return found if found["status"] != "pending" else None

        return wait_until(settled, bound, f"{comment_id} is judged")

    def _ready(self) -> bool:
        assert self.process is not None
        if not self.process.running:
            raise AssertionError(f"it did not start:\n{self.output()}")
        try:
            healthy = self.request("GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False
        return healthy and "ruleset loaded" in self.output()
