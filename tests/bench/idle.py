"""How long a single comment waits for its verdict while nothing else goes on."""

import json
import time
import urllib.request
from datetime import UTC, datetime
from itertools import count
from typing import Any

from service.domain.comment import CommentId, Status
from service.storage import Store
from service.storage.comments import comment_by_id
from tests.bench.measures import Measure, percentile
from tests.bench.stand import Stand
from tests.support.processes import resident_megabytes
from tests.support.waiting import wait_until

_COMMENTS = 150
_NUMBERS = count(1)


def measure(stand: Stand) -> list[Measure]:
    """Return the time from the 202 to the recorded verdict."""
    store = stand.store()
    stand.caller(store)
    try:
        with stand.web(), stand.running("worker") as workers:
            _waited(stand, store)  # the first one also waits for the worker to start
            waits = [_waited(stand, store) for _ in range(_COMMENTS)]
            memory = max(resident_megabytes(pid) for pid in workers.family())
    finally:
        store.close()
    return [
        Measure("idle: 202 to verdict, p50", percentile(waits, 0.5), "ms", 60, "less"),
        Measure("idle: 202 to verdict, p99", percentile(waits, 0.99), "ms", 300, "less"),
        Measure("idle: memory of the largest worker process", memory, "MB", 260, "less"),
    ]


def _waited(stand: Stand, store: Store) -> float:
    comment_id = _post(stand)["id"]
    accepted = time.perf_counter()

    def judged() -> bool:
        with store.read() as db:
            comment = comment_by_id(db, CommentId(comment_id))
        return comment is not None and comment.status is not Status.PENDING

    wait_until(judged, 30, "the comment is judged", every=0.001)
    return (time.perf_counter() - accepted) * 1000


def _post(stand: Stand) -> Any:
    number = next(_NUMBERS)
    comment = {
        "thread": {"id": "idle"},
        "author": {"name": "Reader", "email": f"reader-{number}@example.org"},
        "body": f"Comment {number} at {datetime.now(UTC)} on what the commission found.",
    }
    request = urllib.request.Request(
        f"{stand.url}/v1/comments",
        json.dumps(comment).encode(),
        {"Authorization": f"Bearer {stand.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
