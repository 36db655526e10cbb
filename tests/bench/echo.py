"""RQ alone: jobs that do nothing, on the worker that the service uses."""

from redis import Redis

from service import logs, settings
from worker.queue_worker import QueueWorker

QUEUE = "echo"
JOB = "tests.bench.echo.echo"


def echo(value: str) -> str:
    """Return what was given."""
    return value


if __name__ == "__main__":
    logs.configure(settings.load())
    QueueWorker(QUEUE, Redis.from_url(settings.load().redis_url)).work(logging_level="WARNING")
