"""Group commit: submissions that wait at the same moment are stored together.

One writer thread a process takes whatever waits, stores it in one transaction
and queues one job for all of it, so that the disk's fsync and RQ's bookkeeping
are paid once a group. There is no timer: a lone submission is stored at once.
"""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy.exc import IntegrityError

from service.domain.comment import SiteId, Submission
from service.domain.errors import ModerationError, StoreUnavailable
from service.domain.payload import submission_to_json
from service.domain.site import Caller
from service.jobs import JobQueue
from service.keyring import Keyring
from service.limits import Limiter, Use
from service.settings import Settings
from service.storage import Store
from service.storage.akismet import Check
from service.storage.intake import Accepted, Outcome, Waiting, accept

_LARGEST_GROUP = 200

log = structlog.get_logger(__name__)

_Entry = tuple[Waiting, "Future[Outcome]"]


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
        self._entries: SimpleQueue[_Entry | None] = SimpleQueue()
        self._writer: threading.Thread | None = None
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
        answer: Future[Outcome] = Future()
        waiting = self._waiting(caller, submission, request_id, idempotency_key)
        if check:
            waiting = replace(waiting, duplicate=None, uses=(), check=check)
        self._entries.put((waiting, answer))
        try:
            outcome = answer.result(timeout=self._settings.commit_timeout)
        except FutureTimeout as error:
            raise StoreUnavailable("commit timed out") from error
        if isinstance(outcome, ModerationError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Store what waits and end the writer."""
        if self._writer and self._writer.is_alive():
            self._entries.put(None)
            self._writer.join(timeout=10)

    def _waiting(
        self, caller: Caller, submission: Submission, request_id: str, idempotency_key: str | None
    ) -> Waiting:
        keyring, site, author = self._keyring, caller.site.id, submission.author
        content = json.dumps(submission_to_json(submission))
        identity = (site, submission.thread.key, author.name, author.email, author.verified_id)
        external = submission.external_id
        email_hash = keyring.hash("email", author.email.lower()) if author.email else None
        address_hash = keyring.hash("address", author.ip) if author.ip else None
        return Waiting(
            caller=caller,
            submission=submission,
            request_id=request_id,
            fingerprint=keyring.hash("content", content),
            duplicate=keyring.hash("duplicate", json.dumps([*identity, submission.body])),
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
        while (entry := self._entries.get()) is not None:
            group = [entry]
            ended = self._collect(group)
            self._store_group(self._within_limits(group))
            if ended:
                return

    def _collect(self, group: list[_Entry]) -> bool:
        """Add all that waits to `group`; return True if the end was among it."""
        while len(group) < _LARGEST_GROUP:
            try:
                entry = self._entries.get_nowait()
            except Empty:
                return False
            if entry is None:
                return True
            group.append(entry)
        return False

    def _within_limits(self, group: Sequence[_Entry]) -> list[_Entry]:
        """Refuse those whose visitor sends too much; return the others."""
        welcome = []
        refusals = self._limiter.hit_all([waiting.uses for waiting, _ in group])
        for (waiting, answer), refusal in zip(group, refusals, strict=True):
            if refusal:
                answer.set_result(refusal)
            else:
                welcome.append((waiting, answer))
        return welcome

    def _store_group(self, group: Sequence[_Entry]) -> None:
        if not group:
            return
        try:
            outcomes = self._commit([waiting for waiting, _ in group])
        except Exception as error:  # the thread must outlive whatever one group does
            self._store_failed(group, error)
            return
        stored = [
            outcome.comment_id
            for (waiting, _), outcome in zip(group, outcomes, strict=True)
            if isinstance(outcome, Accepted) and outcome.how == "new" and not _is_judged(waiting)
        ]
        if stored:
            self._jobs.moderate(stored)
        for (_, answer), outcome in zip(group, outcomes, strict=True):
            answer.set_result(outcome)

    def _commit(self, waiting: Sequence[Waiting]) -> list[Outcome]:
        try:
            with self._store.write() as db:
                return accept(db, waiting)
        except IntegrityError:
            # Another process claimed the same in this moment: by now it shows.
            with self._store.write() as db:
                return accept(db, waiting)

    def _store_failed(self, group: Sequence[_Entry], error: Exception) -> None:
        """Try the members one by one, so that one bad row harms no other."""
        if len(group) > 1 and not isinstance(error, StoreUnavailable):
            for entry in group:
                self._store_group([entry])
            return
        log.error("commit failed", error=type(error).__name__, comments=len(group))
        for _, answer in group:
            answer.set_exception(error)


def _is_judged(waiting: Waiting) -> bool:
    return waiting.check is not None and waiting.check.verdict is not None
