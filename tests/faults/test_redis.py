"""Redis dies, stays away and forgets: comments are accepted all the while, and judged after."""

import random
from collections.abc import Callable

from tests.faults.conftest import audited
from tests.support.ledger import Ledger
from tests.support.processes import paused
from tests.support.stack import Stack
from tests.support.waiting import wait_until

LedgerOver = Callable[..., Ledger]


def readiness_of(stack: Stack) -> dict[str, object]:
    """Return what /readyz says of Redis; comments can be accepted without it."""
    answer = stack.request("GET", "/readyz")
    assert answer.status == 200
    told: dict[str, object] = answer.json()["redis"]
    return told


def test_a_killed_redis_costs_no_comment_however_it_keeps_its_file(
    stack: Stack, ledger_over: LedgerOver, window: float, chance: random.Random
) -> None:
    with ledger_over(stack, per_second=50) as ledger:
        while ledger.now() < window:
            ledger.let_pass(chance.uniform(0.5, window / 3))
            stack.redis.kill()
            stack.redis.fsync = chance.choice(["everysec", "always"])
            ledger.let_pass(chance.uniform(0, 1))
            stack.redis.start()

    audited(stack, ledger).stayed_alive()
    assert {line.status for line in ledger.outcomes()} == {202}


def test_while_redis_is_away_comments_are_accepted(
    stack: Stack, ledger_over: LedgerOver, window: float
) -> None:
    with ledger_over(stack) as ledger:
        ledger.let_pass(1)
        stack.redis.stop()
        assert readiness_of(stack)["reachable"] is False
        ledger.let_pass(window)
        stack.redis.start()
        wait_until(lambda: readiness_of(stack)["reachable"], 10, "Redis is seen again")

    audited(stack, ledger).stayed_alive()
    assert {line.status for line in ledger.outcomes()} == {202}


def test_a_flushed_queue_is_found_again(
    stack: Stack, ledger_over: LedgerOver, window: float, chance: random.Random
) -> None:
    with ledger_over(stack) as ledger:
        with paused(stack.worker_pids()):
            ledger.let_pass(window / 2)
            assert stack.jobs.backlog()
            stack.redis.client().flushall()
        ledger.let_pass(chance.uniform(0, window / 2))
        stack.redis.client().flushall()

    audited(stack, ledger).stayed_alive()
    assert {line.status for line in ledger.outcomes()} == {202}


def test_two_hundred_comments_sent_without_redis_are_judged_with_it(stack: Stack) -> None:
    stack.redis.stop()
    ids = [stack.send() for _ in range(200)]
    stack.redis.start()

    assert {stack.judged(each, 30)["status"] for each in ids} == {"approved"}


def test_two_hundred_comments_whose_jobs_were_flushed_are_judged(stack: Stack) -> None:
    with paused(stack.worker_pids()):
        ids = [stack.send() for _ in range(200)]
        stack.redis.client().flushall()

    assert {stack.judged(each, 30)["status"] for each in ids} == {"approved"}
