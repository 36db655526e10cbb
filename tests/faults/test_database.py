"""PostgreSQL stops, hangs and dies: nothing is promised meanwhile, and nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.faults.conftest import audited
from tests.support.databases import PostgresDatabases
from tests.support.ledger import Ledger
from tests.support.postgres import PostgresCluster
from tests.support.redis_server import RedisServer
from tests.support.stack import HASTY, Stack
from tests.support.waiting import wait_until

LedgerOver = Callable[..., Ledger]
Fault = Callable[[PostgresCluster], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL that nobody else uses."""
    cluster = PostgresCluster().create().start()
    yield cluster
    cluster.discard()


@pytest.fixture(scope="module")
def stack_on_postgres(cluster: PostgresCluster) -> Iterator[Stack]:
    """A stack over that PostgreSQL."""
    redis = RedisServer().start()
    stack = Stack(PostgresDatabases(cluster).fresh(), redis, HASTY)
    yield stack.start()
    stack.discard()
    redis.discard()


@contextmanager
def stopped(cluster: PostgresCluster) -> Iterator[None]:
    """Stop it in order, and start it after the block."""
    cluster.stop()
    yield
    cluster.start()


@contextmanager
def killed(cluster: PostgresCluster) -> Iterator[None]:
    """Kill it, and start it after the block."""
    cluster.kill()
    yield
    cluster.start()


@pytest.mark.parametrize("fault", [stopped, PostgresCluster.paused, killed])
def test_while_the_database_is_away_nothing_is_accepted_and_nothing_lost(
    fault: Fault,
    cluster: PostgresCluster,
    stack_on_postgres: Stack,
    ledger_over: LedgerOver,
    window: float,
) -> None:
    stack = stack_on_postgres
    with ledger_over(stack) as ledger:
        ledger.let_pass(1)
        with fault(cluster):
            began = ledger.now()
            ledger.let_pass(window / 2)
            ready = stack.request("GET", "/readyz")
            ended = ledger.now()
        ledger.let_pass(1)
        wait_until(lambda: stack.request("GET", "/readyz").status == 200, 30, "ready again")

    assert (ready.status, ready.json()["database"]["reachable"]) == (503, False)
    outcomes = ledger.outcomes(began, ended)
    assert {(line.what, line.status, line.retry_after) for line in outcomes} == {("ack", 503, True)}
    audited(stack, ledger).stayed_alive()
