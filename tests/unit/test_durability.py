"""What SQLite keeps: on the disk when the turn to write is over, while others have theirs."""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from service.domain.errors import StoreUnavailable
from service.storage import Store, open_store
from service.storage.sites import create_site, list_sites
from tests.support.databases import migrate

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database with the schema and nothing else."""
    path = tmp_path / "a.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    """Return a store that is closed at the end."""
    store = open_store(f"sqlite:///{database}")
    yield store
    store.close()


def write_a_site(store: Store) -> None:
    """Write something."""
    with store.write() as db:
        create_site(db, slug="gazette", name="Gazette", now=NOW)


def test_what_was_written_is_synced_after_the_turn(
    store: Store, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        with Path(f"{database}.lock").open() as lock, store.read() as db:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while anybody has the turn
            assert [site.slug for site in list_sites(db)] == ["gazette"]

    monkeypatch.setattr(os, "fdatasync", sync)
    write_a_site(store)

    assert synced == [Path(f"{database}-wal")]


def test_a_database_behind_a_link_is_synced_where_it_is(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(database)
    synced = []
    monkeypatch.setattr(
        os, "fdatasync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink())
    )

    store = open_store(f"sqlite:///{link}")
    write_a_site(store)
    store.close()

    assert synced == [Path(f"{database}-wal")]


def test_a_disk_that_fails_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)

    with pytest.raises(StoreUnavailable):
        write_a_site(store)


def test_what_is_undone_is_not_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write_a_site(store)
    monkeypatch.setattr(os, "fdatasync", lambda _descriptor: pytest.fail("synced"))

    with pytest.raises(IntegrityError):
        write_a_site(store)
