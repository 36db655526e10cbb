"""Work that one process at a time may do, whatever database they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from service.storage import Store, upkeep


@contextmanager
def turn(store: Store, name: str, seconds: float) -> Iterator[bool]:
    """Give True to the one that may work now; False to all others at the same time.

    `seconds` bounds how long a process that dies at work keeps the others waiting.
    """
    holder = str(uuid4())
    with store.write() as db:
        taken = upkeep.take_lease(db, name, holder, seconds)
    try:
        yield taken
    finally:
        if taken:
            with store.write() as db:
                upkeep.give_back_lease(db, name, holder)
