"""The worker's processes: one for each queue, one for the sweep."""

import gc
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from types import FrameType

import structlog
from redis import Redis

from service.domain.errors import StoreUnavailable
from service.jobs import CHECK, MODERATION, TRIALS, JobQueue
from service.keyring import Keyring
from service.moderation import Moderation
from service.settings import Settings
from service.storage import open_store
from worker import runtime
from worker.queue_worker import QueueWorker

SWEEP = "sweep"
ROLES = (MODERATION, CHECK, TRIALS, SWEEP)

_HOUR = 3600.0
_WATCH_SECONDS = 30.0

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
    log.info("ready to judge", **ready.facts())
    QueueWorker(queue, Redis.from_url(settings.redis_url), ready.facts).work(
        logging_level="WARNING"
    )
    ready.close()


def _sweep(settings: Settings) -> None:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    store = open_store(settings.database_url)
    jobs = JobQueue(settings.redis_url)
    moderation = Moderation(store, jobs, Keyring(settings.secret_key), settings)
    rounds = [
        _Round("sweep", 0.0, moderation.sweep),
        _Round("watch", _WATCH_SECONDS, moderation.watch),
        _Round("mending", _WATCH_SECONDS, moderation.mend),
        _Round("sampling", _HOUR, moderation.sample),
        _Round("retention", _HOUR, moderation.retain),
    ]
    while not stop.wait(settings.sweep_seconds):
        for each in rounds:
            each.run_if_due()
    jobs.close()
    store.close()


def _setting(stop: Event) -> Callable[[int, FrameType | None], None]:
    def tell(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    return tell


@dataclass(slots=True)
class _Round:
    """Something to do again and again, `every` so many seconds at the most often."""

    what: str
    every: float
    do: Callable[[], object]
    done_at: float = float("-inf")

    def run_if_due(self) -> None:
        """Do it if it is time; what fails is told, and tried again next time."""
        if time.monotonic() - self.done_at < self.every:
            return
        self.done_at = time.monotonic()
        try:
            self.do()
        except StoreUnavailable as error:
            log.warning("database away", what=self.what, error=str(error))
        except Exception:
            log.exception("round failed", what=self.what)
