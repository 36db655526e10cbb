"""Checks that wait at the same moment share a job, as comments on their way in share a commit.

RQ's bookkeeping costs more than judging does. A thread carries checks to the
workers; while it is away the next group gathers, and for as many as there were
at the last time it waits a little before it sets out again. If it stays away for
long, a second one sets out, so that a slow group keeps nobody waiting. A lone
check leaves at once.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from service.domain.errors import CheckUnavailable
from service.jobs import JobQueue

_CARRIERS = 2
_LARGEST_GROUP = 16
#: How long one carrier waits for the other to come back. Most groups are answered by then.
_TURN_SECONDS = 0.1
#: How long a group waits for more, as a part of how long the last one was away and at most:
#: longer and the worker idles, shorter and the group leaves without those just answered.
#: Half as long brought 10 % fewer checks a second (`python -m tests.bench check`).
_GATHERING_SHARE = 0.5
_GATHERING_SECONDS = 0.02
#: The part of a caller's time that the carrier has for saying that there is no answer.
_GRACE_SECONDS = 0.1

Payload = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Entry:
    payload: Payload
    deadline: float
    answer: "Future[Answer]" = field(default_factory=Future)


class Checks:
    """Has texts judged that are stored nowhere; one instance a web process."""

    def __init__(self, jobs: JobQueue, *, seconds: float) -> None:
        self._jobs = jobs
        self._seconds = seconds
        self._entries: SimpleQueue[_Entry] = SimpleQueue()
        self._carriers: list[threading.Thread] = []
        self._starting = threading.Lock()
        # One carrier gathers, the other is away or waits for its turn to gather.
        self._gathering = threading.Lock()
        self._back = threading.Event()
        self._back.set()
        # What the last group taught: how many ask at a time, and how long an answer takes.
        self._expected = 1
        self._away_seconds = 0.0

    def ask(self, payload: Payload, seconds: float | None = None) -> Answer:
        """Return status and verdict of the text in `payload`, as JSON values.

        Raises CheckUnavailable after `seconds`, or those that all checks are
        given, whatever a worker, the job queue or the carrier does meanwhile.
        """
        patience = self._seconds if seconds is None else seconds
        if patience <= _GRACE_SECONDS:
            raise CheckUnavailable("no time is left for a worker")
        self._ensure_carriers()
        entry = _Entry(payload, time.monotonic() + patience - _GRACE_SECONDS)
        self._entries.put(entry)
        try:
            return entry.answer.result(patience)
        except FutureTimeout as error:
            raise CheckUnavailable("no worker answered in time") from error

    def _ensure_carriers(self) -> None:
        # Started by the first check, not by the constructor: web servers fork
        # after the application is made, and threads do not survive that.
        if self._carriers and all(carrier.is_alive() for carrier in self._carriers):
            return
        with self._starting:
            self._carriers = [carrier for carrier in self._carriers if carrier.is_alive()]
            while len(self._carriers) < _CARRIERS:
                carrier = threading.Thread(target=self._carry, name="checks", daemon=True)
                carrier.start()
                self._carriers.append(carrier)

    def _carry(self) -> None:
        while True:
            with self._gathering:
                group = [self._entries.get()]
                self._back.wait(_TURN_SECONDS)
                self._gather(group)
                self._back.clear()
            started = time.monotonic()
            self._answer(group)
            self._away_seconds = time.monotonic() - started
            self._expected = len(group) + self._entries.qsize()
            self._back.set()

    def _gather(self, group: list[_Entry]) -> None:
        """Add what waits to `group`, and what comes in a moment where more is expected."""
        pause = min(_GATHERING_SHARE * self._away_seconds, _GATHERING_SECONDS)
        ends = time.monotonic() + pause
        while len(group) < _LARGEST_GROUP:
            left = ends - time.monotonic() if len(group) < self._expected else 0.0
            try:
                group.append(self._entries.get(block=left > 0, timeout=max(left, 0.0)))
            except Empty:
                return

    def _answer(self, group: Sequence[_Entry]) -> None:
        """Give every member its answer, or the error that there is none."""
        seconds = max(entry.deadline for entry in group) - time.monotonic()
        try:
            if seconds <= 0:
                raise CheckUnavailable("no worker answered in time")
            answers = self._jobs.check([entry.payload for entry in group], seconds)
            for entry, answer in zip(group, answers, strict=True):
                entry.answer.set_result(answer)
        except Exception as error:  # the thread must outlive whatever one group does
            for entry in group:
                if not entry.answer.done():
                    entry.answer.set_exception(error)
