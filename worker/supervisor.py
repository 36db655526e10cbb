"""Keeps one process for each job of the worker alive."""

import gc
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from setproctitle import setproctitle

from service.local.processes import Child, Supervisor, fork
from worker.models.shelf import shipped_models
from worker.ruleset.shipped import load_ruleset

#: A batch of slow comments takes a minute at the very worst; jobs are cut off then.
_STOP_SECONDS = 70.0

log = structlog.get_logger(__name__)


def supervise(
    roles: Sequence[str], work: Callable[[str], None], title: str = "python -m worker"
) -> None:
    """Run a process that does `work(role)` for each role, restart those that die, until told to.

    Process lists show each as TITLE ROLE. The processes die with this one, should
    it be killed: what they had in hand is judged again.
    """
    # Before they fork: so it is in memory once, and a process that comes back is there at once.
    load_ruleset()
    shipped_models()
    gc.freeze()
    supervisor = Supervisor(say=lambda what: log.warning("worker process died", what=what))
    for role in roles:
        begin = fork(partial(_work, work, role, f"{title} {role}"))
        supervisor.start(Child(f"worker {role}", begin, stop_seconds=_STOP_SECONDS))
    supervisor.watch()
    supervisor.stop()


def _work(work: Callable[[str], None], role: str, title: str) -> None:
    setproctitle(title)
    work(role)
