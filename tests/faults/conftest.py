"""What the fault tests share: seeds, windows, and running processes to be hurt."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from signal import SIGCONT

import pytest

from tests.support.databases import Databases, SqliteDatabases
from tests.support.ledger import Audit, Ledger, wait_until_judged
from tests.support.processes import send
from tests.support.redis_server import RedisServer
from tests.support.stack import HASTY, Stack
from tests.support.waiting import wait_until

_FULL_SEEDS = 20
_FULL_WINDOW = 60.0
_SHORT_WINDOW = 6.0
#: Whatever the fault, this long after it healed all is well again.
RECOVERY = 30.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that take a `seed` once, or at full length for twenty; the id tells it."""
    if "seed" not in metafunc.fixturenames:
        return
    seeds = _seeds(metafunc.config)
    metafunc.parametrize("seed", seeds, ids=[f"seed {seed}" for seed in seeds])


@cache
def _seeds(config: pytest.Config) -> list[int]:
    given = config.getoption("--seed")
    number = _FULL_SEEDS if config.getoption("--full-length") else 1
    # Where tests run side by side, all processes must come to the same seeds.
    run = getattr(config, "workerinput", {}).get("testrunuid")
    return [given] if given is not None else random.Random(run).sample(range(10_000), number)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the long form the time it takes."""
    if config.getoption("--full-length"):
        for item in items:
            item.add_marker(pytest.mark.timeout(10 * _FULL_WINDOW))


@pytest.fixture(scope="session")
def window(pytestconfig: pytest.Config) -> float:
    """How many seconds a fault is kept up under load."""
    return _FULL_WINDOW if pytestconfig.getoption("--full-length") else _SHORT_WINDOW


@pytest.fixture
def chance(seed: int) -> random.Random:
    """What is left to chance in this test."""
    return random.Random(seed)


# --- processes -----------------------------------------------------------------


@pytest.fixture(scope="session")
def stacks(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Stack]]:
    """Return a function that gives the stack over a kind of database, started when first needed."""
    running: dict[str, Stack] = {}

    def stack(dialect: str) -> Stack:
        if dialect not in running:
            databases: Databases = request.getfixturevalue(f"{dialect}_databases")
            running[dialect] = Stack(databases.fresh(), RedisServer().start(), HASTY)
            running[dialect].start()
        return running[dialect]

    yield stack
    for each in running.values():
        each.discard()
        each.redis.discard()


@pytest.fixture
def stack(seed: int, stacks: Callable[[str], Stack]) -> Iterator[Stack]:
    """A web server, a worker and a Redis, over the database that the seed chooses."""
    stack = stacks("postgres" if seed % 2 else "sqlite")
    yield stack
    heal(stack)


@pytest.fixture
def own_stack(sqlite_databases: SqliteDatabases, tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Return a function that starts a stack for this test alone; keywords set variables."""
    made: list[Stack] = []

    def start(module: str = "worker", **variables: str) -> Stack:
        stack = Stack(sqlite_databases.fresh(), RedisServer().start(), variables)
        made.append(stack)
        return stack.start(module)

    yield start
    for stack in made:
        stack.discard()
        stack.redis.discard()


def heal(stack: Stack) -> None:
    """End whatever fault a test left behind."""
    if not stack.redis.process.running:
        stack.redis.start()
    if len(stack.workers) != 1 or not stack.workers[0].running:
        stack.replace_workers()
    send(stack.worker_pids(), SIGCONT)
    wait_until(stack.serves, 30, "the web server answers")


# --- the ledger ----------------------------------------------------------------


@pytest.fixture
def ledger_over(seed: int, tmp_path: Path) -> Callable[..., Ledger]:
    """Return a function that opens a ledger of comments sent to a stack."""

    def open_ledger(stack: Stack, per_second: float = 20.0) -> Ledger:
        return Ledger(stack, tmp_path / "ledger.jsonl", seed=seed, per_second=per_second)

    return open_ledger


def audited(stack: Stack, ledger: Ledger, bound: float = RECOVERY) -> Audit:
    """Wait until all is judged, check every promise, and return the audit for more."""
    ledger.settle()
    wait_until_judged(stack.store, ledger, bound)
    audit = Audit(ledger, stack.store, stack.output())
    audit.check()
    return audit
