"""Fresh, migrated databases, cheap enough for one a test."""

import shutil
from itertools import count
from pathlib import Path

from service import settings as service_settings
from service.storage import open_store
from tests.support.postgres import PostgresCluster

DIALECTS = ("sqlite", "postgresql")
_TEMPLATE = "anteroom_template"


def as_setting(url: str) -> str:
    """Return `url` as the settings would hold it."""
    return service_settings.load({"SECRET_KEY": "x" * 32, "DATABASE_URL": url}).database_url


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema."""
    store = open_store(as_setting(url))
    store.migrate()
    store.close()


class SqliteDatabases:
    """Copies of one migrated database file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = folder / "template.db"
        self._numbers = count(1)

    def fresh(self) -> str:
        """Return the address of a new, migrated, empty database."""
        if not self._template.exists():
            migrate(f"sqlite:///{self._template}")
        path = self._folder / f"{next(self._numbers)}.db"
        shutil.copyfile(self._template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """Delete the database at `url`."""
        path = Path(url.removeprefix("sqlite:///"))
        for leftover in path.parent.glob(f"{path.name}*"):
            leftover.unlink()


class PostgresDatabases:
    """Databases made from one migrated template."""

    def __init__(self, cluster: PostgresCluster) -> None:
        self._cluster = cluster
        self._ready = False
        self._numbers = count(1)

    def fresh(self) -> str:
        """Return the address of a new, migrated, empty database."""
        if not self._ready:
            migrate(self._cluster.create_database(_TEMPLATE))
            self._ready = True
        return self._cluster.create_database(f"test_{next(self._numbers)}", _TEMPLATE)

    def drop(self, url: str) -> None:
        """Drop the database at `url`."""
        self._cluster.drop_database(url.partition("?")[0].rpartition("/")[2])


Databases = SqliteDatabases | PostgresDatabases
