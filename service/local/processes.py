"""Child processes: started together, restarted when they die, stopped in order."""

import ctypes
import multiprocessing
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: What the terminal sends to the whole process group. Only the supervisor heeds
#: it: the children would otherwise all stop at once instead of in order.
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGHUP})
_STOP = _FROM_TERMINAL | {signal.SIGTERM}

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

#: A process that lived this long may be restarted at once when it dies.
_STEADY_SECONDS = 10.0
_LONGEST_PAUSE = 10.0


def die_with_parent() -> None:
    """Have the kernel kill this process the moment its parent dies (Linux only).

    Killed outright, because everything here survives that, and a process that
    takes its time would keep the port or the data for itself.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Running(Protocol):
    """A process that was started, as `subprocess.Popen` shows it."""

    @property
    def returncode(self) -> int | None:
        """Its exit code as last seen; negative for the signal that ended it."""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired when that does not come in time."""

    def terminate(self) -> None:
        """Ask it to stop."""

    def kill(self) -> None:
        """End it."""


#: Starts a process that inherits the given file descriptors.
Begin = Callable[[Sequence[int]], Running]


def program(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Begin:
    """Return what starts a program; its environment is this process's own unless given."""
    return lambda inherited: subprocess.Popen(
        command, env=environment, pass_fds=inherited, preexec_fn=_prepare_child
    )


def fork(work: Callable[[], None]) -> Begin:
    """Return what starts a copy of this process that does `work` and ends.

    What was imported and loaded before is there at once, and in memory only once.
    """
    return lambda _inherited: _Fork(work)


class _Fork:
    def __init__(self, work: Callable[[], None]) -> None:
        self._process = _FORKING.Process(target=_do, args=(work,))
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("fork", timeout or 0.0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


_FORKING = multiprocessing.get_context("fork")


def _do(work: Callable[[], None]) -> None:
    _prepare_child()
    work()


@dataclass(slots=True)
class Child:
    """A process to keep alive; it may take `stop_seconds` to stop."""

    name: str
    begin: Begin
    stop_seconds: float
    process: Running | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    quick_deaths: int = 0

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps children alive until it is told to stop by Ctrl-C or SIGTERM.

    Must be used in the main thread: signals are waited for, not handled, and
    children are bound to the thread that started them.
    """

    def __init__(self, say: Callable[[str], None], inherited: Iterable[int] = ()) -> None:
        self._say = say
        self._inherited = tuple(inherited)
        self._children: list[Child] = []
        # Blocked already: then a supervisor above this one heeds the terminal.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP | {signal.SIGCHLD})
        self._heeded = (_STOP | {signal.SIGCHLD}) - (_FROM_TERMINAL & blocked)

    def start(self, child: Child) -> None:
        """Start a child; later ones are stopped before earlier ones."""
        self._children.append(child)
        self._spawn(child)

    def await_ready(self, child: Child, ready: Callable[[], bool], seconds: float) -> bool:
        """Return True when `ready` says so, False if the child dies first or time is up.

        Raises KeyboardInterrupt when told to stop meanwhile.
        """
        deadline = time.monotonic() + seconds
        while child.running and time.monotonic() < deadline:
            if ready():
                return True
            if self._told_to_stop(0.05):
                raise KeyboardInterrupt
        return False

    def watch(self) -> None:
        """Restart what dies, and say so, until told to stop."""
        while not self._told_to_stop(self._next_pause()):
            for child in self._children:
                self._revive(child)

    def stop(self) -> None:
        """Stop all children, the last started first, each after the one before is gone."""
        for child in reversed(self._children):
            self._stop_one(child)

    def _spawn(self, child: Child) -> None:
        child.process = child.begin(self._inherited)
        child.started_at = time.monotonic()
        child.restart_at = 0.0

    def _revive(self, child: Child) -> None:
        if child.running:
            return
        now = time.monotonic()
        if not child.restart_at:
            child.restart_at = now + self._note_death(child, now - child.started_at)
        if now >= child.restart_at:
            self._spawn(child)

    def _note_death(self, child: Child, lived: float) -> float:
        """Say that the child died and return how long to pause before it is started again."""
        child.quick_deaths = 0 if lived > _STEADY_SECONDS else child.quick_deaths + 1
        pause = 0.0 if child.quick_deaths < 2 else min(2.0**child.quick_deaths / 4, _LONGEST_PAUSE)
        when = f"in {pause:g} s" if pause else "now"
        self._say(f"{child.name} {_ending(child)}; starting it again {when}.")
        return pause

    def _next_pause(self) -> float | None:
        """Return how long to wait for a signal: until the next restart, or for good."""
        due = [child.restart_at for child in self._children if child.restart_at]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _told_to_stop(self, seconds: float | None) -> bool:
        """Wait for a signal, `seconds` at most; return whether it said to stop."""
        if seconds is None:
            return signal.sigwaitinfo(self._heeded).si_signo in _STOP
        heard = signal.sigtimedwait(self._heeded, seconds)
        return heard is not None and heard.si_signo in _STOP

    def _stop_one(self, child: Child) -> None:
        if child.process is None or not child.running:
            return
        child.process.terminate()
        try:
            child.process.wait(child.stop_seconds)
        except subprocess.TimeoutExpired:
            self._say(f"{child.name} did not stop in {child.stop_seconds:g} s; killing it.")
            child.process.kill()
            child.process.wait()


def _prepare_child() -> None:
    die_with_parent()
    signal.pthread_sigmask(signal.SIG_SETMASK, _FROM_TERMINAL)


def _ending(child: Child) -> str:
    code = child.process.returncode if child.process else 0
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"stopped with exit code {code}"
