"""Keeps one process for each job of the worker alive."""

import sys
from collections.abc import Sequence

import structlog

from service.local.processes import Child, Supervisor

#: A batch of slow comments takes a minute at the very worst; jobs are cut off then.
_STOP_SECONDS = 70.0

log = structlog.get_logger(__name__)


def supervise(roles: Sequence[str], module: str = "worker") -> None:
    """Run a process for each role, restart those that die, until told to stop.

    Each is started as `python -m MODULE ROLE`.
    The processes die with this one, should it be killed: what they had in hand
    is judged again.
    """
    supervisor = Supervisor(say=lambda what: log.warning("worker process died", what=what))
    for role in roles:
        command = [sys.executable, "-m", module, role]
        supervisor.start(Child(f"worker {role}", command, stop_seconds=_STOP_SECONDS))
    supervisor.watch()
    supervisor.stop()
