"""The worker's processes: one for each queue, one for the sweep."""

import gc
import signal
import time
from collections.abc import Callable
from threading import Event
from types import FrameType

import structlog
from redis import Redis

from service.digest import Digest
from service.domain.errors import StoreUnavailable
from service.jobs import CHECK, MODERATION, JobQueue
from service.keyring import Keyring
from service.moderation import Moderation
from service.settings import Settings
from service.storage import open_store
from worker import runtime
from worker.queue_worker import QueueWorker

SWEEP = "sweep"
ROLES = (MODERATION, CHECK, SWEEP)

_RETENTION_SECONDS = 3600.0
_DIGEST_SECONDS = 300.0

log = structlog.get_logger(__name__)


def run(role: str, settings: Settings) -> None:
    """Do the work of `role` until told to stop by SIGTERM or SIGINT."""
    log.info("worker process started", role=role)
    if role == SWEEP:
        _sweep(settings)
    else:
        _work(role, settings)
    log.info("worker process stopped", role=role)


def _work(queue: str, settings: Settings) -> None:
    # Loaded before the first job, which would otherwise wait for lists and patterns.
    ready = runtime.current()
    ready.warm_up()
    # Lists and patterns stay for good: collecting garbage need not look at them again.
    gc.freeze()
    log.info("ruleset loaded", ruleset=ready.ruleset_hash)
    QueueWorker(queue, Redis.from_url(settings.redis_url)).work(logging_level="WARNING")
    ready.close()


def _sweep(settings: Settings) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    store = open_store(settings.database_url)
    jobs = JobQueue(settings.redis_url)
    moderation = Moderation(store, jobs, Keyring(settings.secret_key), settings)
    digest = Digest(store, settings)
    written_at = -_DIGEST_SECONDS
    retained_at = -_RETENTION_SECONDS
    while not stop.wait(settings.sweep_seconds):
        _attempt("sweep", moderation.sweep)
        _attempt("search index", moderation.index)
        if time.monotonic() - written_at >= _DIGEST_SECONDS:
            written_at = time.monotonic()
            _attempt("digest", digest.run)
        if time.monotonic() - retained_at >= _RETENTION_SECONDS:
            retained_at = time.monotonic()
            _attempt("retention", moderation.retain)
            _attempt("likely spam", moderation.clear_likely_spam)
    jobs.close()
    store.close()


def _setting(stop: Event) -> Callable[[int, FrameType | None], None]:
    def tell(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    return tell


def _attempt(what: str, do: Callable[[], object]) -> None:
    """Run one round; a round that fails is told and the next one tries again."""
    try:
        do()
    except StoreUnavailable as error:
        log.warning("database away", what=what, error=str(error))
    except Exception:
        log.exception("round failed", what=what)
