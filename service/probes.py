"""What the database and Redis say of themselves, asked with a bound on the wait.

Health and metrics must answer while a part is gone or hangs: a driver's own
timeouts do not cover a server that took the question and fell silent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from rq import Queue
from rq.utils import as_text
from rq.worker_registration import get_keys

from service.domain.comment import Status
from service.domain.errors import StoreUnavailable
from service.domain.ruleset import RuleState
from service.jobs import QUEUES, JobQueue
from service.storage import Store, rulesets
from service.storage.tables import comments

T = TypeVar("T")

#: Where workers count what they did: one hash of numbers.
WORK_COUNTS = "anteroom:metrics"
#: The memory policy under which Redis never throws jobs away.
SAFE_POLICY = "noeviction"

_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Probe(Generic[T]):
    """A question to another part; while it hangs, more askers share the one wait."""

    def __init__(self, question: Callable[[], T], seconds: float = _SECONDS) -> None:
        self._question = question
        self._seconds = seconds
        self._lock = Lock()
        self._answer: Future[T] | None = None

    def ask(self) -> T | None:
        """Return the answer; None when the part is away or does not answer in time."""
        try:
            return self._asked().result(self._seconds)
        except (StoreUnavailable, RedisError, OSError, TimeoutError) as error:
            log.warning("part away", error=type(error).__name__)
            return None

    def _asked(self) -> Future[T]:
        with self._lock:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                Thread(target=self._fill, args=(self._answer,), daemon=True).start()
            return self._answer

    def _fill(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._question())
        except BaseException as error:  # raised again by whoever waits for it
            answer.set_exception(error)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many comments wait in one status, and when the oldest was accepted."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """What the database knows of the work: waiting comments, the live ruleset and its state.

    `ruleset` is None before the first one, `put_aside` its rules in the shadow.
    """

    waiting: Mapping[Status, Waiting]
    ruleset: str | None
    put_aside: Sequence[RuleState]


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """Which ruleset a worker process runs, and which one it could not load; "" for none.

    `models` has the version of each model that it loaded, `models_failed` why it
    does without the others.
    """

    queue: str
    ruleset: str
    failed: str
    models: Mapping[str, str] = field(default_factory=dict)
    models_failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Motion:
    """What Redis knows of the work.

    `memory_policy` is None where Redis does not tell it; `workers` and `jobs`
    are numbers by queue, `counts` what workers counted, `rules` tells of each
    worker that judges.
    """

    memory_policy: str | None
    workers: Mapping[str, int]
    jobs: Mapping[str, int]
    counts: Mapping[str, float]
    rules: Sequence[WorkerRules]


def read_record(store: Store) -> Record:
    """Return what the database knows; raises StoreUnavailable when it is away."""
    waiting = dict.fromkeys((Status.PENDING, Status.HELD), Waiting(0, None))
    # Ids carry their time, so that the index alone answers for many thousands.
    query = (
        sa.select(comments.c.status, sa.func.count(), sa.func.min(comments.c.id))
        .where(comments.c.status.in_(waiting))
        .group_by(comments.c.status)
    )
    with store.read() as db:
        for status, count, oldest in db.execute(query):
            waiting[Status(status)] = Waiting(count, accepted_at(oldest))
        live = rulesets.live_version(db)
        put_aside = rulesets.states_of(db, live.number) if live else []
    return Record(waiting, live.hash if live else None, put_aside)


def accepted_at(comment_id: str) -> datetime:
    """Return the time that a comment's id carries."""
    return datetime.fromtimestamp((UUID(comment_id).int >> 80) / 1000, UTC)


def read_motion(jobs: JobQueue) -> Motion:
    """Return what Redis knows; raises RedisError when it is away."""
    redis = jobs.connection
    queues = [Queue(name, connection=redis) for name in QUEUES]
    return Motion(
        memory_policy=_memory_policy(redis),
        workers={queue.name: _workers(queue, redis) for queue in queues},
        jobs={queue.name: queue.count for queue in queues},
        counts=work_counts(redis),
        rules=[told for queue in queues for told in _rules(queue, redis)],
    )


def _memory_policy(redis: Redis) -> str | None:
    try:
        policy = redis.config_get("maxmemory-policy").get("maxmemory-policy")
    except ResponseError:  # managed servers do not let CONFIG be read
        return None
    return None if policy is None else str(policy)


def _workers(queue: Queue, redis: Redis) -> int:
    # A killed worker stays in the set, but its own key expires.
    keys = get_keys(queue=queue)
    return int(redis.exists(*keys)) if keys else 0


def _rules(queue: Queue, redis: Redis) -> Iterator[WorkerRules]:
    for key in sorted(get_keys(queue=queue)):
        told = redis.hmget(key, ["ruleset", "ruleset_failed", "models", "models_failed"])
        ruleset, failed, models, without = (as_text(each or "") for each in told)
        if told[0] is not None:
            yield WorkerRules(queue.name, ruleset, failed, _by_model(models), _by_model(without))


def _by_model(told: str) -> dict[str, str]:
    """Return what a worker tells of its models, such as `spam: 3f2a; abuse-en: 77c1`."""
    pairs = (each.partition(": ") for each in told.split("; ") if each)
    return {name: what for name, _, what in pairs}


def models_warning(workers: Sequence[WorkerRules]) -> str | None:
    """Return which models are not to be had, in words for operators; None if all are."""
    failed = {name: why for worker in workers for name, why in worker.models_failed.items()}
    if not failed:
        return None
    causes = "; ".join(f"{name} ({why})" for name, why in sorted(failed.items()))
    return f"Rules judge without these models: {causes}."


def work_counts(redis: Redis) -> dict[str, float]:
    """Return the figures that workers counted; raises RedisError."""
    return {as_text(name): float(value) for name, value in redis.hgetall(WORK_COUNTS).items()}
