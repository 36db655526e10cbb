"""`python -m tests.support.tampered_web`: the web server, standing still between commit and answer.

What it accepts is stored; then, before the request is answered and the job is
queued, it waits at the gate. Everything else is the web server as it ships.
"""

from typing import Any

from service import intake
from service.app import create_app
from service.settings import load
from service.web_server import serve
from tests.support.gate import Gate

MODULE = "tests.support.tampered_web"


def _load_application(_target: str) -> Any:
    settings = load()
    answer = intake._answer

    def answer_late(group: Any, outcomes: Any) -> None:
        Gate(settings.data_dir).pass_through()
        answer(group, outcomes)

    intake._answer = answer_late
    return create_app(settings)


if __name__ == "__main__":
    serve(load(), _load_application)
