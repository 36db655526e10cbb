"""`python -m tests.support.tampered_web`: the web server, standing still between commit and job.

What it accepts is stored; then, before the job is queued and the request is
answered, it waits at the gate. Everything else is the web server as it ships.
"""

from typing import Any

from service.app import create_app
from service.jobs import JobQueue
from service.settings import load
from service.web_server import serve
from tests.support.gate import Gate

MODULE = "tests.support.tampered_web"


def _load_application(_target: str) -> Any:
    settings = load()
    queue = JobQueue.moderate

    def moderate(self: JobQueue, ids: Any) -> bool:
        Gate(settings.data_dir).pass_through()
        return queue(self, ids)

    JobQueue.moderate = moderate  # type: ignore[method-assign]
    return create_app(settings)


if __name__ == "__main__":
    serve(load(), _load_application)
