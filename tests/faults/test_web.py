"""The web server is killed: who asks again under the same key learns what became of it."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from signal import SIGKILL

from tests.faults.conftest import RECOVERY, audited
from tests.support.gate import Gate
from tests.support.http_service import Answer
from tests.support.ledger import Ledger
from tests.support.processes import send
from tests.support.stack import HASTY, Stack
from tests.support.tampered_web import MODULE
from tests.support.waiting import wait_until
from tests.support.world import comment_json

OwnStack = Callable[..., Stack]
KEY = {"Idempotency-Key": "sent-before-the-end"}


def kill_web(stack: Stack, chance: random.Random) -> None:
    """Kill one process that answers requests, or the whole web server."""
    serving = stack.web_pids()
    if serving and chance.random() < 0.5:
        send([chance.choice(serving)], SIGKILL)
        return
    stack.web.kill()
    stack.start_web()
    wait_until(stack.serves, 30, "the web server is back")


def test_a_killed_web_server_breaks_no_promise(
    own_stack: OwnStack,
    ledger_over: Callable[..., Ledger],
    window: float,
    chance: random.Random,
) -> None:
    stack = own_stack(**HASTY)
    with ledger_over(stack, per_second=50) as ledger:
        while ledger.now() < window:
            ledger.let_pass(chance.uniform(1.0, 2.5))
            kill_web(stack, chance)
        wait_until(stack.serves, 30, "the web server is back")

    audited(stack, ledger)


def test_a_web_server_killed_between_commit_and_answer_keeps_what_it_stored(
    own_stack: OwnStack,
) -> None:
    stack = own_stack(**HASTY, COMMIT_TIMEOUT="30")
    stack.web.kill()
    sent, gate = comment_json(), Gate(stack.folder).close()
    stack.start_web(MODULE)
    wait_until(stack.serves, 30, "the tampered web server answers")

    with ThreadPoolExecutor(1) as client:
        unknown = client.submit(stack.post, sent, KEY)
        gate.wait_for_somebody()
        stack.web.kill()
        assert isinstance(unknown.exception(), OSError | HTTPException)

    stack.start_web()
    wait_until(stack.serves, 30, "the web server is back")
    answers: list[Answer] = [stack.post(sent, KEY) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[0].headers["idempotent-replayed"] == "true", "the first one was stored"
    assert stack.judged(answers[0].json()["id"], RECOVERY)["status"] == "approved"
