"""An RQ worker for one queue, made for many small jobs.

It runs jobs in its own process (a fork for each job cost twenty times as much)
and tells Redis that it is alive once a second instead of several times a job.
"""

from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from redis.client import Pipeline
from rq import SimpleWorker, worker_registration
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now

_BEAT_SECONDS = 1.0
#: How long Redis lists a worker that died, in seconds, and how often the
#: registries are tidied: RQ's defaults leave both for ten minutes.
_LISTED_SECONDS = 20
_TIDY_SECONDS = 30
_MONITOR_SECONDS = 5


#: What a worker process tells of itself.
Facts = Callable[[], Mapping[str, str]]


class QueueWorker(SimpleWorker):
    """Works on one queue: with two, RQ loses the job that a killed worker had."""

    log_result_lifespan = False

    def __init__(self, queue: str, connection: Any, facts: Facts | None = None) -> None:
        self._facts = facts
        super().__init__(
            [queue],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=_LISTED_SECONDS,
            maintenance_interval=_TIDY_SECONDS,
            job_monitoring_interval=_MONITOR_SECONDS,
            # Arguments are nobody's business.
            log_job_description=False,
        )

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Tell Redis that this worker lives, unless it was told within the second."""
        if pipeline is None and timeout is None and self._told_just_now():
            return
        super().heartbeat(timeout, pipeline)
        if pipeline is None:
            self._stay_listed()
        if self._facts and pipeline is None:
            # Beside what RQ keeps of a worker, so that it ends with that.
            for name, value in self._facts().items():
                self.connection.hset(self.key, name, value)

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Tell Redis what this worker does, if that changed."""
        if pipeline is not None or state != self.get_state():
            super().set_state(state, pipeline)

    def set_shutdown_requested_date(self) -> None:
        """Keep away from Redis inside a signal handler: a command may be under way."""

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the batch even when told twice: whoever is in a hurry kills the process."""

    def procline(self, message: str) -> None:
        """Leave the process its name: what it does now, Redis tells."""

    def _stay_listed(self) -> None:
        """Tell once more who this is: RQ says it at birth only, and Redis may have lost it."""
        if self.birth_date is None:
            return
        with self.connection.pipeline() as pipeline:
            # Written whole each time: to look for what is missing takes as long.
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
            pipeline.execute()

    def _told_just_now(self) -> bool:
        told = self.last_heartbeat
        return told is not None and (now() - told).total_seconds() < _BEAT_SECONDS

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log that a job failed and with what kind of error; a message may quote the comment."""
        kind = exc_info[0].__name__ if exc_info[0] else "unknown"
        self.log.error("job %s on %s failed: %s", job.id, job.origin, kind)
