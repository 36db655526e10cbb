"""Replaying labelled comments against a running service, and what came of it."""

import csv
import gzip
import json
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any, TextIO, TypeVar, cast
from urllib.parse import urlsplit

#: How long one comment may take to be posted, and to be judged after that.
_POST_SECONDS = 120.0
_JUDGE_SECONDS = 300.0
_ANSWER_SECONDS = 30.0
_LONGEST_PAUSE = 2.0
#: Comments on one made-up page, as on a busy news article.
_THREAD_SIZE = 200

Advance = Callable[[], object]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled comment; `number` is its place in the file."""

    number: int
    text: str
    label: str
    name: str
    email: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: status, JSON body, seconds to wait before asking again."""

    status: int
    body: dict[str, Any]
    retry_after: float

    @property
    def accepted(self) -> bool:
        """Whether the service took the comment."""
        return self.status in (200, 202)


@dataclass(slots=True)
class Outcome:
    """What came of a replay.

    `waits` are the seconds from acceptance to verdict of each comment,
    `accept_seconds` those in which all were posted, `judge_seconds` those from
    the first acceptance to the last verdict.
    """

    posted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    accept_seconds: float = 0.0
    judge_seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """How many comments the service took."""
        return self.posted - sum(self.refused.values())


class UnreadableFile(Exception):
    """The file does not hold labelled comments; the message says what is wrong."""


class ServiceGone(Exception):
    """The service does not answer, or not in a way that can be worked with."""


def read_rows(path: Path, *, source: str | None = None, limit: int | None = None) -> list[Row]:
    """Return the comments of a CSV file (.csv or .csv.gz with columns text and label).

    `source` keeps those rows whose `source` column says so. Rows without an
    author's name or e-mail get made-up ones, different for each row and run.
    Raises UnreadableFile.
    """
    csv.field_size_limit(sys.maxsize)
    run = secrets.token_hex(3)
    try:
        with _open(path) as file:
            found = (row for row in csv.DictReader(file) if source in (None, row.get("source")))
            return [_row(number, row, run) for number, row in enumerate(islice(found, limit))]
    except KeyError as error:
        raise UnreadableFile(f"there is no column {error}") from error
    except (OSError, EOFError, ValueError, csv.Error) as error:
        raise UnreadableFile(str(error)) from error


def replay(
    rows: list[Row], url: str, key: str, *, connections: int, posted: Advance, judged: Advance
) -> Outcome:
    """Post all rows as fast as the service takes them and wait until all are judged.

    `posted` and `judged` are called once for each comment. Raises ServiceGone.
    """
    outcome = Outcome(posted=len(rows))
    with closing(_Service(url, key)) as service, ThreadPoolExecutor(connections) as pool:
        began = time.monotonic()
        answers = list(pool.map(_counting(service.post, posted), rows))
        outcome.accept_seconds = time.monotonic() - began
        outcome.refused.update(_reason(answer) for answer in answers if not answer.accepted)
        taken = [
            (row.label, answer.body["id"])
            for row, answer in zip(rows, answers, strict=True)
            if answer.accepted
        ]
        comments = pool.map(_counting(service.judged, judged), [name for _, name in taken])
        _add_verdicts(outcome, [label for label, _ in taken], list(comments))
    return outcome


def table(outcome: Outcome) -> str:
    """Return the outcome as lines of text."""
    lines = [f"posted                {outcome.posted:>8}"]
    lines += [f"accepted              {outcome.accepted:>8}"]
    lines += [f"refused               {sum(outcome.refused.values()):>8}"]
    lines += [f"  {count:>7}  {reason}" for reason, count in outcome.refused.most_common()]
    lines += ["", *_status_lines(outcome.statuses), ""]
    lines += [f"accepted per second   {_rate(outcome.accepted, outcome.accept_seconds)}"]
    lines += [f"judged per second     {_rate(len(outcome.waits), outcome.judge_seconds)}"]
    if len(outcome.waits) > 1:
        cuts = quantiles(outcome.waits, n=100, method="inclusive")
        lines += [f"202 to verdict        p50 {cuts[49]:.3f} s   p99 {cuts[98]:.3f} s"]
    return "\n".join(lines)


class _Service:
    """The service under replay; each thread keeps a connection of its own."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ServiceGone(f"{url!r} is not the address of a service.")
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._own = threading.local()
        self._all: list[HTTPConnection] = []

    def close(self) -> None:
        """Close every thread's connection."""
        for connection in self._all:
            connection.close()

    def post(self, row: Row) -> Answer:
        """Post a comment, again while the service is busy; return the final answer."""
        # The same key at every try, so that an answer that got lost posts nothing twice.
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        for pause in _pauses(_POST_SECONDS):
            answer = self._ask("POST", "/v1/comments", _submission(row), headers)
            if answer is not None and answer.status not in (429, 503):
                return _checked(answer)
            time.sleep(max(pause, answer.retry_after if answer else 0))
        raise ServiceGone(f"The service took no comment for {_POST_SECONDS:g} s.")

    def judged(self, comment_id: str) -> dict[str, Any]:
        """Return the comment once it is judged."""
        for pause in _pauses(_JUDGE_SECONDS):
            answer = self._ask("GET", f"/v1/comments/{comment_id}")
            if answer is not None and answer.body.get("status") not in (None, "pending"):
                return answer.body
            time.sleep(pause)
        raise ServiceGone(f"Comments still wait after {_JUDGE_SECONDS:g} s: is a worker running?")

    def _ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer | None:
        """Return the service's answer, None if the connection broke."""
        payload = None if body is None else json.dumps(body).encode()
        connection = self._connection()
        try:
            connection.request(method, path, payload, {**self._headers, **(headers or {})})
            response = connection.getresponse()
            return _answer(response.status, response.read(), response.getheader("Retry-After"))
        except (OSError, HTTPException):
            connection.close()
            return None

    def _connection(self) -> HTTPConnection:
        if not hasattr(self._own, "connection"):
            kind = HTTPSConnection if self._secure else HTTPConnection
            self._own.connection = kind(self._host, self._port, timeout=_ANSWER_SECONDS)
            self._all.append(self._own.connection)
        return cast(HTTPConnection, self._own.connection)


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _row(number: int, row: Mapping[str, str], run: str) -> Row:
    return Row(
        number=number,
        text=row["text"],
        label=row["label"],
        name=row.get("author_name") or f"Reader {run}{number}",
        email=row.get("author_email") or f"reader-{run}-{number}@replay.example.com",
        url=row.get("author_url") or "",
    )


def _submission(row: Row) -> dict[str, Any]:
    author = {"name": row.name, "email": row.email} | ({"url": row.url} if row.url else {})
    thread = {"id": f"replay-{row.number // _THREAD_SIZE}"}
    return {"thread": thread, "author": author, "body": row.text}


def _answer(status: int, raw: bytes, retry_after: str | None) -> Answer:
    try:
        body = json.loads(raw)
    except ValueError:
        body = {}
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    return Answer(status, body if isinstance(body, dict) else {}, seconds)


def _checked(answer: Answer) -> Answer:
    if answer.status in (401, 403):
        raise ServiceGone("The service does not accept the key.")
    return answer


def _add_verdicts(outcome: Outcome, labels: list[str], comments: list[dict[str, Any]]) -> None:
    times = [_times(comment) for comment in comments]
    outcome.waits = [(judged - accepted).total_seconds() for accepted, judged in times]
    outcome.statuses.update(
        (label, str(comment["status"])) for label, comment in zip(labels, comments, strict=True)
    )
    if times:
        first, last = min(times)[0], max(judged for _, judged in times)
        outcome.judge_seconds = (last - first).total_seconds()


def _reason(answer: Answer) -> str:
    """Return in a few words why a comment was refused: the first field error, or the title."""
    for error in answer.body.get("errors") or ():
        return f"{error['pointer']}: {error['detail']}"[:70]
    return f"{answer.status} {answer.body.get('title', '')}"[:70]


def _times(comment: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return when the comment was accepted and when it was judged."""
    accepted, judged = (datetime.fromisoformat(comment[at]) for at in ("created_at", "judged_at"))
    return accepted, judged


def _pauses(seconds: float) -> Iterator[float]:
    """Yield ever longer pauses between tries until `seconds` are over."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while time.monotonic() < deadline:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE)


def _counting(work: Callable[[T], R], advance: Advance) -> Callable[[T], R]:
    def counted(item: T) -> R:
        result = work(item)
        advance()
        return result

    return counted


def _status_lines(statuses: Counter[tuple[str, str]]) -> Iterable[str]:
    columns = sorted({status for _, status in statuses})
    yield f"{'label':<12}" + "".join(f"{name:>12}" for name in columns)
    for label in sorted({label for label, _ in statuses}):
        yield f"{label:<12}" + "".join(f"{statuses[label, name]:>12}" for name in columns)


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:>8.0f}" if seconds else "       -"
