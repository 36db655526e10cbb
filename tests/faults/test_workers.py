"""Workers die, hang and race: every comment is judged, once."""

import random
from collections.abc import Callable

from tests.faults.conftest import audited
from tests.support.ledger import Ledger
from tests.support.processes import SIGKILL, send
from tests.support.stack import Stack

LedgerOver = Callable[..., Ledger]


def kill_something(stack: Stack, chance: random.Random) -> str:
    """Kill a whole worker, only its supervisor, or only the process that judges."""
    victim = chance.choice(["all of it", "its supervisor", "the judging process"])
    worker = stack.workers[0]
    if victim == "the judging process":
        send(stack.judging(), SIGKILL)
    elif victim == "its supervisor":
        send([worker.pid], SIGKILL)
    if victim != "the judging process":
        stack.kill_worker(worker)
        stack.start_worker(wait=False)
    return victim


def test_killed_workers_cost_no_comment(
    stack: Stack, ledger_over: LedgerOver, window: float, chance: random.Random
) -> None:
    with ledger_over(stack) as ledger:
        while ledger.now() < window:
            ledger.let_pass(chance.uniform(1.5, 3.0))
            kill_something(stack, chance)

    audited(stack, ledger).stayed_alive()
