"""The processes that are measured: Redis, a database, the web server, workers."""

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from service.domain.site import Caller, KeyKind
from service.keyring import Keyring, new_key
from service.settings import Settings
from service.settings import load as load_settings
from service.storage import Store, open_store
from service.storage.sites import add_key, caller_by_key, create_site
from tests.support.databases import migrate
from tests.support.postgres import PostgresCluster
from tests.support.processes import Process, free_port, python, short_folder
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until


@dataclass
class Stand:
    """One installation, its parts started one by one as a measurement needs them."""

    environ: dict[str, str]
    folder: Path
    key: str = field(default_factory=lambda: new_key(KeyKind.SERVER))

    @property
    def settings(self) -> Settings:
        """What the processes are told."""
        return load_settings(self.environ)

    @property
    def keyring(self) -> Keyring:
        """What depends on the installation's secret."""
        return Keyring(self.settings.secret_key)

    @property
    def url(self) -> str:
        """The address of the web server."""
        return f"http://127.0.0.1:{self.environ['PORT']}"

    def store(self) -> Store:
        """Return a store of the measurement's own."""
        return open_store(self.settings.database_url)

    def caller(self, store: Store) -> Caller:
        """Return the site that sends, made when first asked for."""
        now, keyring = datetime.now(UTC), self.keyring
        with store.write() as db:
            caller = caller_by_key(db, self.key, keyring=keyring, now=now)
            if caller is None:
                site = create_site(db, slug="bench", name="Bench", now=now)
                add_key(db, site.id, KeyKind.SERVER, self.key, keyring=keyring, now=now)
                caller = caller_by_key(db, self.key, keyring=keyring, now=now)
        assert caller is not None, "it was stored in this transaction"
        return caller

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Process]:
        """Run `python -m ARGUMENTS` within the block."""
        log = self.folder / f"{arguments[-1]}.log"
        process = Process(python("-m", *arguments), log=log, environ=os.environ | self.environ)
        try:
            yield process
        finally:
            process.stop(bound=60)

    @contextmanager
    def web(self, *arguments: str) -> Iterator[Process]:
        """Run the web server, or `arguments` in its place, within the block."""
        with self.running(*(arguments or ("service", "web"))) as process:
            wait_until(self._answers, 30, "the web server answers")
            yield process

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True


@contextmanager
def sqlite_stand() -> Iterator[Stand]:
    """Give an installation on SQLite."""
    folder = short_folder("bench")
    with _stand(f"sqlite:///{folder / 'bench.db'}", folder) as stand:
        yield stand


@contextmanager
def postgres_stand() -> Iterator[Stand]:
    """Give an installation on a PostgreSQL cluster of its own."""
    cluster = PostgresCluster().create().start()
    try:
        with _stand(cluster.create_database("bench"), short_folder("bench")) as stand:
            yield stand
    finally:
        cluster.discard()


@contextmanager
def _stand(database_url: str, folder: Path) -> Iterator[Stand]:
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        redis = RedisServer(folder).start()
        ending.callback(redis.discard)
        migrate(database_url)
        environ = {
            "SECRET_KEY": "a secret for measuring only, made up",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis.url,
            "DATA_DIR": str(folder),
            "PORT": str(free_port()),
        }
        yield Stand(environ, folder)
