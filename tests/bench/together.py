"""Accepting and judging at once: what the whole machine does, and whether it keeps up."""

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

from service.domain.comment import Status
from service.storage import Store
from service.storage.tables import comments
from tests.bench.load import post
from tests.bench.measures import Measure
from tests.bench.pacing import post_at_rate
from tests.bench.stand import Stand
from tests.support.waiting import wait_until

_SECONDS = 12
_SHARE = 0.7


def measure(stand: Stand) -> list[Measure]:
    """Return the rate of comments accepted and decided, and the backlog at 0.7 of it."""
    store = stand.store()
    stand.caller(store)
    try:
        with stand.web(), stand.running("worker"):
            post(stand.url, stand.key, 2, connections=4)
            wait_until(_nothing_waits(store), 120, "the worker has started")
            decided = _saturated(stand, store)
            wait_until(_nothing_waits(store), 300, "the backlog is judged")
            reached, halfway, final = _at_rate(stand, store, decided * _SHARE)
    finally:
        store.close()
    return [
        Measure("together: accepted and decided at saturation", decided, "/s"),
        Measure(f"together: accepted at {_SHARE} of that", reached, "/s"),
        Measure("together: waiting halfway", halfway, "comments"),
        Measure("together: waiting at the end", final, "comments"),
        Measure("together: growth of the backlog, share of what came",
                max(0.0, final - halfway) / (reached * _SECONDS / 2), goal=0.05, better="less"),
    ]  # fmt: skip


def _saturated(stand: Stand, store: Store) -> float:
    """Post as fast as it goes; return how many were decided a second meanwhile."""
    before, started = _decided(store), time.perf_counter()
    post(stand.url, stand.key, _SECONDS)
    return (_decided(store) - before) / (time.perf_counter() - started)


def _at_rate(stand: Stand, store: Store, rate: float) -> tuple[float, int, int]:
    """Post at `rate`; return the rate reached, and what waits halfway and at the end."""
    waiting: list[int] = []
    halfway = threading.Timer(_SECONDS / 2, lambda: waiting.append(_count(store, Status.PENDING)))
    halfway.start()
    reached = post_at_rate(stand.url, stand.key, rate, _SECONDS)
    waiting.append(_count(store, Status.PENDING))
    halfway.join()
    return reached, waiting[0], waiting[-1]


def _nothing_waits(store: Store) -> Callable[[], bool]:
    return lambda: _count(store, Status.PENDING) == 0


def _count(store: Store, status: Status) -> int:
    with store.read() as db:
        counted = sa.select(sa.func.count()).where(comments.c.status == status)
        return db.execute(counted).scalar_one()


def _decided(store: Store) -> int:
    return _count(store, Status.APPROVED) + _count(store, Status.HELD)
