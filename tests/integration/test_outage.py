"""A PostgreSQL that falls silent: everybody hears of it soon, and of its return."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from service.domain.errors import StoreUnavailable
from service.storage import Store, open_store
from tests.support.databases import PostgresDatabases
from tests.support.postgres import PostgresCluster
from tests.support.waiting import wait_until

#: Far below the 3 and 12 seconds that the bounds of the driver add up to, and
#: far above the second that it takes on an idle machine.
_SOON = 2.5


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL that nobody else uses."""
    cluster = PostgresCluster().create().start()
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def databases(cluster: PostgresCluster) -> PostgresDatabases:
    """Where it keeps its databases."""
    return PostgresDatabases(cluster)


@pytest.fixture
def store(databases: PostgresDatabases) -> Iterator[Store]:
    """A store whose connections are made."""
    store = open_store(databases.fresh())
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: _ask(store), range(4)))
    yield store
    store.close()


def test_who_asks_a_silent_server_hears_soon_and_the_next_at_once(
    cluster: PostgresCluster, store: Store
) -> None:
    with cluster.paused():
        first = _refused_after(store)
        wait_until(lambda: _refused_after(store) < 0.5, 10, "the outage is known")
        with ThreadPoolExecutor(40) as threads:
            others = list(threads.map(lambda _: _refused_after(store), range(40)))

    assert first < _SOON
    assert max(others) < _SOON
    wait_until(lambda: _answers(store), 10, "the store is back")


def test_a_statement_under_way_ends_too(cluster: PostgresCluster, store: Store) -> None:
    with store.engine.connect() as db:
        _asked(db)
        with cluster.paused():
            began = time.monotonic()
            with pytest.raises(sa.exc.OperationalError):
                _asked(db)
            took = time.monotonic() - began

    assert took < _SOON
    wait_until(lambda: _answers(store), 10, "the store is back")


def test_a_slow_statement_is_no_outage(store: Store) -> None:
    with store.read() as db:
        assert db.exec_driver_sql("SELECT 1 FROM pg_sleep(2)").scalar_one() == 1
        _ask(store)


def _ask(store: Store) -> None:
    with store.read() as db:
        _asked(db)


def _asked(db: sa.Connection) -> None:
    db.exec_driver_sql("SELECT 1")


def _answers(store: Store) -> bool:
    try:
        _ask(store)
    except StoreUnavailable:
        return False
    return True


def _refused_after(store: Store) -> float:
    """Return the seconds after which the store says that it is away."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        _ask(store)
    return time.monotonic() - began
