"""Group commit: submissions that wait at the same moment are stored together.

One writer thread a process takes whatever waits and stores it in one
transaction, so that the disk's fsync is paid once a group. There is no timer: a
lone submission is stored at once, and while a process waits for its turn to write
its group grows. Jobs are queued beside it, see `Handover`.
"""

import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy.exc import IntegrityError

from service.domain.comment import SiteId, Submission
from service.domain.errors import StoreUnavailable
from service.domain.site import Caller
from service.handover import Handover
from service.jobs import JobQueue
from service.keyring import Keyring
from service.limits import Limiter, Use
from service.settings import Settings
from service.storage import Store, database_now
from service.storage.akismet import Check
from service.storage.intake import Accepted, Outcome, Waiting, accept

_LARGEST_GROUP = 200

log = structlog.get_logger(__name__)


class Entry:
    """A submission on its way, and the answer that its sender waits for."""

    __slots__ = ("_asleep", "_gone", "next", "outcome", "waiting")

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        self.outcome: Outcome | Exception | None = None
        #: Who is woken after this sender, and by it.
        self.next: Entry | None = None
        self._gone = False
        # A bare lock: waiting for a Future took four times as long.
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> None:
        """Let the sender have the outcome; it wakes the next one itself.

        If all were woken at once, each would queue several times for the
        interpreter, which runs one thread at a time.
        """
        self._asleep.release()
        if self._gone and self._asleep.acquire(blocking=False):
            self._wake_next()

    def result(self, seconds: float) -> Accepted:
        """Wait for the outcome; raise it if it is no acceptance."""
        if not self._asleep.acquire(timeout=seconds):
            self._gone = True
            # Whoever gets the lock now, the waker or this, goes on to the next one.
            if not self._asleep.acquire(blocking=False):
                raise StoreUnavailable("commit timed out")
        self._wake_next()
        outcome = self.outcome
        if isinstance(outcome, Accepted):
            return outcome
        assert outcome is not None, "it is set before anybody is woken"
        raise outcome

    def _wake_next(self) -> None:
        if self.next:
            self.next.wake()


class Intake:
    """Stores submissions in groups; one instance a web process."""

    def __init__(
        self,
        store: Store,
        jobs: JobQueue,
        keyring: Keyring,
        limiter: Limiter,
        settings: Settings,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._keyring = keyring
        self._limiter = limiter
        self._settings = settings
        self._entries: SimpleQueue[Entry | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._handover: Handover
        self._starting = threading.Lock()

    def submit(
        self,
        caller: Caller,
        submission: Submission,
        *,
        request_id: str = "",
        idempotency_key: str | None = None,
        check: Check | None = None,
    ) -> Accepted:
        """Return once the comment is durable in the record.

        With `check` it is one that a website only had checked: no limits and no
        duplicates then, and no job if its verdict is there already.

        Raises the ModerationError that refuses it, or StoreUnavailable when
        the database is away or slower than the commit timeout; in the second
        case the comment may still be stored a moment later, and sending it
        again with the same idempotency key finds out.
        """
        self._ensure_writer()
        waiting = self._waiting(caller, submission, request_id, idempotency_key)
        if check:
            waiting = replace(waiting, duplicate=None, uses=(), check=check)
        entry = Entry(waiting)
        self._entries.put(entry)
        return entry.result(self._settings.commit_timeout)

    def close(self) -> None:
        """Store what waits and end the writer."""
        if self._writer and self._writer.is_alive():
            self._entries.put(None)
            self._writer.join(timeout=10)

    def _waiting(
        self, caller: Caller, submission: Submission, request_id: str, idempotency_key: str | None
    ) -> Waiting:
        keyring, site, author = self._keyring, caller.site.id, submission.author
        thread = submission.thread
        identity = (site, thread.key, author.name, author.email, author.verified_id)
        content = (
            *identity, thread.url, thread.title, author.url, author.ip, author.user_agent,
            author.referrer, author.email_verified, submission.parent_id,
            submission.external_id, submission.form_opened_at, submission.honeypot_filled,
            submission.body,
        )  # fmt: skip
        external = submission.external_id
        email_hash = keyring.hash("email", author.email.lower()) if author.email else None
        address_hash = keyring.hash("address", author.ip) if author.ip else None
        return Waiting(
            caller=caller,
            submission=submission,
            request_id=request_id,
            fingerprint=keyring.hash("content", _as_text(content)),
            duplicate=keyring.hash("duplicate", _as_text((*identity, submission.body))),
            idempotency=keyring.hash("idempotency", f"{site}:{idempotency_key}")
            if idempotency_key
            else None,
            external=keyring.hash("external", f"{site}:{external}") if external else None,
            email_hash=email_hash,
            address_hash=address_hash,
            uses=self._uses(site, address_hash, email_hash),
        )

    def _uses(
        self, site: SiteId, address_hash: str | None, email_hash: str | None
    ) -> tuple[Use, ...]:
        bounds = (
            ("address", address_hash, self._settings.address_per_minute),
            ("email", email_hash, self._settings.email_per_minute),
        )
        return tuple(Use(name, f"{site}:{who}", bound) for name, who, bound in bounds if who)

    def _ensure_writer(self) -> None:
        # Started by the first submission, not by the constructor: web servers
        # fork after the application is made, and threads do not survive that.
        if self._writer is None or not self._writer.is_alive():
            with self._starting:
                if self._writer is None or not self._writer.is_alive():
                    self._writer = threading.Thread(
                        target=self._write, name="intake-writer", daemon=True
                    )
                    self._writer.start()

    def _write(self) -> None:
        with Handover(self._jobs) as self._handover:
            while (entry := self._entries.get()) is not None:
                self._store_group([entry])

    def _store_group(self, group: list[Entry]) -> None:
        """Store `group` and whoever comes until this has its turn to write."""
        self._collect(group)
        welcome: list[Entry] | None = None
        try:
            with self._store.write() as db:
                now = database_now(db)  # the first word to PostgreSQL, where a transaction begins
                self._collect(group)
                welcome = self._within_limits(group)
                waiting = [entry.waiting for entry in welcome]
                outcomes = accept(db, waiting, now) if waiting else []
        except Exception as error:  # the thread must outlive whatever one group does
            if welcome is None:
                _fail(group, error)  # nobody is stored who was not counted
            else:
                self._store_again(welcome, error)
        else:
            self._stored(welcome, outcomes)

    def _collect(self, group: list[Entry]) -> None:
        """Add all that waits to `group`."""
        with suppress(Empty):
            while len(group) < _LARGEST_GROUP:
                entry = self._entries.get_nowait()
                if entry is None:
                    self._entries.put(None)  # the end comes after this group
                    return
                group.append(entry)

    def _within_limits(self, group: Sequence[Entry]) -> list[Entry]:
        """Refuse those whose visitor sends too much; return the others."""
        welcome = []
        refusals = self._limiter.hit_all([entry.waiting.uses for entry in group])
        for entry, refusal in zip(group, refusals, strict=True):
            if refusal:
                _answer([entry], [refusal])
            else:
                welcome.append(entry)
        return welcome

    def _store_again(self, group: Sequence[Entry], failure: Exception | None) -> None:
        """Store a group that failed, unless the database is away."""
        if isinstance(failure, IntegrityError):
            # Another process claimed the same in this moment: by now it shows.
            failure = self._attempt(group)
        if isinstance(failure, StoreUnavailable):
            _fail(group, failure)
        elif failure:
            self._store_each(group)

    def _store_each(self, group: Sequence[Entry]) -> None:
        """Store the members one by one, so that one bad row harms no other."""
        for number, entry in enumerate(group):
            failure = self._attempt([entry])
            if isinstance(failure, StoreUnavailable):
                _fail(group[number:], failure)
                return
            if failure:
                _fail([entry], failure)

    def _attempt(self, group: Sequence[Entry]) -> Exception | None:
        """Store a group, or return what keeps it from being stored."""
        try:
            with self._store.write() as db:
                outcomes = accept(db, [entry.waiting for entry in group], database_now(db))
        except Exception as error:  # as above
            return error
        self._stored(group, outcomes)
        return None

    def _stored(self, group: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
        """Let the senders know, and the workers."""
        _answer(group, outcomes)
        self._handover.hand_over(
            outcome.comment_id
            for entry, outcome in zip(group, outcomes, strict=True)
            if isinstance(outcome, Accepted)
            and outcome.how == "new"
            and not _is_judged(entry.waiting)
        )


def _is_judged(waiting: Waiting) -> bool:
    return waiting.check is not None and waiting.check.verdict is not None


def _fail(group: Sequence[Entry], error: Exception) -> None:
    log.error("commit failed", error=type(error).__name__, comments=len(group))
    _answer(group, [error] * len(group))


def _answer(group: Sequence[Entry], outcomes: Sequence[Outcome | Exception]) -> None:
    """Give each of the group its outcome, and wake the first."""
    if not group:
        return
    for entry, outcome, following in zip(group, outcomes, [*group[1:], None], strict=True):
        entry.outcome, entry.next = outcome, following
    group[0].wake()


def _as_text(values: Iterable[object]) -> str:
    """Return a text that no other values give: none can hold the separator, and none is empty
    where it may be None."""
    return "\x1f".join(["" if value is None else str(value) for value in values])
