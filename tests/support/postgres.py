"""A private PostgreSQL cluster: real, fsync on, reached through a unix socket."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from tests.support.processes import Process, paused, short_folder
from tests.support.waiting import wait_until

INSTALL = "apt-get install -y postgresql"


def postgres_binaries() -> Path:
    """Return the folder with initdb and postgres; of several versions the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise AssertionError(f"PostgreSQL is not installed. As root: {INSTALL}")
    return Path(on_path).resolve().parent


def _version(initdb: Path) -> int:
    return int(initdb.parts[-3])


class PostgresCluster:
    """A cluster made with initdb in a temporary folder. Trusts whoever reaches its socket."""

    def __init__(self) -> None:
        self.binaries = postgres_binaries()
        self.folder = short_folder("pg")
        self.user = "postgres" if os.geteuid() == 0 else None
        self._process: Process | None = None
        if self.user:
            shutil.chown(self.folder, self.user, self.user)

    def create(self) -> "PostgresCluster":
        """Make the cluster's files."""
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
        return self

    def start(self, bound: float = 30.0) -> "PostgresCluster":
        """Start the server and return it once it takes connections.

        After a kill, backends of the old server may hold its memory for a
        moment: it is tried again until they are gone.
        """
        wait_until(self._try_to_start, bound, "PostgreSQL takes connections")
        return self

    @property
    def process(self) -> Process:
        """The running server's first process."""
        assert self._process is not None, "PostgreSQL was not started"
        return self._process

    def url(self, database: str) -> str:
        """Return the address of one database, as DATABASE_URL takes it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database like `template` and return its address."""
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting whoever is connected to it."""
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def answers(self) -> bool:
        """Return whether it takes connections."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop it in order, cutting open connections (a fast shutdown)."""
        self.process.stop(signal.SIGINT)

    def kill(self) -> None:
        """End the server and all its backends with SIGKILL."""
        self.process.kill()

    def paused(self) -> AbstractContextManager[None]:
        """Hold the server and all its backends still within a block."""
        return paused(self.process.family())

    def discard(self) -> None:
        """Stop it and delete its files."""
        if self._process is not None and self._process.running:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _try_to_start(self) -> bool:
        if self._process is None or not self._process.running:
            self._process = Process(
                [self.binaries / "postgres", "-D", self._data, "-k", self.folder,
                 "-c", "listen_addresses="],
                log=self.folder / "postgres.log",
                user=self.user,
                cwd=self.folder,
            )  # fmt: skip
        return self.answers()

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        address = f"host={self.folder} user=postgres dbname=postgres connect_timeout=2"
        return psycopg.connect(address, autocommit=True)

    def _admin(self, statement: str) -> None:
        with self._connect() as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str | Path) -> None:
        command: Sequence[str | Path] = [self.binaries / program, *arguments]
        subprocess.run(
            command, check=True, capture_output=True, user=self.user, group=self.user,
            extra_groups=[] if self.user else None, cwd=self.folder, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip
