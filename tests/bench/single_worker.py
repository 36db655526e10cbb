"""A worker that never tops a job up: what one job for each comment costs."""

from service import logs, settings
from service.jobs import MODERATION
from worker import processes, runtime

if __name__ == "__main__":
    setattr(runtime, "JOB_SIZE", 1)  # noqa: B010  # a constant for everybody else
    logs.configure(settings.load())
    processes.run(MODERATION, settings.load())
