"""The runtime: what one worker process needs to judge comments."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.domain.comment import (
    Author,
    Comment,
    CommentId,
    SiteId,
    Status,
    Submission,
    ThreadId,
    ThreadRef,
)
from service.domain.errors import StoreUnavailable
from service.domain.history import AuthorHistory
from service.domain.payload import submission_from_json
from service.domain.site import Moderation
from service.domain.verdict import Verdict
from service.jobs import ALONE_FROM, JOB_SIZE, JobQueue
from service.keyring import Keyring
from service.moderation.consequences import follow
from service.settings import Settings, load
from service.storage import Store, database_now, judging, open_store
from service.storage.campaigns import Mark
from service.storage.judging import Judged, PendingComment
from worker.campaigns import Campaigns
from worker.context import Context
from worker.counters import Counters
from worker.deadline import Deadline, TooSlow
from worker.engine import held_unchecked, judge_signals
from worker.hand import Hand
from worker.learner.scorer import LiveLearners
from worker.mailservers import MailServers
from worker.models.score import NO_MODELS, Scorer
from worker.models.shelf import shipped_models
from worker.ruleset import Ruleset
from worker.ruleset.model import Countable
from worker.rulesets import Live, LiveRules
from worker.signals.comment import Signals
from worker.signals.email import domain_of
from worker.signals.near import signature
from worker.subjects import Subjects, subjects
from worker.timing import RuleTimer
from worker.trials import run_trial

#: The database itself is not to be had: trying each comment alone helps nothing.
_AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)
#: A comment stays in hand for this part of the time after which it gets a new
#: job: the job must not find it still in the hand of a worker that died.
_IN_HAND = 2 / 3

_NOTHING: Subjects = {}

_NO_ID = CommentId("")

log = structlog.get_logger(__name__)

T = TypeVar("T")


class NotRecorded(Exception):
    """The verdict on one comment could not be stored although the database is there."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A comment with the verdict on it, its campaign and what is counted of it."""

    comment: Comment
    verdict: Verdict
    mark: Mark | None
    subjects: Subjects

    @property
    def judged(self) -> Judged:
        return Judged(self.comment.id, self.comment.version, self.verdict, self.mark)


class Runtime:
    """Judges comments by the live ruleset and records the verdicts."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        jobs: JobQueue,
        rules: LiveRules,
        mail_servers: MailServers,
        models: Scorer = NO_MODELS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._store = store
        self._jobs = jobs
        self._rules = rules
        self._mail_servers = mail_servers
        self._models = models
        self._clock = clock
        self._keyring = Keyring(settings.secret_key)
        self._learners = LiveLearners()
        self._counters = Counters(jobs.connection)
        self._campaigns = Campaigns(store)
        self._timer = RuleTimer()
        self._times: dict[str, float] = {}
        self._hand = Hand(jobs.connection, settings.overdue_seconds * _IN_HAND)

    def warm_up(self) -> None:
        """Load what the first comment would otherwise wait for: rules, lists, patterns, tables."""
        live = self._rules.prepare()
        link = Submission(ThreadRef("warm-up"), Author(name="Ünal"), "Über http://example.com")
        pending = self._unstored(SiteId(0), link, Moderation.RULES)
        if live.ruleset:
            context = Context(at=self._clock(), models=self._models)
            judge_signals(Signals(pending.comment, context), live.ruleset)

    def facts(self) -> dict[str, str]:
        """Return what others may know of this process: its ruleset by now, and its models."""
        self._rules.prepare()
        return self._rules.facts | dict(self._models.facts)

    def moderate(self, ids: Sequence[CommentId]) -> None:
        """Judge the named comments that still wait; while jobs queue up, others with them.

        Raises StoreUnavailable while the database is away.
        """
        backlog = self._jobs.backlog() or 0
        taken = self._hand.take(ids)
        if backlog and len(taken) < JOB_SIZE:
            taken += self._others(ids, room=JOB_SIZE - len(taken))
        self._moderate_taken(taken, patient=not backlog)

    def moderate_alone(self, ids: Sequence[CommentId]) -> None:
        """Judge comments that gave trouble before, and no others with them.

        Raises StoreUnavailable while the database is away.
        """
        self._moderate_taken(self._hand.take(ids), patient=False)

    def check(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return status and verdict of one text, as `check_all` does."""
        [answer] = self.check_all([payload])
        return answer

    def check_all(self, payloads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return status and verdict of each text as JSON values; nothing of it is kept.

        Nor does any count move, unless a payload says that it `counts`. Those that
        do not are judged as if the others were not there.
        """
        with self._store.read() as db:
            live = self._rules.current(db)
            self._learners.refresh(db)
            pending = self._all_unstored(db, payloads)
            histories = judging.author_histories(db, pending)
        pairs = list(zip(pending, payloads, strict=True))
        counting = [item for item, payload in pairs if payload.get("counts")]
        groups = [counting, *([item] for item, payload in pairs if not payload.get("counts"))]
        cases = [
            case
            for group in groups
            if group
            for case in self._judge_all(group, histories, live, patient=True)
        ]
        if counting:
            self._count(cases[: len(counting)], live)
        verdicts = {case.comment.id: case.verdict for case in cases}
        answers = [verdicts[item.comment.id] for item in pending]
        return [{"status": verdict.status, "verdict": verdict.as_dict()} for verdict in answers]

    def run_trial(self, trial_id: str) -> None:
        """Try a ruleset on many comments; see `worker.trials`."""
        with self._store.read() as db:
            self._learners.refresh(db)
        run_trial(self._store, trial_id, self._learners.beside(self._models))

    def learn(self, site_id: SiteId) -> None:
        """Let a site's learner learn from what was decided since; see `worker.learner`."""
        # numpy is needed for this alone: a worker without it judges by rules.
        from worker.learner.learning import learn

        learn(self._store, site_id, self._models, self._rules)

    def close(self) -> None:
        """Give up all connections."""
        self._mail_servers.close()
        self._jobs.close()
        self._store.close()

    def _others(self, ids: Sequence[CommentId], room: int) -> list[CommentId]:
        """Take comments that wait longest, up to `room`; their own jobs will find them done."""
        with self._store.read() as db:
            # More than there is room for: another worker may have taken the oldest.
            waiting = judging.oldest_pending(
                db, room + JOB_SIZE, most_attempts=ALONE_FROM - 1, exclude=ids
            )
        taken = self._hand.take_along(waiting[:room])
        return taken + self._hand.take_along(waiting[room : 2 * room - len(taken)])

    def _moderate_taken(self, ids: Sequence[CommentId], *, patient: bool) -> None:
        """Judge what is in hand, then let go of it."""
        if not ids:
            return
        try:
            self._moderate(ids, patient=patient)
        finally:
            self._hand.put_back(ids)

    def _moderate(self, ids: Sequence[CommentId], *, patient: bool) -> None:
        with self._store.read() as db:
            live = self._rules.current(db)
            self._learners.refresh(db)
            pending = judging.pending_comments(db, ids)
            histories = judging.author_histories(db, pending)
        if not pending:
            return
        cases = list(self._judge_all(pending, histories, live, patient=patient))
        recorded = self._record([case.judged for case in cases])
        self._count([case for case in cases if case.comment.id in recorded], live)
        for case in cases:
            _tell(case, won=case.comment.id in recorded)

    def _judge_all(
        self,
        pending: Sequence[PendingComment],
        histories: Mapping[CommentId, AuthorHistory],
        live: Live,
        *,
        patient: bool,
    ) -> Iterator[_Case]:
        """Judge each in turn; what came earlier in the batch counts as seen before."""
        now = self._clock()
        counters = live.ruleset.counters if live.ruleset else frozenset()
        takes_mail = self._takes_mail(pending, patient=patient)
        models = self._learners.beside(self._models)
        with Deadline(self._settings.rule_seconds) as deadline:
            signals = [Signals(item.comment, Context(at=now)) for item in pending]
            marks = self._marks(signals, deadline)
            kinds = {counter.of for counter in counters}
            counted: list[Subjects] = [
                _attempt(deadline, partial(self._subjects, some, kinds, mark), _NOTHING)
                for some, mark in zip(signals, marks, strict=True)
            ]
            counts = self._counters.read(counted, counters, now)
            for item, some, mark, seen in zip(pending, signals, marks, counted, strict=True):
                some.context = Context(
                    at=now,
                    history=histories[item.comment.id],
                    counts=counts.of_next(seen),
                    deliverable=takes_mail.get(domain_of(item.comment.author.email)),
                    reviews_everything=item.moderation is Moderation.ALL,
                    muted=live.muted,
                    models=models,
                )
                yield _Case(item.comment, self._judge(some, live, deadline), mark, seen)

    def _marks(self, signals: Sequence[Signals], deadline: Deadline) -> list[Mark | None]:
        """Return the campaign of each comment, None where it has none."""
        texts = [some.comment.body for some in signals]
        return self._campaigns.of_batch(
            [_attempt(deadline, partial(signature, text), None) for text in texts]
        )

    def _subjects(
        self, signals: Signals, kinds: Iterable[Countable], mark: Mark | None
    ) -> Subjects:
        return subjects(signals, kinds, self._keyring, mark.campaign if mark else None)

    def _count(self, cases: Sequence[_Case], live: Live) -> None:
        """Count what was recorded."""
        self._counters.count(
            [case.subjects for case in cases],
            [case.verdict for case in cases],
            live.ruleset.counters if live.ruleset else frozenset(),
            self._clock(),
            self._times,
        )
        self._times = {}

    def _takes_mail(self, pending: Sequence[PendingComment], *, patient: bool) -> dict[str, bool]:
        """Return what is known of the authors' mail servers.

        DNS is waited for only where no jobs queue up behind: what a look-up
        brings is a hint, and by the next comment it is known.
        """
        domains = {domain_of(item.comment.author.email) for item in pending} - {""}
        seconds = self._settings.dns_seconds if patient else 0.0
        return self._mail_servers.deliverable(domains, seconds=seconds)

    def _judge(self, signals: Signals, live: Live, deadline: Deadline) -> Verdict:
        """Judge one comment; whatever goes wrong, it is held with a plain reason."""
        try:
            if live.ruleset:
                return deadline.run(partial(self._heard, signals, live.ruleset))
            rule, why = "no-ruleset", "There are no rules that could check this comment"
        except TooSlow:
            rule, why = "time-limit", "Checking this comment took too long"
        except Exception:
            log.exception("judging failed", comment_id=signals.comment.id)
            rule, why = "could-not-be-judged", "This comment could not be judged"
        return held_unchecked(rule, why, ruleset=live.hash, at=signals.context.at)

    def _heard(self, signals: Signals, ruleset: Ruleset) -> Verdict:
        verdict = judge_signals(signals, ruleset)
        self._times |= self._timer.times(signals, ruleset)
        return verdict

    def _record(self, judged: Sequence[Judged]) -> set[CommentId]:
        """Store the verdicts in one transaction; if that fails, each in its own."""
        try:
            return self._record_together(judged)
        except StoreUnavailable as error:
            if isinstance(error.__cause__, _AWAY):
                raise
        except Exception as error:
            log.warning("group not recorded", error=type(error).__name__, comments=len(judged))
        if len(judged) == 1:
            raise NotRecorded(judged[0].comment_id)
        return set().union(*(self._record_alone(item) for item in judged))

    def _record_together(self, judged: Sequence[Judged]) -> set[CommentId]:
        with self._store.write() as db:
            now = database_now(db)
            won = judging.record_verdicts(db, judged, now)
            follow(db, won, now)
            return won

    def _record_alone(self, item: Judged) -> set[CommentId]:
        """Store one verdict; a comment for which that fails gets a job of its own."""
        try:
            return self._record_together([item])
        except Exception as error:
            log.warning(
                "verdict not recorded, trying alone",
                comment_id=item.comment_id,
                error=type(error).__name__,
            )
            self._hand.put_back([item.comment_id])
            self._jobs.moderate_alone(item.comment_id)
            return set()

    def _all_unstored(
        self, db: Connection, payloads: Sequence[dict[str, Any]]
    ) -> list[PendingComment]:
        """Return the texts of checks as if they were stored comments, numbered from 0."""
        texts = [
            (SiteId(payload["site_id"]), submission_from_json(payload["submission"]))
            for payload in payloads
        ]
        threads = {(site_id, text.thread.key) for site_id, text in texts}
        looks = {thread: judging.moderation_of(db, *thread) for thread in threads}
        return [
            self._unstored(site_id, text, looks[site_id, text.thread.key], CommentId(str(number)))
            for number, (site_id, text) in enumerate(texts)
        ]

    def _unstored(
        self,
        site_id: SiteId,
        submission: Submission,
        moderation: Moderation,
        comment_id: CommentId = _NO_ID,
    ) -> PendingComment:
        """Return the submission as if it were a stored comment."""
        email = submission.author.email.lower()
        comment = Comment(
            id=comment_id,
            site_id=site_id,
            site_slug="",
            thread_id=ThreadId(0),
            thread=submission.thread,
            status=Status.PENDING,
            version=0,
            author=submission.author,
            body=submission.body,
            created_at=self._clock(),
            parent_id=submission.parent_id,
            form_opened_at=submission.form_opened_at,
            honeypot_filled=submission.honeypot_filled,
        )
        email_hash = self._keyring.hash("email", email) if email else None
        return PendingComment(comment, email_hash, moderation)


def open_runtime(settings: Settings) -> Runtime:
    """Return a runtime over the store and the queue that `settings` name."""
    store = open_store(settings.database_url)
    return Runtime(
        settings,
        store=store,
        jobs=JobQueue(settings.redis_url),
        rules=LiveRules(store),
        mail_servers=MailServers(),
        models=shipped_models(),
    )


@cache
def current() -> Runtime:
    """Return this process's runtime, made from the environment when first asked for."""
    return open_runtime(load())


def _attempt(deadline: Deadline, work: Callable[[], T], otherwise: T) -> T:
    """Return what `work` returns; `otherwise` if that fails or takes too long."""
    try:
        return deadline.run(work)
    except (TooSlow, Exception) as error:  # the comment itself is judged all the same
        log.warning("signal not found out", error=type(error).__name__)
        return otherwise


def _tell(case: _Case, *, won: bool) -> None:
    log.info(
        "verdict" if won else "lost race",
        comment_id=case.comment.id,
        request_id=case.comment.request_id,
        status=case.verdict.status,
        rules=[hit.rule for hit in case.verdict.hits],
        took_ms=case.verdict.took_ms,
    )
