"""Checks by Akismet clients: how long one waits, and how many a worker answers."""

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import sqlalchemy as sa
from rq import Queue
from rq.serializers import JSONSerializer

from service.domain.comment import Status
from service.domain.site import KeyKind
from service.jobs import connect
from service.keyring import new_key
from service.storage import Store
from service.storage.sites import add_key
from service.storage.tables import comments
from tests.bench.echo import JOB, QUEUE
from tests.bench.load import post
from tests.bench.measures import Measure, percentile
from tests.bench.stand import Stand
from tests.support.akismet import FORM, form
from tests.support.waiting import wait_until

_CHECKS = 200
_SECONDS = 8
#: Callers at the same time, of RQ alone and of the service alike.
_CALLERS = 8
_SCRIPT = Path(__file__).with_name("checks.lua")
_VERDICTS = (b"true", b"false")
_NUMBERS = count(1)


def measure(stand: Stand) -> list[Measure]:
    """Return the wait for a lone check, and the checks a second beside RQ's bare round trip."""
    store = stand.store()
    key = _akismet_key(stand, store)
    try:
        bare = _bare_round_trips(stand)
        with stand.web(), stand.running("worker", "check"):
            wait_until(lambda: _check(stand, key)[1] in _VERDICTS, 30, "a check is answered")
            waits = [_check(stand, key) for _ in range(_CHECKS)]
            before, started = _judged(store), time.perf_counter()
            post(stand.url, key, _SECONDS, connections=_CALLERS, script=_SCRIPT)
            rate = (_judged(store) - before) / (time.perf_counter() - started)
    finally:
        store.close()
    late = sum(said not in _VERDICTS for _, said in waits)
    milliseconds = [wait for wait, _ in waits]
    return [
        Measure("check: comment-check answered, p50", percentile(milliseconds, 0.5), "ms", 25,
                "less"),
        Measure("check: comment-check answered, p99", percentile(milliseconds, 0.99), "ms", 150,
                "less"),
        Measure("check: without a verdict in time", late, "of 200", 0, "less"),
        Measure("check: RQ alone, round trips by one worker", bare, "/s"),
        Measure("check: checks with a verdict by one worker", rate, "/s"),
        Measure("check: share of RQ alone", rate / bare, goal=0.6),
    ]  # fmt: skip


def _akismet_key(stand: Stand, store: Store) -> str:
    site, key = stand.caller(store).site, new_key(KeyKind.AKISMET)
    with store.write() as db:
        add_key(db, site.id, KeyKind.AKISMET, key, keyring=stand.keyring, now=datetime.now(UTC))
    return key


def _check(stand: Stand, key: str) -> tuple[float, bytes]:
    """Have one comment checked; return the milliseconds that took and what was said."""
    text = f"Comment {next(_NUMBERS)} at {datetime.now(UTC)} on what the commission found."
    body = form(key, comment_content=text)
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", int(stand.environ["PORT"]), timeout=10)
    connection.request("POST", "/1.1/comment-check", body, {"Content-Type": FORM})
    said = connection.getresponse().read()
    took = (time.perf_counter() - started) * 1000
    connection.close()
    return took, said


def _bare_round_trips(stand: Stand) -> float:
    """Return how many jobs that do nothing are answered a second."""
    with stand.running("tests.bench.echo"), ThreadPoolExecutor(_CALLERS) as callers:
        ask = partial(_ask_until, stand.settings.redis_url)
        assert ask(time.perf_counter() + 2) > 0, "the worker has started"
        ends = time.perf_counter() + _SECONDS
        answered = sum(callers.map(ask, [ends] * _CALLERS))
    return answered / _SECONDS


def _ask_until(redis_url: str, ends: float) -> int:
    queue = Queue(QUEUE, connection=connect(redis_url), serializer=JSONSerializer)
    answered = 0
    while time.perf_counter() < ends:
        job = queue.enqueue_call(JOB, args=("hello",), result_ttl=5, ttl=5)
        answered += job.latest_result(timeout=1) is not None
    queue.connection.close()
    return answered


def _judged(store: Store) -> int:
    with store.read() as db:
        waiting = comments.c.status != Status.PENDING
        return db.execute(sa.select(sa.func.count()).where(waiting)).scalar_one()
