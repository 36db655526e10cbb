"""The commands of `python -m service`, one module for each kind of work."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.local import Refused, installed
from service.storage import Store, open_store


@contextmanager
def migrated_store() -> Iterator[Store]:
    """Give the store of the settings; raises Refused unless its schema is current."""
    store = open_store(installed.load().database_url)
    try:
        if not store.is_current():
            raise Refused("The database is not migrated; run: python -m service migrate")
        yield store
    finally:
        store.close()
