"""How fast a full queue is judged, against the bare work and against a job for each comment."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count

import sqlalchemy as sa

from service.domain.comment import Author, Comment, CommentId, Status, Submission, ThreadRef
from service.domain.history import AuthorHistory
from service.domain.verdict import Verdict
from service.intake import Intake
from service.jobs import JOB_SIZE, JobQueue
from service.keyring import Keyring
from service.limits import Limiter
from service.storage import Store
from service.storage.tables import comments
from tests.bench.measures import Measure
from tests.bench.stand import Stand
from tests.support.rulesets import source_of
from tests.support.versions import publish
from tests.support.waiting import wait_until
from worker.context import Context
from worker.engine import judge
from worker.models.shelf import shipped_models
from worker.ruleset import Ruleset, load
from worker.ruleset.shipped import load_ruleset, shipped_source

_GROUPED = 6_000
_SINGLE = 600
_NUMBERS = count(1)
#: What a first version would have.
_HANDFUL = source_of(
    """
    - id: several-links
      category: spam
      points: 10
      why: "Contains {value} links from an author without a proven record"
      when: { links: { over: 1 }, author: { approved: { under: 1 } } }
    - id: word
      category: spam
      points: 10
      why: "Says {match}"
      when: { words: { list: words } }
    - id: domain
      category: spam
      points: 10
      why: "Links to {match}"
      when: { domains: { list: domains } }
    - id: same-text
      category: spam
      points: 10
      why: "The same text came {value} times before"
      when: { count: { of: text, per: 1h, over: 2 } }
    - id: honeypot
      category: spam
      points: 10
      why: "Filled a hidden field"
      when: { honeypot: true }
    """,
    {"words": "casino\nviagra\n", "domains": "spam-shop.com\n"},
)
_PROSE = "The report names the places and the dates, and what was done there. " * 10


def measure(stand: Stand) -> list[Measure]:
    """Return comments judged a second: bare, by jobs of many, by a job each.

    By a handful of rules, so that it is the way through the queue that is
    measured, and by those that ship, of which judging itself takes the most.
    """
    store = stand.store()
    jobs = JobQueue(stand.settings.redis_url)
    try:
        publish(store, _HANDFUL)
        few = _rates(stand, store, jobs, load(_HANDFUL))
        publish(store, shipped_source())
        all_ = _rates(stand, store, jobs, load_ruleset())
    finally:
        jobs.close()
        store.close()
    return [
        *_told("a handful of rules", few, times=10),
        *_told("the rules that ship", all_, times=None),
    ]


def _rates(
    stand: Stand, store: Store, jobs: JobQueue, ruleset: Ruleset
) -> tuple[float, float, float]:
    """Return comments a second: the bare loop's, by jobs of many, by a job each."""
    return (
        _bare(stand, _stored(stand, store, jobs, _GROUPED), ruleset),
        _by_worker(stand, store, jobs, JOB_SIZE, _GROUPED, "worker", "moderation"),
        _by_worker(stand, store, jobs, 1, _SINGLE, "tests.bench.single_worker"),
    )


def _told(rules: str, rates: tuple[float, float, float], times: float | None) -> list[Measure]:
    bare, grouped, single = rates
    return [
        Measure(f"judge, {rules}: bare loop on the raw driver", bare, "/s"),
        Measure(f"judge, {rules}: one worker, jobs of {JOB_SIZE}", grouped, "/s"),
        Measure(f"judge, {rules}: one worker, a job for each comment", single, "/s"),
        Measure(f"judge, {rules}: jobs of many, share of the bare loop", grouped / bare, goal=0.5),
        Measure(
            f"judge, {rules}: jobs of many, times a job for each", grouped / single, goal=times
        ),
    ]


def _stored(stand: Stand, store: Store, jobs: JobQueue, number: int) -> list[CommentId]:
    """Store comments that wait, by the door's own way but without jobs."""
    settings, caller = stand.settings, stand.caller(store)
    keyring = Keyring(settings.secret_key)
    intake = Intake(store, _NoJobs(), keyring, Limiter(jobs.connection), settings)
    ids = [intake.submit(caller, _submission()).comment_id for _ in range(number)]
    intake.close()
    return ids


class _NoJobs(JobQueue):
    """A job queue that loses everything."""

    def __init__(self) -> None:
        """Connect to nothing."""

    def moderate(self, ids: Sequence[CommentId]) -> bool:
        return False


def _submission() -> Submission:
    number = next(_NUMBERS)
    author = Author(name=f"Reader {number}", email=f"reader-{number}@example.org")
    return Submission(ThreadRef(f"article-{number % 50}"), author, f"Comment {number}. {_PROSE}")


def _bare(stand: Stand, ids: Sequence[CommentId], ruleset: Ruleset) -> float:
    """Load, judge and record on the raw driver: no queue, no library between."""
    raw = sqlite3.connect(stand.folder / "bench.db", isolation_level=None)
    raw.row_factory = sqlite3.Row
    raw.execute("PRAGMA synchronous = FULL")
    models = shipped_models()  # as the worker has them, whatever the rules ask for
    started = time.perf_counter()
    for batch in _batches(ids, JOB_SIZE):
        now = datetime.now(UTC)
        loaded = _load_raw(raw, batch)
        verdicts = [
            (comment, judge(comment, ruleset, Context(at=now, history=history, models=models)))
            for comment, history in loaded
        ]
        _record_raw(raw, verdicts, now)
    took = time.perf_counter() - started
    raw.close()
    return len(ids) / took


def _load_raw(
    raw: sqlite3.Connection, ids: Sequence[CommentId]
) -> list[tuple[Comment, AuthorHistory]]:
    """Return the comments, and what was decided of their authors' earlier ones."""
    rows = raw.execute(
        "SELECT c.*, s.slug, t.key, t.url, t.title FROM comments c"
        " JOIN sites s ON s.id = c.site_id JOIN threads t ON t.id = c.thread_id"
        f" WHERE c.status = 'pending' AND c.id IN ({_marks(ids)})",
        ids,
    ).fetchall()
    authors = [row["author_email_hash"] for row in rows]
    raw.execute(
        "SELECT author_email_hash, status, count(*) FROM comments WHERE site_id = ?"
        f" AND author_email_hash IN ({_marks(authors)}) AND status <> 'pending' GROUP BY 1, 2",
        [rows[0]["site_id"], *authors],
    ).fetchall()
    return [(_comment(row), AuthorHistory()) for row in rows]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _comment(row: sqlite3.Row) -> Comment:
    return Comment(
        id=row["id"],
        site_id=row["site_id"],
        site_slug=row["slug"],
        thread_id=row["thread_id"],
        thread=ThreadRef(row["key"], row["url"], row["title"]),
        status=Status(row["status"]),
        version=row["version"],
        author=Author(
            name=row["author_name"],
            email=row["author_email"],
            url=row["author_url"],
            ip=row["author_ip"],
            user_agent=row["author_user_agent"],
            referrer=row["author_referrer"],
            verified_id=row["author_verified_id"],
        ),
        body=row["body"],
        created_at=datetime.fromtimestamp(row["created_at"] / 1000, UTC),
        request_id=row["request_id"],
    )


def _record_raw(
    raw: sqlite3.Connection, verdicts: Sequence[tuple[Comment, Verdict]], now: datetime
) -> None:
    at = round(now.timestamp() * 1000)
    raw.execute("BEGIN IMMEDIATE")
    raw.executemany(
        "UPDATE comments SET status = ?, version = version + 1, severity = ?, judged_at = ?,"
        " pending_since = NULL WHERE id = ? AND status = 'pending' AND version = ?",
        [(v.status, v.severity, at, c.id, c.version) for c, v in verdicts],
    )
    raw.executemany(
        "INSERT INTO verdicts (comment_id, ruleset, status, at, evidence) VALUES (?, ?, ?, ?, ?)",
        [(c.id, v.ruleset, v.status, at, json.dumps(v.as_dict())) for c, v in verdicts],
    )
    raw.executemany(
        "INSERT INTO hits (comment_id, rule, category, needed) VALUES (?, ?, ?, ?)",
        [(c.id, hit.rule, hit.category, hit.needed) for c, v in verdicts for hit in v.hits],
    )
    raw.executemany(
        "INSERT INTO events (comment_id, at, kind, actor, from_status, to_status, version,"
        " reason, note) VALUES (?, ?, 'verdict', 'rules', 'pending', ?, ?, '', '')",
        [(c.id, at, v.status, c.version + 1) for c, v in verdicts],
    )
    raw.execute("COMMIT")


def _by_worker(
    stand: Stand, store: Store, jobs: JobQueue, size: int, number: int, *worker: str
) -> float:
    """Fill the queue, then let one worker process empty it; return its rate."""
    ids = _stored(stand, store, jobs, number)
    for batch in _batches(ids, size):
        jobs.moderate(batch)
    with stand.running(*worker):
        wait_until(_none_waits(store), 300, "all are judged", every=0.05)
    return _rate(store, ids)


def _none_waits(store: Store) -> Callable[[], bool]:
    waiting = sa.select(sa.func.count()).where(comments.c.status == Status.PENDING)

    def none() -> bool:
        with store.read() as db:
            return db.execute(waiting).scalar_one() == 0

    return none


def _rate(store: Store, ids: Sequence[CommentId]) -> float:
    """Return comments a second between the first and the last verdict."""
    times = sa.select(comments.c.judged_at).where(comments.c.id >= ids[0], comments.c.id <= ids[-1])
    with store.read() as db:
        judged = sorted(db.execute(times).scalars())
    first_batch = judged.count(judged[0])
    took: float = (judged[-1] - judged[0]).total_seconds()
    return (len(judged) - first_batch) / took


def _batches(ids: Sequence[CommentId], size: int) -> Iterator[Sequence[CommentId]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
