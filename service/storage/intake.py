"""Taking in a group of comments within one transaction.

Everything that needs the record to decide whether a submission is welcome
happens here: keys used before, duplicates, closed threads, parents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from uuid_utils import uuid7

from service.domain.comment import CommentId, SiteId, Status, Submission, ThreadId
from service.domain.errors import (
    DuplicateComment,
    ExternalIdTaken,
    FieldError,
    IdempotencyKeyReused,
    InvalidSubmission,
    ModerationError,
    ParentNotApproved,
    ParentNotFound,
    ThreadClosed,
)
from service.domain.site import Caller, Moderation, Thread
from service.limits import Use
from service.storage import akismet
from service.storage.akismet import NATIVE, Check
from service.storage.driver import Question, answers, insert_rows, one_of
from service.storage.sites import thread_from_row
from service.storage.tables import claims, comments, instant, milliseconds, threads

#: How long the same text by the same author counts as a duplicate, and how
#: long an idempotency key is remembered.
CLAIM_LIFE = timedelta(hours=24)

Kind = Literal["idempotency", "external", "duplicate"]
ThreadKey = tuple[SiteId, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission with what the transaction needs to know beside it.

    The hashes are keyed. `fingerprint` stands for the whole content;
    `idempotency`, `external` and `duplicate` for what is claimed, where it is;
    `uses` are what counts towards the visitor's rate limits. `check` is given for
    what a website shows by itself and only has checked here.
    """

    caller: Caller
    submission: Submission
    request_id: str
    fingerprint: str
    duplicate: str | None
    idempotency: str | None = None
    external: str | None = None
    email_hash: str | None = None
    address_hash: str | None = None
    uses: tuple[Use, ...] = ()
    check: Check | None = None

    @property
    def claimed(self) -> list[tuple[Kind, str]]:
        """What it claims, in the order in which an earlier claim answers it."""
        asked: list[tuple[Kind, str | None]] = [
            ("idempotency", self.idempotency),
            ("external", self.external),
            ("duplicate", self.duplicate),
        ]
        return [(kind, key) for kind, key in asked if key]

    @property
    def thread_key(self) -> ThreadKey:
        """What identifies its thread among all sites."""
        return self.caller.site.id, self.submission.thread.key


@dataclass(frozen=True, slots=True)
class Accepted:
    """A comment that is stored: just now, or by an earlier request with the same key."""

    comment_id: CommentId
    how: Literal["new", "replayed", "known"]
    status: Status = Status.PENDING


Outcome = Accepted | ModerationError


@dataclass(frozen=True, slots=True)
class _Claim:
    comment_id: CommentId
    fingerprint: str
    key_id: int | None
    status: Status = Status.PENDING


class _ClaimRow(NamedTuple):
    """A row of `_CLAIM_COLUMNS`."""

    kind: Kind
    key: str
    fingerprint: str
    comment_id: str
    expires_at: int | None
    key_id: int | None
    status: str


@dataclass(frozen=True, slots=True)
class _Parent:
    id: CommentId
    thread_key: ThreadKey
    root_id: CommentId
    depth: int
    status: Status


def accept(db: Connection, group: Sequence[Waiting], now: datetime) -> list[Outcome]:
    """Store what is welcome of `group`; return each one's outcome in order.

    `now` is what the database's clock says.

    Raises IntegrityError if another process claimed the same in this moment:
    nothing is stored then, and the members can be tried again one by one.
    """
    return _Accepting(db, group, now).run()


class _Accepting:
    """One group on its way into the record."""

    def __init__(self, db: Connection, group: Sequence[Waiting], now: datetime) -> None:
        self._db = db
        self._group = group
        self._now = now
        self._ends = milliseconds(self._now + CLAIM_LIFE)
        known, claimed = answers(db, _asking_threads(db, group), _asking_claims(db, group))
        self._threads = _by_key(_thread(*row) for row in known)
        self._claims = _live_claims(db, (_ClaimRow._make(row) for row in claimed), now)
        self._parents = _known_parents(db, group)
        self._comment_rows: list[dict[str, Any]] = []
        self._claim_rows: list[dict[str, Any]] = []
        self._checks: list[akismet.Kept] = []

    def run(self) -> list[Outcome]:
        """Place every member and store what was placed."""
        outcomes = [self._outcome(waiting) for waiting in self._group]
        if self._comment_rows:
            # In one order in all processes, so that no two wait for each other.
            self._claim_rows.sort(key=itemgetter("kind", "key"))
            insert_rows(self._db, {comments: self._comment_rows, claims: self._claim_rows})
            if self._checks:
                akismet.keep(self._db, self._checks, self._now)
        return outcomes

    def _outcome(self, waiting: Waiting) -> Outcome:
        try:
            return self._answered_before(waiting) or self._place(waiting)
        except ModerationError as refusal:
            return refusal

    def _answered_before(self, waiting: Waiting) -> Accepted | None:
        for kind, key in waiting.claimed:
            if claim := self._claims.get((kind, key)):
                return _answer(kind, claim, waiting)
        return None

    def _place(self, waiting: Waiting) -> Accepted:
        thread = self._threads.get(waiting.thread_key)
        if thread and thread.closed_at and thread.closed_at <= self._now:
            raise ThreadClosed
        parent = self._parent_of(waiting)
        thread = self._described(thread, waiting) if thread else self._new_thread(waiting)
        comment_id = CommentId(str(uuid7()))
        row = _comment_row(waiting, comment_id, thread, parent, milliseconds(self._now))
        self._comment_rows.append(row)
        self._claim(waiting, comment_id)
        if waiting.check:
            kept = akismet.Kept(comment_id, waiting.caller.site.id, waiting.check)
            self._checks.append(kept)
        return Accepted(comment_id, "new")

    def _parent_of(self, waiting: Waiting) -> _Parent | None:
        parent_id = waiting.submission.parent_id
        if parent_id is None:
            return None
        parent = self._parents.get(parent_id)
        if parent is None or parent.thread_key != waiting.thread_key:
            raise ParentNotFound
        if parent.status is not Status.APPROVED:
            raise ParentNotApproved
        deepest = waiting.caller.site.max_depth
        if parent.depth >= deepest:
            detail = f"replies may be at most {deepest} deep"
            raise InvalidSubmission([FieldError("/parent_id", detail)])
        return parent

    def _new_thread(self, waiting: Waiting) -> Thread:
        site_id, key = waiting.thread_key
        ref = waiting.submission.thread
        statement = sa.insert(threads).values(
            site_id=site_id,
            key=key,
            url=ref.url,
            title=ref.title,
            created_at=self._now,
            source=akismet.SOURCE if waiting.check else NATIVE,
        )
        row = self._db.execute(statement.returning(threads)).one()
        self._threads[waiting.thread_key] = thread_from_row(row)
        return self._threads[waiting.thread_key]

    def _described(self, thread: Thread, waiting: Waiting) -> Thread:
        """Keep the newest URL and title that the website itself told."""
        ref = waiting.submission.thread
        url, title = ref.url or thread.url, ref.title or thread.title
        if not waiting.caller.trusted or (url, title) == (thread.url, thread.title):
            return thread
        self._db.execute(
            sa.update(threads).where(threads.c.id == thread.id).values(url=url, title=title)
        )
        self._threads[waiting.thread_key] = replace(thread, url=url, title=title)
        return self._threads[waiting.thread_key]

    def _claim(self, waiting: Waiting, comment_id: CommentId) -> None:
        for kind, key in waiting.claimed:
            claim = _Claim(comment_id, waiting.fingerprint, waiting.caller.key_id)
            self._claims[kind, key] = claim
            self._claim_rows.append(
                {
                    "kind": kind,
                    "key": key,
                    "fingerprint": waiting.fingerprint,
                    "comment_id": comment_id,
                    "expires_at": None if kind == "external" else self._ends,
                }
            )


def _answer(kind: Kind, claim: _Claim, waiting: Waiting) -> Accepted:
    same_content = claim.fingerprint == waiting.fingerprint
    if kind == "idempotency":
        if same_content:
            return Accepted(claim.comment_id, "replayed")
        raise IdempotencyKeyReused
    if kind == "external":
        if same_content:
            return Accepted(claim.comment_id, "known", claim.status)
        raise ExternalIdTaken
    known_to_caller = waiting.caller.trusted and claim.key_id == waiting.caller.key_id
    raise DuplicateComment(claim.comment_id if known_to_caller else None)


def _asking_claims(db: Connection, group: Iterable[Waiting]) -> Question:
    """Ask for what is claimed by the whole primary key, whatever the database thinks of sizes."""
    asked = [pair for waiting in group for pair in waiting.claimed]
    kinds, keys = [kind for kind, _ in asked], [key for _, key in asked]
    if db.dialect.name == "postgresql":
        return Question(_CLAIM_COLUMNS, _CLAIMS_ONE_BY_ONE, [kinds, keys])
    of_kinds, kinds_given = one_of(db, {*kinds})
    of_keys, keys_given = one_of(db, keys)
    source = f"FROM {_CLAIMS} WHERE claims.kind {of_kinds} AND claims.key {of_keys}) AS found"
    return Question(_CLAIM_COLUMNS, source, [*kinds_given, *keys_given])


def _live_claims(
    db: Connection, rows: Iterable[_ClaimRow], now: datetime
) -> dict[tuple[Kind, str], _Claim]:
    """Return the claims that still hold; those that ended make way for new ones."""
    live = {}
    for row in rows:
        if _has_ended(row, milliseconds(now)):
            db.execute(sa.delete(claims).where(claims.c.kind == row.kind, claims.c.key == row.key))
        else:
            live[row.kind, row.key] = _Claim(
                CommentId(row.comment_id), row.fingerprint, row.key_id, Status(row.status)
            )
    return live


def _has_ended(row: _ClaimRow, now: int) -> bool:
    # Whoever took a comment back may well say the same again.
    taken_back = row.kind == "duplicate" and row.status in (Status.WITHDRAWN, Status.ERASED)
    return taken_back or (row.expires_at is not None and row.expires_at <= now)


def _asking_threads(db: Connection, group: Iterable[Waiting]) -> Question:
    asked = {waiting.thread_key for waiting in group}
    of_sites, sites = one_of(db, {site for site, _ in asked})
    of_keys, keys = one_of(db, {key for _, key in asked})
    source = f"FROM threads WHERE site_id {of_sites} AND key {of_keys}"
    return Question(_THREAD_COLUMNS, source, [*sites, *keys])


def _by_key(found: Iterable[Thread]) -> dict[ThreadKey, Thread]:
    return {(thread.site_id, thread.key): thread for thread in found}


def _thread(
    number: int,
    site: int,
    key: str,
    url: str,
    title: str,
    moderation: str | None,
    closed_at: int | None,
) -> Thread:
    """Return the thread that a row of `_THREAD_COLUMNS` holds."""
    return Thread(
        id=ThreadId(number),
        site_id=SiteId(site),
        key=key,
        url=url,
        title=title,
        moderation=Moderation(moderation) if moderation else None,
        closed_at=None if closed_at is None else instant(closed_at),
    )


def _known_parents(db: Connection, group: Iterable[Waiting]) -> dict[CommentId, _Parent]:
    ids = {waiting.submission.parent_id for waiting in group} - {None}
    if not ids:
        return {}
    statement = (
        sa.select(comments, threads.c.key)
        .join(threads, threads.c.id == comments.c.thread_id)
        .where(comments.c.id.in_(ids))
    )
    return {
        CommentId(row.id): _Parent(
            id=CommentId(row.id),
            thread_key=(SiteId(row.site_id), row.key),
            root_id=CommentId(row.root_id),
            depth=row.depth,
            status=Status(row.status),
        )
        for row in db.execute(statement)
    }


def _comment_row(
    waiting: Waiting,
    comment_id: CommentId,
    thread: Thread,
    parent: _Parent | None,
    now: int,
) -> dict[str, Any]:
    submission, author = waiting.submission, waiting.submission.author
    opened = submission.form_opened_at
    return {
        "id": comment_id,
        "site_id": waiting.caller.site.id,
        "thread_id": thread.id,
        "parent_id": parent.id if parent else None,
        "root_id": parent.root_id if parent else comment_id,
        "depth": parent.depth + 1 if parent else 1,
        "key_id": waiting.caller.key_id,
        "external_id": submission.external_id,
        "status": Status.PENDING.value,
        "version": 1,
        "severity": 0,
        "author_name": author.name,
        "author_email": author.email,
        "author_email_hash": waiting.email_hash,
        "author_url": author.url,
        "author_ip": author.ip,
        "author_ip_hash": waiting.address_hash,
        "author_user_agent": author.user_agent,
        "author_referrer": author.referrer,
        "author_verified_id": author.verified_id,
        "author_email_verified": author.email_verified,
        "body": submission.body,
        "form_opened_at": milliseconds(opened) if opened else None,
        "honeypot_filled": submission.honeypot_filled,
        "report_count": 0,
        "attempts": 0,
        "request_id": waiting.request_id,
        "created_at": now,
        "pending_since": now,
    }


_THREAD_COLUMNS = "id, site_id, key, url, title, moderation, closed_at"
_CLAIM_COLUMNS = "kind, key, fingerprint, comment_id, expires_at, key_id, status"
_CLAIMS = (
    "(SELECT claims.kind, claims.key, claims.fingerprint, claims.comment_id, claims.expires_at,"
    " comments.key_id, comments.status FROM claims"
    " JOIN comments ON comments.id = claims.comment_id"
)
# While PostgreSQL believes these tables to be small, it would read half of them; a limit binds
# it to the indexes.
_CLAIMS_ONE_BY_ONE = (
    "FROM unnest(%s::text[], %s::text[]) AS asked (of_kind, of_key), LATERAL"
    f" {_CLAIMS} WHERE claims.kind = of_kind AND claims.key = of_key LIMIT 1) AS found"
)
