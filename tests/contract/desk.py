"""The use cases over one fresh database, without web and without rules."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any, TypeVar

import sqlalchemy as sa
from rq import Queue
from rq.serializers import JSONSerializer

from service import settings as service_settings
from service.domain.clock import utc_now
from service.domain.comment import Author, Comment, CommentId, Status, Submission, ThreadRef
from service.domain.decision import Decision, Event, EventKind, Moderator, Role
from service.domain.site import Caller, KeyKind, Site
from service.domain.verdict import Hit, RuleError, Span, Total, Verdict
from service.jobs import MODERATION, JobQueue
from service.keyring import Keyring, new_key
from service.moderation import Moderation
from service.settings import Settings
from service.storage import Store, database_now, judging
from service.storage.comments import comment_by_id, events_of, verdict_of
from service.storage.intake import Accepted, Waiting, accept
from service.storage.people import create_moderator
from service.storage.sites import add_key, create_site
from service.storage.tables import comments

T = TypeVar("T")

SECRET = "a secret that only the contract tests know"
#: An address at which no Redis ever answers.
NO_REDIS = "unix:///nonexistent/redis.sock"

_numbers = count(1)


def settings_of(**variables: str) -> Settings:
    """Return settings as shipped; keywords set variables by their names."""
    return service_settings.load({"SECRET_KEY": SECRET} | variables)


def verdict(status: Status = Status.HELD, *, points: int = 10, rule: str = "two-links") -> Verdict:
    """Return a verdict with evidence of every sort; `points` against a threshold of ten."""
    hit = Hit(
        rule, "links", points, "Quotes secret words", needed=True, spans=(Span("body", 0, 6),)
    )
    held = status is Status.HELD
    return Verdict(
        status=status,
        ruleset="rules-of-the-test",
        at=datetime.now(UTC),
        took_ms=1.5,
        totals={"links": Total(points if held else 0, 10)},
        hits=(hit,) if held else (),
        signals={"link.domains": ["secret.example"]},
        errors=(RuleError("broken", "failed on secret words"),),
    )


def at_once(calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Make all calls at the same moment, each in a thread; return answers or errors in order."""
    start = Barrier(len(calls))

    def make(call: Callable[[], T]) -> T | Exception:
        start.wait(timeout=10)
        try:
            return call()
        except Exception as error:  # every outcome is looked at by the test
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(make, calls))


class Desk:
    """A site, a moderator and the use cases, with a clock that the test moves."""

    def __init__(self, store: Store, redis_url: str = NO_REDIS, **variables: str) -> None:
        self.store = store
        self.now = utc_now()
        self.jobs = JobQueue(redis_url)
        self.keyring = Keyring(SECRET)
        self.moderation = Moderation(
            store, self.jobs, self.keyring, settings_of(**variables), clock=lambda: self.now
        )
        self.caller = self.add_site("news")
        self.moderator = self.add_moderator("mod")

    @property
    def site(self) -> Site:
        """The first site."""
        return self.caller.site

    def close(self) -> None:
        """Give up the connections to Redis."""
        self.jobs.close()

    def add_site(self, slug: str, **options: Any) -> Caller:
        """Make a site and return it as the caller that its server key makes it."""
        with self.store.write() as db:
            site = create_site(db, slug=slug, name=slug.title(), now=self.now, **options)
            new = new_key(KeyKind.SERVER)
            key = add_key(db, site.id, KeyKind.SERVER, new, keyring=self.keyring, now=self.now)
        return Caller(site, key.id, KeyKind.SERVER)

    def add_moderator(self, login: str) -> Moderator:
        """Make a moderator."""
        with self.store.write() as db:
            return create_moderator(db, login, "no password", Role.MODERATOR, self.now)

    def submit(
        self,
        body: str = "A calm remark.",
        *,
        caller: Caller | None = None,
        thread: str = "an-article",
        author: Author | None = None,
        external_id: str | None = None,
    ) -> CommentId:
        """Store a comment as `pending` and return its id."""
        number = next(_numbers)
        author = author or Author(name=f"Reader {number}", email=f"reader{number}@mail.example")
        submission = Submission(ThreadRef(thread), author, body, external_id=external_id)
        hashes = self.keyring.hash
        waiting = Waiting(
            caller=caller or self.caller,
            submission=submission,
            request_id=f"request-{number}",
            fingerprint=hashes("content", f"{number}"),
            duplicate=hashes("duplicate", f"{number}"),
            external=external_id and hashes("external", external_id),
            email_hash=hashes("email", author.email.lower()) if author.email else None,
            address_hash=hashes("address", author.ip) if author.ip else None,
        )
        with self.store.write() as db:
            (outcome,) = accept(db, [waiting], database_now(db))
        assert isinstance(outcome, Accepted), outcome
        return outcome.comment_id

    def judge(
        self, comment_id: CommentId, status: Status = Status.HELD, *, version: int = 1, **how: Any
    ) -> bool:
        """Record a verdict on the comment as it was at `version`; return whether it counts."""
        judged = judging.Judged(comment_id, version, verdict(status, **how))
        with self.store.write() as db:
            return bool(judging.record_verdicts(db, [judged], self.now))

    def held(self, body: str = "Buy secret words.", **submitted: Any) -> CommentId:
        """Return a comment that the rules held; it stands at version 2."""
        comment_id = self.submit(body, **submitted)
        assert self.judge(comment_id)
        return comment_id

    def approved(self, body: str = "A calm remark.", **submitted: Any) -> CommentId:
        """Return a comment that the rules approved; it stands at version 2."""
        comment_id = self.submit(body, **submitted)
        assert self.judge(comment_id, Status.APPROVED)
        return comment_id

    def decide(
        self, comment_id: CommentId, decision: Decision = Decision.REJECT, **how: Any
    ) -> Event:
        """Let the moderator decide on the comment as it stands now, unless told otherwise."""
        how.setdefault("moderator", self.moderator)
        if "version" not in how:
            how["version"] = self.get(comment_id).version
        return self.moderation.decide(comment_id, decision, **how)

    def report(self, comment_id: CommentId, reporter: str, *, note: str = "") -> bool:
        """Report the comment as a reader of the first site."""
        return self.moderation.report(
            comment_id, site_id=self.site.id, reporter=reporter, reason="abuse", note=note
        )

    def get(self, comment_id: CommentId) -> Comment:
        """Return the comment as it is stored now."""
        with self.store.read() as db:
            comment = comment_by_id(db, comment_id)
        assert comment is not None
        return comment

    def status(self, comment_id: CommentId) -> Status:
        """Return where the comment stands."""
        return self.get(comment_id).status

    def row(self, comment_id: CommentId) -> Any:
        """Return the comment's row."""
        with self.store.read() as db:
            return db.execute(sa.select(comments).where(comments.c.id == comment_id)).one()

    def events(self, comment_id: CommentId) -> list[Event]:
        """Return the comment's story."""
        with self.store.read() as db:
            return events_of(db, comment_id)

    def kinds(self, comment_id: CommentId) -> list[EventKind]:
        """Return what happened to the comment, in order."""
        return [event.kind for event in self.events(comment_id)]

    def evidence(self, comment_id: CommentId) -> dict[str, Any]:
        """Return the newest verdict on the comment."""
        with self.store.read() as db:
            found = verdict_of(db, comment_id)
        assert found is not None
        return found

    def set(self, comment_id: CommentId, **columns: Any) -> None:
        """Change columns of the comment behind everybody's back."""
        change = sa.update(comments).where(comments.c.id == comment_id).values(columns)
        with self.store.write() as db:
            db.execute(change)

    def long_ago(self, **ago: float) -> datetime:
        """Return the time that lies so far back on the database's clock."""
        with self.store.read() as db:
            return database_now(db) - timedelta(**ago)

    def jobs_waiting(self) -> list[list[CommentId]]:
        """Return the ids that each waiting moderation job names, first job first."""
        queue = Queue(MODERATION, connection=self.jobs.connection, serializer=JSONSerializer)
        return [job.args[0] for job in queue.jobs]

    def lose_jobs(self) -> None:
        """Make Redis forget everything."""
        self.jobs.connection.flushall()
