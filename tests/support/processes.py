"""Real processes for tests: start, watch, pause, kill; and what /proc tells of them."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a TCP port on loopback that nobody listens on now.

    It lies below those that the system gives away by itself, and no other
    process of this test run is given it.
    """
    while True:
        port = next(_ports)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _own_ports() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 10_000 + 2_000 * worker
    # Two runs on one machine begin at different ones.
    ports = range(first, first + 2_000)
    return cycle((*ports[os.getpid() % 2_000 :], *ports[: os.getpid() % 2_000]))


_ports = _own_ports()


def short_folder(label: str) -> Path:
    """Return a new folder whose path is short enough for unix sockets in it."""
    return Path(tempfile.mkdtemp(prefix=f"anteroom-{label}-", dir="/tmp"))


def children(pid: int) -> list[int]:
    """Return the ids of the processes that `pid` started and that still run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below `pid`, nearest first."""
    found = children(pid)
    for child in found:
        found += descendants(child)
    return list(dict.fromkeys(found))


def command_line(pid: int) -> str:
    """Return the command line of a process, "" when it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def resident_megabytes(pid: int) -> float:
    """Return the memory of a process that is resident now, shared pages included."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def ready_to_judge(output: str) -> set[str]:
    """Return the queues whose processes have said, in what they logged, that they can judge."""
    told = [line for line in output.splitlines() if '"ready to judge"' in line]
    return {json.loads(line[line.index("{") :])["role"] for line in told}


def alive(pid: int) -> bool:
    """Return whether the process runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def holds_file_lock(pid: int) -> bool:
    """Return whether the process holds what `flock` locks."""
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(
        kind == "FLOCK" and holder == str(pid)
        for _, kind, _, _, holder, *_ in locks
        if kind != "->"
    )


def send(pids: Sequence[int], number: Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class Process:
    """A program run by a test, in a process group of its own, its output in a file."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path = ROOT,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [str(part) for part in arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if environ is None else environ),
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_status(self) -> int | None:
        """The exit status, None while it runs; negative for a signal."""
        return self._popen.poll()

    def family(self) -> list[int]:
        """The process and everything below it."""
        return [self.pid, *descendants(self.pid)]

    def output(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(errors="replace")

    def tell(self, number: Signals) -> None:
        """Send a signal to the process alone."""
        send([self.pid], number)

    def stop(self, number: Signals = SIGTERM, bound: float = 20.0) -> int:
        """Ask it to end, wait, and return its exit status; kill it past the bound."""
        self.tell(number)
        try:
            return self._popen.wait(bound)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {bound:g} s after {number.name}") from None

    def kill(self) -> None:
        """End it and everything below it at once, and wait until they are gone."""
        family = self.family()
        send(family, SIGKILL)
        self._popen.wait()
        wait_until(lambda: not any(alive(pid) for pid in family), 10, "killed processes are gone")


@contextmanager
def paused(pids: Sequence[int]) -> Iterator[None]:
    """Hold processes still (SIGSTOP) within the block."""
    send(pids, SIGSTOP)
    try:
        yield
    finally:
        send(pids, SIGCONT)


def python(*arguments: str) -> list[str]:
    """Return the command that runs this interpreter with `arguments`."""
    return [sys.executable, *arguments]


def unread_connections(port: int) -> int:
    """Return how many connections to a port wait for the server to take or read them."""
    waiting = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        ours = int(local.rpartition(":")[2], 16) == port
        # 01: open, its queue counts bytes; 0A: listening, its queue counts connections.
        if ours and state in ("01", "0A") and int(queues.partition(":")[2], 16):
            waiting += 1
    return waiting


def waiting_for_lock(path: Path) -> int:
    """Return how many processes wait for the lock on a file."""
    inode = path.stat().st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and f":{inode} " in line for line in lines)
