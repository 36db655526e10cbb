"""`python -m tests.support.tampered_worker`: the worker with rules that misbehave on request.

A comment whose text holds one of the words below makes the rule do what the
word says. Everything else is the worker as it ships.
"""

import os
import resource
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

from service import logs
from service.jobs import CHECK, MODERATION, JobQueue
from service.settings import Settings, load
from service.storage import open_store
from tests.support.gate import FOREVER, Gate
from tests.support.judging import FixedRules
from worker import runtime
from worker.mailservers import MailServers
from worker.processes import ROLES, run
from worker.ruleset import Match, Rule
from worker.ruleset.shipped import load_ruleset
from worker.runtime import Runtime
from worker.signals.comment import Signals
from worker.supervisor import supervise

MODULE = "tests.support.tampered_worker"

RAISES = "rule-that-raises"
SLEEPS = "rule-that-sleeps"
EXITS = "rule-that-exits"
EATS_MEMORY = "rule-that-eats-memory"
#: Judging stops here until the test opens the gate, see `Gate`.
WAITS = "rule-that-waits"

_MORE_MEGABYTES = 256


def _raise() -> None:
    raise RuntimeError("as asked for")


def _eat_memory() -> None:
    eaten: list[bytes] = []
    while True:
        eaten.append(b"x" * 2**24)


def _tampered(settings: Settings) -> Runtime:
    deeds: dict[str, Callable[[], object]] = {
        RAISES: _raise,
        SLEEPS: lambda: threading.Event().wait(FOREVER),
        EXITS: lambda: os._exit(3),
        EATS_MEMORY: _eat_memory,
        WAITS: Gate(settings.data_dir).pass_through,
    }

    def check(signals: Signals) -> Match | None:
        for word, deed in deeds.items():
            if word in signals.comment.body:
                deed()
        return None

    ruleset = load_ruleset()
    rules = (Rule("tampered", "engine", 10, "Never seen", check), *ruleset.rules)
    store = open_store(settings.database_url)
    return Runtime(
        settings,
        store=store,
        jobs=JobQueue(settings.redis_url),
        rules=FixedRules(store, replace(ruleset, rules=rules)),
        mail_servers=MailServers(),
    )


def _bound_memory() -> None:
    """Let this process grow by so much and no more, as a container would."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _MORE_MEGABYTES * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Supervise one process for each job."""
    settings = load()
    logs.configure(settings)
    supervise(ROLES, partial(_work, settings), f"python -m {MODULE}")


def _work(settings: Settings, role: str) -> None:
    if role not in (MODERATION, CHECK):
        run(role, settings)
        return
    ready = _tampered(settings)
    _bound_memory()
    with patch.object(runtime, "current", lambda: ready):
        run(role, settings)


if __name__ == "__main__":
    main()
