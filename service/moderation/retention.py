"""Retention: what was kept long enough is deleted, in steps too short to be felt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.domain.comment import CommentId
from service.domain.decision import EventKind
from service.jobs import TRIAL_SECONDS
from service.moderation.turns import turn
from service.settings import Settings
from service.storage import (
    Store,
    akismet,
    campaigns,
    comments,
    database_now,
    outbox,
    people,
    rulesets,
    trials,
    upkeep,
)
from service.storage.comments import Cause

#: Rows changed in one transaction.
_BATCH = 500
#: Transactions for each kind in one run; the next run goes on.
_MOST_BATCHES = 20
_LEASE_SECONDS = 300
#: How long texts like an earlier one are known for that, and how long trials of
#: rulesets, and rulesets that were never published, are kept.
_CAMPAIGN_DAYS = 30
_TRIAL_DAYS = 30
#: How long it can be looked up what websites were told.
_KEEP_MESSAGES = timedelta(days=30)

Find = Callable[[Connection, datetime, int], list[CommentId]]
Forget = Callable[[Connection, Sequence[CommentId]], None]


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """How many comments lost address, e-mail or text; claims, sessions and
    campaigns that ended; old trials of rulesets; messages to websites whose log
    is no longer kept; comments that were only checked.

    `skipped` says why nothing was looked at; None if something was.
    """

    addresses: int = 0
    emails: int = 0
    texts: int = 0
    claims: int = 0
    sessions: int = 0
    campaigns: int = 0
    trials: int = 0
    messages: int = 0
    checks: int = 0
    skipped: str | None = None


class Retention:
    """Forgets what is older than the settings allow, one process at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def run(self) -> RetentionResult:
        """Forget what is due by now, up to a bound; each call looks at all comments."""
        with turn(self._store, "retention", _LEASE_SECONDS) as ours:
            if not ours:
                return RetentionResult(skipped="another process is at work")
            return self._forgotten()

    def _forgotten(self) -> RetentionResult:
        with self._store.read() as db:
            now = database_now(db)
        address_limit = now - timedelta(days=self._settings.keep_address_days)
        email_limit = now - timedelta(days=self._settings.keep_email_days)
        text_limit = now - timedelta(days=self._settings.keep_refused_days)
        return RetentionResult(
            addresses=self._each(upkeep.addresses_before, upkeep.forget_addresses, address_limit),
            emails=self._each(upkeep.emails_before, upkeep.forget_emails, email_limit),
            texts=self._each(upkeep.refused_before, _forget_texts(text_limit, now), text_limit),
            claims=self._in_steps(lambda db: upkeep.forget_expired_claims(db, now, _BATCH)),
            sessions=self._sessions(now),
            campaigns=self._in_steps(
                lambda db: campaigns.forget_ended(db, now - timedelta(days=_CAMPAIGN_DAYS), _BATCH)
            ),
            trials=self._trials(now),
            checks=self._in_steps(lambda db: akismet.forget_checked(db, now, _BATCH)),
            messages=self._in_steps(
                lambda db: outbox.forget_messages(db, now - _KEEP_MESSAGES, _BATCH)
            ),
        )

    def _each(self, find: Find, forget: Forget, limit: datetime) -> int:
        """Look while others write, then change only what was found."""
        forgotten = 0
        for _ in range(_MOST_BATCHES):
            with self._store.read() as db:
                ids = find(db, limit, _BATCH)
            if not ids:
                break
            with self._store.write() as db:
                forget(db, ids)
            forgotten += len(ids)
        return forgotten

    def _in_steps(self, forget: Callable[[Connection], int]) -> int:
        forgotten = 0
        for _ in range(_MOST_BATCHES):
            with self._store.write() as db:
                ended = forget(db)
            forgotten += ended
            if ended < _BATCH:
                break
        return forgotten

    def _trials(self, now: datetime) -> int:
        limit = now - timedelta(days=_TRIAL_DAYS)
        with self._store.write() as db:
            trials.give_up_lost(db, now - timedelta(seconds=2 * TRIAL_SECONDS), now)
            forgotten = trials.forget_trials(db, limit, _BATCH)
            rulesets.forget_unpublished(db, limit, _BATCH)
        return forgotten

    def _sessions(self, now: datetime) -> int:
        with self._store.write() as db:
            return people.drop_expired_tokens(db, now)


def _forget_texts(limit: datetime, now: datetime) -> Forget:
    cause = Cause(EventKind.RETENTION, "system", now)

    def forget(db: Connection, ids: Sequence[CommentId]) -> None:
        # Found a moment ago, so a moderator may have thought better of one since.
        for comment in upkeep.locked_refused(db, ids, limit):
            comments.change_status(db, comment, comment.status, cause, {"body": ""})
            upkeep.forget_quotes(db, comment.id)

    return forget
