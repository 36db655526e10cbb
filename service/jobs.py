"""The job queue: hands comments to the workers through RQ.

A job is a message about comments that the record already holds, so a job that
cannot be queued is no loss: the sweep finds what still waits. Jobs name their
functions by dotted name, because the service does not import the worker.
"""

import time
from collections.abc import Sequence
from math import ceil
from typing import Any, cast

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from service.domain.comment import CommentId
from service.domain.errors import CheckUnavailable

MODERATION = "moderation"
CHECK = "check"
WEBHOOKS = "webhooks"
#: Trials of rulesets, which may take minutes and which nobody waits for.
TRIALS = "trials"
QUEUES = (MODERATION, CHECK, WEBHOOKS, TRIALS)

MODERATE_JOB = "worker.jobs.moderate"
ALONE_JOB = "worker.jobs.moderate_alone"
CHECK_JOB = "worker.jobs.check"
EXAMINE_JOB = "worker.jobs.examine_rules"
TRY_JOB = "worker.jobs.try_rules"
TRIAL_JOB = "worker.jobs.run_trial"
DELIVER_JOB = "worker.jobs.deliver"
CALL_BACK_JOB = "worker.jobs.call_back"
FOLD_JOB = "worker.jobs.fold"
LEARN_JOB = "worker.jobs.learn"

#: A job of this many comments pays RQ's bookkeeping once for all of them; more
#: gains little and makes a lost job dearer.
JOB_SIZE = 64
#: From this attempt on a comment shares its job with no other, so that one that
#: kills its worker takes nobody along.
ALONE_FROM = 3

#: Reading a whole ruleset and running its tests takes seconds, and a person waits for it.
_RULES_PATIENCE = 4
_JOB_SECONDS = 60
#: A trial on a hundred thousand comments takes some minutes.
TRIAL_SECONDS = 3600
_FAILURE_SECONDS = 7 * 24 * 3600
#: Redis answers within a millisecond or is as good as away.
_CONNECT_SECONDS = 0.1
_ANSWER_SECONDS = 1.0
#: After a failure nobody waits for Redis again for this long.
_REST_SECONDS = 1.0

log = structlog.get_logger(__name__)


def connect(redis_url: str, *, answer_seconds: float | None = _ANSWER_SECONDS) -> "Redis":
    """Return a Redis client that fails fast instead of trying again by itself."""
    return Redis.from_url(
        redis_url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=RedisRetry(NoBackoff(), 0),
    )


class JobQueue:
    """Puts jobs on the queues; while Redis is away it says so without waiting."""

    def __init__(self, redis_url: str, *, check_seconds: float = 5.0) -> None:
        self.connection = connect(redis_url)
        self._check_seconds = check_seconds
        # Waiting for a check's answer blocks longer than any other call may.
        self._rules_seconds = _RULES_PATIENCE * check_seconds
        self._patient = connect(redis_url, answer_seconds=self._rules_seconds + _ANSWER_SECONDS)
        self._moderation = _queue(MODERATION, self.connection)
        self._check = _queue(CHECK, self._patient)
        self._trials = _queue(TRIALS, self.connection)
        self._webhooks = _queue(WEBHOOKS, self.connection)
        self._resting_until = 0.0

    def moderate(self, ids: Sequence[CommentId]) -> bool:
        """Queue one job that judges `ids`; return False if Redis is away."""
        return self._enqueue(self._moderation, MODERATE_JOB, list(ids))

    def moderate_alone(self, comment_id: CommentId) -> bool:
        """Queue a job for one comment that gave trouble, to be tried again thrice."""
        return self._enqueue(self._moderation, ALONE_JOB, [comment_id], retry=Retry(max=3))

    def deliver(self, endpoints: Sequence[int]) -> bool:
        """Queue one job that tells these endpoints what is due; return False if Redis is away."""
        return self._enqueue(self._webhooks, DELIVER_JOB, list(endpoints))

    def call_back(self) -> bool:
        """Queue a job that tells Akismet clients of late verdicts; False if Redis is away."""
        return self._enqueue(self._webhooks, CALL_BACK_JOB, None)

    def deliveries_wait(self) -> bool | None:
        """Return whether such a job waits already; None while Redis is away."""
        try:
            return self._webhooks.count > 0
        except RedisError:
            return None

    def check(self, payloads: Sequence[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        """Return status and verdict, as JSON values, of texts that are stored nowhere.

        `payloads` are what `worker.jobs.check` takes. Raises CheckUnavailable
        when no worker answers within `seconds`.
        """
        answers: list[dict[str, Any]] = self._ask(CHECK_JOB, list(payloads), seconds)["answers"]
        return answers

    def fold(self, text: str) -> dict[str, str]:
        """Return the text as each of the rules' views shows it, by the view's name.

        Raises CheckUnavailable as `check` does.
        """
        views: dict[str, str] = self._ask(FOLD_JOB, text)
        return views

    def examine_rules(self, source: dict[str, Any]) -> dict[str, Any]:
        """Return what a worker finds in a ruleset, as `worker.jobs.examine_rules` says.

        Waits four times as long as for a check, and then raises CheckUnavailable.
        """
        found: dict[str, Any] = self._ask(EXAMINE_JOB, source, self._rules_seconds)
        return found

    def try_rules(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return what a ruleset says of a made-up comment, as `worker.jobs.try_rules` says.

        Waits four times as long as for a check, and then raises CheckUnavailable.
        """
        said: dict[str, Any] = self._ask(TRY_JOB, payload, self._rules_seconds)
        return said

    def run_trial(self, trial_id: str) -> None:
        """Queue a trial that the record holds. Raises CheckUnavailable if Redis is away."""
        try:
            self._trials.enqueue_call(
                TRIAL_JOB,
                args=(trial_id,),
                timeout=TRIAL_SECONDS,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
                description="trial",
            )
        except RedisError as error:
            raise CheckUnavailable("the job queue is away") from error

    def learn(self, sites: Sequence[int]) -> bool:
        """Queue one job in which the learners of these sites learn; False if Redis is away.

        Beside the trials: it takes a while, and nobody waits for it.
        """
        return self._enqueue(self._trials, LEARN_JOB, list(sites), seconds=TRIAL_SECONDS)

    def _ask(self, function: str, argument: Any, seconds: float | None = None) -> Any:
        """Have the check queue's worker call a function, and wait for what it returns."""
        patience = self._check_seconds if seconds is None else seconds
        forgotten = ceil(patience) + 1
        try:
            job = self._check.enqueue_call(
                function,
                args=(argument,),
                timeout=_JOB_SECONDS,
                ttl=forgotten,
                result_ttl=forgotten,
                failure_ttl=forgotten,
                description="check",
            )
            return _await_result(job, patience)
        except RedisError as error:
            raise CheckUnavailable("the job queue is away") from error

    def backlog(self) -> int | None:
        """Return how many moderation jobs wait; None while Redis is away."""
        try:
            return self._moderation.count
        except RedisError:
            return None

    def depths(self) -> dict[str, int] | None:
        """Return how many jobs wait on each queue; None while Redis is away."""
        try:
            queues = (self._moderation, self._check, self._webhooks, self._trials)
            return {queue.name: queue.count for queue in queues}
        except RedisError:
            return None

    def close(self) -> None:
        """Give up all connections."""
        self.connection.close()
        self._patient.close()

    def _enqueue(
        self,
        queue: Queue,
        job: str,
        ids: Sequence[object] | None,
        retry: Retry | None = None,
        seconds: int = _JOB_SECONDS,
    ) -> bool:
        if time.monotonic() < self._resting_until:
            return False
        try:
            queue.enqueue_call(
                job,
                args=() if ids is None else (ids,),
                timeout=seconds,
                result_ttl=0,
                failure_ttl=_FAILURE_SECONDS,
                retry=retry,
                description=queue.name,
            )
        except RedisError as error:
            self._resting_until = time.monotonic() + _REST_SECONDS
            log.warning("job queue away", error=type(error).__name__, ids=len(ids or ()))
            return False
        return True


def _queue(name: str, connection: "Redis") -> Queue:
    return Queue(name, connection=connection, serializer=JSONSerializer)


def _await_result(job: Job, seconds: float) -> dict[str, Any]:
    # RQ itself waits whole seconds only, and otherwise asks once more for what came.
    key: str = Result.get_key(job.id)  # type: ignore[no-untyped-call]
    found: Any = job.connection.xread({key: "0-0"}, count=1, block=ceil(seconds * 1000))
    result = _result(job, *found[0][1][0]) if found else None
    if result is None or result.type is not Result.Type.SUCCESSFUL:
        job.delete()
        raise CheckUnavailable("no worker answered in time")
    return cast(dict[str, Any], result.return_value)


def _result(job: Job, entry: bytes, payload: dict[bytes, bytes]) -> Result:
    """Return the result that an entry of the job's stream holds."""
    return Result.restore(job.id, entry.decode(), payload, job.connection, job.serializer)
