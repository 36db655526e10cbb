"""The ledger: what clients know of the comments they sent, to be held against the record.

Clients send comments at a fixed rate, each under an id and an Idempotency-Key
of its own, and write down what they do before and after: `sent`, then `ack`
with the status, or `unknown` when no answer came. What is unknown is sent again
under the same key until there is an answer. Each line is on disk before the
client goes on. `Audit` then asks the record whether every promise was kept.
"""

import json
import os
import random
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from http.client import HTTPException
from itertools import count
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import sqlalchemy as sa

from service.domain.comment import Status
from service.domain.decision import EventKind
from service.storage import Store
from service.storage.tables import comments, events, verdicts
from tests.support.http_service import Answer, HttpService
from tests.support.waiting import wait_until
from tests.support.world import bearer, comment_json

#: Longer than the service takes to say that it cannot.
_PATIENCE = 6.0
_AGAIN_AFTER = 0.2
_PROBE_EVERY = 0.25
#: One comment of so many has them, and the rules hold it.
_SUSPICIOUS = 4
_LINKS = "http://example.com/a and http://example.org/b"

#: Statuses that a comment may leave, and what by: nothing here withdraws or erases.
_LEGAL = {
    EventKind.VERDICT: ({Status.PENDING}, {Status.APPROVED, Status.HELD}),
    EventKind.DECISION: (set(Status), {Status.APPROVED, Status.REJECTED, Status.SPAM}),
}


@dataclass(frozen=True)
class Line:
    """One line: at `at` seconds, `what` is sent, ack, unknown or alive."""

    at: float
    what: str
    key: str = ""
    status: int = 0
    id: str = ""
    problem: bool = False
    retry_after: bool = False


@dataclass(frozen=True)
class _Comment:
    payload: dict[str, Any]

    @property
    def key(self) -> str:
        key: str = self.payload["external_id"]
        return key

    @property
    def body(self) -> str:
        body: str = self.payload["body"]
        return body

    @property
    def suspicious(self) -> bool:
        return _LINKS in self.body


class Ledger:
    """Clients that send comments within the block, and what they wrote down."""

    def __init__(
        self,
        service: HttpService,
        path: Path,
        *,
        seed: int,
        clients: int = 8,
        per_second: float = 20.0,
    ) -> None:
        self.sent: dict[str, _Comment] = {}
        self._service = service
        self._path = path
        self._random = random.Random(seed)
        self._name = uuid4().hex
        self._pause = clients / per_second
        self._numbers = count(1)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._started = monotonic()
        self._threads = [
            threading.Thread(target=self._client, args=(index / per_second,))
            for index in range(clients)
        ]
        self._threads.append(threading.Thread(target=self._probe))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def now(self) -> float:
        """Return the time as the lines tell it."""
        return monotonic() - self._started

    def let_pass(self, seconds: float) -> None:
        """Let the clients send for so long."""
        end = monotonic() + seconds
        wait_until(lambda: monotonic() >= end, seconds + 5, "the window is over", every=0.05)

    def lines(self, what: str = "") -> list[Line]:
        """Return what is on file, of one kind if it is named."""
        with self._path.open() as file:
            lines = [Line(**json.loads(text)) for text in file]
        return [line for line in lines if not what or line.what == what]

    def outcomes(self, since: float = 0.0, until: float = float("inf")) -> list[Line]:
        """Return what came, before `until`, of what was sent after `since`."""
        found = []
        sent_at: dict[str, float] = {}
        for line in self.lines():
            if line.what == "sent":
                sent_at[line.key] = line.at
            elif line.key and sent_at[line.key] >= since and line.at <= until:
                found.append(line)
        return found

    def accepted(self) -> dict[str, set[str]]:
        """Return for each acknowledged key the ids that it was answered with."""
        found: dict[str, set[str]] = defaultdict(set)
        for line in self.lines("ack"):
            if line.status in (200, 202):
                found[line.key].add(line.id)
        return found

    def settle(self) -> None:
        """Send again, under the same keys, whatever was refused for want of a database."""
        for key in self.sent.keys() - self.accepted().keys():
            wait_until(partial(self._try, self.sent[key]), 30, f"{key} is accepted")

    def _client(self, offset: float) -> None:
        due = monotonic() + offset
        while not self._stop.wait(max(0.0, due - monotonic())):
            due += self._pause
            comment = self._next()
            while self._send(comment) is None and not self._stop.wait(_AGAIN_AFTER):
                pass

    def _next(self) -> _Comment:
        with self._lock:
            number = next(self._numbers)
            key = f"{self._name}-{number}"
            body = self._body(key, suspicious=self._random.randrange(_SUSPICIOUS) == 0)
            comment = _Comment(comment_json(body=body, external_id=key))
            self.sent[comment.key] = comment
        return comment

    def _body(self, key: str, *, suspicious: bool) -> str:
        # Too short to be known again: what is nearly the same soon counts as a campaign.
        ending = f"see {_LINKS}" if suspicious else "so – 評論 🙂"
        return f"Remark {key}:\n\tnaïvely,\n{ending}"

    def _try(self, comment: _Comment) -> bool:
        answer = self._send(comment)
        return answer is not None and answer.status in (200, 202)

    def _send(self, comment: _Comment) -> Answer | None:
        """Send once and write down what came of it; None if nothing did."""
        key = self._service.credentials["server_key"]
        headers = bearer(key) | {"Idempotency-Key": comment.key}
        self._write("sent", key=comment.key)
        try:
            answer = self._service.request(
                "POST", "/v1/comments", comment.payload, headers, timeout=_PATIENCE
            )
        except (OSError, HTTPException):
            self._write("unknown", key=comment.key)
            return None
        self._note(comment, answer)
        return answer

    def _note(self, comment: _Comment, answer: Answer) -> None:
        kind = answer.headers.get("Content-Type", "")
        self._write(
            "ack",
            key=comment.key,
            status=answer.status,
            id=answer.json()["id"] if answer.status in (200, 202) else "",
            problem=kind.startswith("application/problem+json") and b"Trace" not in answer.body,
            retry_after="Retry-After" in answer.headers,
        )

    def _probe(self) -> None:
        """Ask all the while whether the web server lives."""
        while not self._stop.wait(_PROBE_EVERY):
            try:
                status = self._service.request("GET", "/healthz", timeout=_PATIENCE).status
            except (OSError, HTTPException):
                status = 0
            self._write("alive", status=status)

    def _write(self, what: str, **members: Any) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(asdict(Line(self.now(), what, **members))) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Audit:
    """The record held against the ledger, once the fault has healed."""

    def __init__(self, ledger: Ledger, store: Store, output: str) -> None:
        self._ledger = ledger
        self._store = store
        self._output = output

    def check(self) -> None:
        """Fail if any promise was broken."""
        self.nothing_accepted_is_lost()
        self.nothing_is_there_twice()
        self.everything_is_judged_or_held_with_a_reason()
        self.every_story_is_whole()
        self.nothing_was_approved_by_a_fault()
        self.errors_were_told_properly()
        self.nothing_private_is_in_the_logs()

    def nothing_accepted_is_lost(self) -> None:
        """I1: what was acknowledged is there, as it was sent."""
        accepted = self._ledger.accepted()
        assert accepted, "nothing was accepted"
        bodies = {row.external_id: row.body for row in self._rows}
        lost = {key for key in accepted if bodies.get(key) != self._ledger.sent[key].body}
        assert not lost, f"lost or changed: {sorted(lost)}"

    def nothing_is_there_twice(self) -> None:
        """I2: one row for each id, and the same answer to each repetition."""
        keys = [row.external_id for row in self._rows]
        assert len(keys) == len(set(keys))
        for key, ids in self._ledger.accepted().items():
            assert ids == {row.id for row in self._rows if row.external_id == key}, key

    def everything_is_judged_or_held_with_a_reason(self) -> None:
        """I3: nothing is pending, and what is held says why."""
        assert {row.status for row in self._rows} <= {Status.APPROVED, Status.HELD}
        for row in self._rows:
            hits = self._evidence[row.id]["hits"]
            assert row.status != Status.HELD or any(hit["why"] for hit in hits), row.external_id

    def every_story_is_whole(self) -> None:
        """I4: one verdict each, and each change starts where the one before ended."""
        for row in self._rows:
            story = self._events[row.id]
            assert [event.kind for event in story].count(EventKind.VERDICT) == 1, story
            assert_story_is_whole(row, story)

    def nothing_was_approved_by_a_fault(self) -> None:
        """I6: what the rules hold is held; what they do not is approved."""
        for row in self._rows:
            suspicious = self._ledger.sent[row.external_id].suspicious
            wanted = Status.HELD if suspicious else Status.APPROVED
            assert row.status == wanted, (row.external_id, self._evidence[row.id])

    def errors_were_told_properly(self) -> None:
        """I7: each error answer is a problem document, and no trace of the code."""
        refused = [line for line in self._ledger.lines("ack") if line.status >= 400]
        assert all(line.problem for line in refused), refused
        assert {line.status for line in refused} <= {503}, refused

    def nothing_private_is_in_the_logs(self) -> None:
        """I7: neither keys nor texts nor addresses are in what the processes wrote."""
        private = ("Remark ", "@mail.example", "sk_", "pk_", "mt_", "postgresql://")
        told = [line for line in self._output.splitlines() if any(word in line for word in private)]
        assert not told, told[0][:300]

    def stayed_alive(self) -> None:
        """I8: /healthz was 200 all the while."""
        statuses = {line.status for line in self._ledger.lines("alive")}
        assert statuses == {200}

    @cached_property
    def _rows(self) -> Sequence[Any]:
        return rows_of(self._store, self._ledger)

    @cached_property
    def _events(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for row in self._select(events):
            found[row.comment_id].append(row)
        return found

    @cached_property
    def _evidence(self) -> dict[str, Any]:
        rows = self._select(verdicts)
        assert len({row.comment_id for row in rows}) == len(rows), "a comment has two verdicts"
        return {row.comment_id: row.evidence for row in rows}

    def _select(self, table: sa.Table) -> list[Any]:
        ids = [row.id for row in self._rows]
        with self._store.read() as db:
            return [
                row
                for some in _chunks(ids)
                for row in db.execute(
                    sa.select(table).where(table.c.comment_id.in_(some)).order_by(table.c.id)
                )
            ]


def assert_story_is_whole(row: Any, story: Sequence[Any]) -> None:
    """Fail unless the changes lead from the beginning to where the comment stands."""
    status, version = Status.PENDING, 1
    for event in story:
        origins, ends = _LEGAL[EventKind(event.kind)]
        assert event.from_status == status, story
        assert event.version == version + 1, story
        assert event.from_status in origins, story
        assert event.to_status in ends, story
        status, version = Status(event.to_status), event.version
    assert (row.status, row.version) == (status, version), story


def rows_of(store: Store, ledger: Ledger) -> list[Any]:
    """Return what the record has of the ledger's comments."""
    with store.read() as db:
        return [
            row
            for some in _chunks(list(ledger.sent))
            for row in db.execute(sa.select(comments).where(comments.c.external_id.in_(some)))
        ]


def wait_until_judged(store: Store, ledger: Ledger, bound: float = 30.0) -> None:
    """Return once none of the ledger's comments is pending."""

    def none_pending() -> bool:
        return all(row.status != Status.PENDING for row in rows_of(store, ledger))

    wait_until(none_pending, bound, "all comments are judged", every=0.1)


def _chunks(values: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
