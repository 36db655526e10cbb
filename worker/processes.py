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
from service.jobs import CHECK, MODERATION, TRIALS, WEBHOOKS, JobQueue
from service.keyring import Keyring
from service.moderation import Moderation
from service.moderation.learning import Learning
from service.settings import Settings
from service.storage import open_store
from service.webhooks.dispatch import dispatch
from worker import delivery, runtime
from worker.queue_worker import Facts, QueueWorker

SWEEP = "sweep"
ROLES = (MODERATION, CHECK, WEBHOOKS, TRIALS, SWEEP)

_HOUR = 3600.0
_DIGEST_SECONDS = 300.0
_WATCH_SECONDS = 30.0
#: What failed, perhaps for a database that is not there yet, is not left for an hour.
_AGAIN_SECONDS = 60.0
_LEARN_SECONDS = 300.0
#: How long a message to a website waits at most before somebody looks for it.
_DISPATCH_SECONDS = 1.0

log = structlog.get_logger(__name__)


def run(role: str, settings: Settings) -> None:
    """Do the work of `role` until told to stop by SIGTERM or SIGINT."""
    log.info("worker process started", role=role)
    if role == SWEEP:
        _sweep(settings)
    elif role == WEBHOOKS:
        _deliver(settings)
    else:
        _judge(role, settings)
    log.info("worker process stopped", role=role)


def _judge(queue: str, settings: Settings) -> None:
    # Loaded before the first job, which would otherwise wait for lists and patterns.
    ready = runtime.current()
    ready.warm_up()
    # Lists and patterns stay for good: collecting garbage need not look at them again.
    gc.freeze()
    log.info("ready to judge", role=queue, **ready.facts())
    _work(queue, settings, ready.facts)
    ready.close()


def _deliver(settings: Settings) -> None:
    ready = delivery.current()
    _work(WEBHOOKS, settings)
    ready.close()


def _work(queue: str, settings: Settings, facts: Facts | None = None) -> None:
    worker = QueueWorker(queue, Redis.from_url(settings.redis_url), facts)
    worker.work(logging_level="WARNING")


def _sweep(settings: Settings) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    store = open_store(settings.database_url)
    jobs = JobQueue(settings.redis_url)
    moderation = Moderation(store, jobs, Keyring(settings.secret_key), settings)
    rounds = (
        _Round("webhooks", _DISPATCH_SECONDS, lambda: dispatch(store, jobs)),
        _Round("sweep", settings.sweep_seconds, moderation.sweep),
        _Round("search index", settings.sweep_seconds, moderation.index),
        _Round("watch", _WATCH_SECONDS, moderation.watch),
        _Round("mending", _WATCH_SECONDS, moderation.mend),
        _Round("digest", _DIGEST_SECONDS, Digest(store, settings).run),
        _Round("learning", _LEARN_SECONDS, Learning(store, jobs).run),
        _Round("sampling", _HOUR, moderation.sample),
        _Round("retention", _HOUR, moderation.retain),
        _Round("keys", _HOUR, moderation.harden_keys),
        _Round("likely spam", _HOUR, moderation.clear_likely_spam),
    )
    while not stop.wait(min(_DISPATCH_SECONDS, settings.sweep_seconds)):
        for each in rounds:
            each.run_if_due()
    jobs.close()
    store.close()


def _setting(stop: Event) -> Callable[[int, FrameType | None], None]:
    def tell(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    return tell


class _Round:
    """Work that comes round every so many seconds; one that fails is told and comes again."""

    def __init__(self, what: str, seconds: float, do: Callable[[], object]) -> None:
        self._what = what
        self._seconds = seconds
        self._do = do
        self._due = float("-inf")

    def run_if_due(self) -> None:
        """Do the work if it is time."""
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + min(self._seconds, _AGAIN_SECONDS)
        try:
            self._do()
            self._due = now + self._seconds
        except StoreUnavailable as error:
            log.warning("database away", what=self._what, error=str(error))
        except Exception:
            log.exception("round failed", what=self._what)
