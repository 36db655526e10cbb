"""Putting what is due onto the job queue. The outbox is the truth; a lost job is put again."""

from collections.abc import Callable
from datetime import datetime

from service.domain.clock import utc_now
from service.jobs import JobQueue
from service.storage import Store, akismet, database_now, outbox


def dispatch(store: Store, jobs: JobQueue, clock: Callable[[], datetime] = utc_now) -> int:
    """Queue a job for the endpoints that have something due; return how many those are.

    Nothing is done while such a job waits already, or while the job queue is away.
    """
    if jobs.deliveries_wait() is not False:
        return 0
    with store.read() as db:
        endpoints = outbox.due_endpoints(db, clock(), database_now(db))
        callbacks = akismet.callbacks_due(db, clock(), limit=1)
    if callbacks:
        jobs.call_back()
    return len(endpoints) if endpoints and jobs.deliver(endpoints) else 0
