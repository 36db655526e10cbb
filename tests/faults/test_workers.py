"""Workers die, hang and race: every comment is judged, once."""

import random
from collections.abc import Callable
from signal import SIGKILL

from service.domain.comment import CommentId
from service.domain.decision import EventKind
from tests.faults.conftest import RECOVERY, audited
from tests.support.gate import Gate
from tests.support.ledger import Ledger
from tests.support.processes import send
from tests.support.stack import Stack
from tests.support.tampered_worker import MODULE, WAITS
from tests.support.waiting import wait_until

LedgerOver = Callable[..., Ledger]

#: Longer than the test takes: nobody is called back from the gate.
PATIENT = {"RULE_SECONDS": "60"}


def kill_something(stack: Stack, chance: random.Random) -> None:
    """Kill a whole worker, only its supervisor, or only the process that judges."""
    victim = chance.choice(["worker", "supervisor", "judging process"])
    worker = stack.workers[0]
    if victim == "judging process":
        send(stack.judging(), SIGKILL)
        return
    if victim == "supervisor":
        send([worker.pid], SIGKILL)
    stack.kill_worker(worker)
    stack.start_worker(wait=False)


def judged_once(stack: Stack, comment_id: str) -> bool:
    """Return whether one verdict is all that happened to a comment."""
    return [event.kind for event in stack.events(comment_id)] == [EventKind.VERDICT]


def test_killed_workers_cost_no_comment(
    stack: Stack, ledger_over: LedgerOver, window: float, chance: random.Random
) -> None:
    with ledger_over(stack) as ledger:
        while ledger.now() < window:
            ledger.let_pass(chance.uniform(1.5, 3.0))
            kill_something(stack, chance)

    audited(stack, ledger).stayed_alive()


def send_batch_with_a_gate(stack: Stack) -> list[str]:
    """Send comments that are judged together, and return once a worker is amid them."""
    gate = Gate(stack.folder).close()
    with stack.judging_paused():
        ids = [stack.send() for _ in range(20)]
        ids.append(stack.send(body=f"Now the {WAITS}."))
        ids += [stack.send() for _ in range(20)]
    gate.wait_for_somebody()
    return ids


def test_a_worker_killed_amid_a_batch_leaves_it_to_the_next(stack: Stack) -> None:
    stack.replace_workers(MODULE, **PATIENT)
    ids = send_batch_with_a_gate(stack)
    assert {stack.comment(each)["status"] for each in ids} >= {"pending"}

    stack.replace_workers()

    for each in ids:
        assert stack.judged(each, RECOVERY)["status"] == "approved"
    wait_until(stack.queue_is_done, RECOVERY, "no job is left")
    assert all(judged_once(stack, each) for each in ids)


def test_with_the_settings_that_ship_a_dead_worker_s_batch_is_judged_soon(
    own_stack: Callable[..., Stack],
) -> None:
    stack = own_stack(MODULE, **PATIENT)
    ids = send_batch_with_a_gate(stack)

    stack.replace_workers()

    for each in ids:
        assert stack.judged(each, RECOVERY)["status"] == "approved"
    assert all(judged_once(stack, each) for each in ids)


def test_one_comment_in_a_hundred_jobs_on_many_workers_is_judged_once(
    stack: Stack, window: float
) -> None:
    for _ in range(3 if window > 30 else 1):
        stack.start_worker()
    with stack.judging_paused():
        comment_id = stack.send()
        assert all(stack.jobs.moderate([CommentId(comment_id)]) for _ in range(100))

    wait_until(stack.queue_is_done, RECOVERY, "all jobs are done")

    assert stack.comment(comment_id)["status"] == "approved"
    assert judged_once(stack, comment_id)


def test_a_worker_that_stood_still_comes_too_late(stack: Stack) -> None:
    gate = Gate(stack.folder).close()
    late = stack.replace_workers(MODULE, **PATIENT)
    comment_id = stack.send(body=f"Here the {WAITS}, but only one of two.")
    gate.wait_for_somebody()

    with stack.judging_paused():
        stack.start_worker()
        assert stack.judged(comment_id, RECOVERY)["status"] == "approved"
        gate.open()
    wait_until(lambda: "lost race" in late.output(), 10, "the late worker lost the race")

    assert judged_once(stack, comment_id)
