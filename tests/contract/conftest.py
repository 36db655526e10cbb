"""Fixtures of the contract suite: it runs over every database that the service supports."""

from collections.abc import Iterator

import pytest

from service.storage import Store
from tests.contract.desk import Desk


@pytest.fixture
def desk(store: Store, redis_url: str) -> Iterator[Desk]:
    """The use cases over a fresh database and an empty Redis."""
    desk = Desk(store, redis_url)
    yield desk
    desk.close()


@pytest.fixture
def desk_without_redis(store: Store) -> Iterator[Desk]:
    """The use cases over a fresh database, with Redis away."""
    desk = Desk(store)
    yield desk
    desk.close()
