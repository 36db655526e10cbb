"""Housekeeping of the record: turns, overdue comments, and what must be forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.comment import Comment, CommentId, Status
from service.storage import database_now
from service.storage.campaigns import forget_campaign_of
from service.storage.comments import row_to_comment, select_comments
from service.storage.conversations import IMPORT_CLAIM
from service.storage.notes import forget_notes
from service.storage.tables import claims, comments, events, leases, link_domains, reports, verdicts

_NO_ADDRESS: dict[str, Any] = {
    "author_ip": None,
    "author_ip_hash": None,
    "author_user_agent": "",
}
_NO_EMAIL: dict[str, Any] = {"author_email": "", "author_email_hash": None}

#: What a comment is left with once it is erased.
NO_CONTENT: dict[str, Any] = {
    **_NO_ADDRESS,
    **_NO_EMAIL,
    "author_name": "",
    "author_url": "",
    "author_referrer": "",
    "author_verified_id": None,
    "author_email_verified": False,
    "body": "",
    "external_id": None,
    "form_opened_at": None,
    "honeypot_filled": False,
    "severity": 0,
    "spam_only": False,
    "language": None,
    "campaign": None,
}


@dataclass(frozen=True, slots=True)
class Overdue:
    """A comment that waits too long for its verdict, and how often it got a new job."""

    id: CommentId
    attempts: int


def take_lease(db: Connection, name: str, holder: str, seconds: float) -> bool:
    """Let `holder` alone do what `name` stands for; False while somebody else may.

    The lease ends by itself after `seconds` on the database's clock, so that a
    process that dies keeps nobody from the work for longer.
    """
    now = database_now(db)
    insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
    wanted = {"holder": holder, "until": now + timedelta(seconds=seconds)}
    statement = (
        insert(leases)
        .values(name=name, **wanted)
        .on_conflict_do_update(index_elements=["name"], set_=wanted, where=leases.c.until <= now)
        .returning(leases.c.name)
    )
    return db.execute(statement).one_or_none() is not None


def give_back_lease(db: Connection, name: str, holder: str) -> None:
    """End the lease early, if `holder` still has it."""
    db.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def overdue_comments(db: Connection, seconds: float, limit: int) -> list[Overdue]:
    """Return comments pending for longer than `seconds`, those that wait longest first."""
    before = database_now(db) - timedelta(seconds=seconds)
    query = (
        sa.select(comments.c.id, comments.c.attempts)
        .where(comments.c.status == Status.PENDING, comments.c.pending_since <= before)
        .order_by(comments.c.pending_since, comments.c.id)
        .limit(limit)
    )
    return [Overdue(CommentId(row.id), row.attempts) for row in db.execute(query)]


def count_attempts(db: Connection, ids: Sequence[CommentId]) -> None:
    """Count one more job for those of `ids` still pending, and let their time begin anew.

    Rows that a worker is writing to at this moment are passed over: they have
    their verdict, and waiting for them could end in a deadlock.
    """
    pending = comments.c.id.in_(ids), comments.c.status == Status.PENDING
    waiting = sa.select(comments.c.id).where(*pending).with_for_update(skip_locked=True)
    db.execute(
        sa.update(comments)
        .where(comments.c.id.in_(db.scalars(waiting).all()))
        .values(attempts=comments.c.attempts + 1, pending_since=database_now(db))
    )


def addresses_before(db: Connection, time: datetime, limit: int) -> list[CommentId]:
    """Return comments older than `time` that still tell where they came from."""
    told = sa.or_(
        comments.c.author_ip.is_not(None),
        comments.c.author_ip_hash.is_not(None),
        comments.c.author_user_agent != "",
    )
    return _ids(db, limit, comments.c.created_at < time, told)


def forget_addresses(db: Connection, ids: Sequence[CommentId]) -> None:
    """Delete IP address and user agent of these comments."""
    _forget(db, ids, _NO_ADDRESS)


def emails_before(db: Connection, time: datetime, limit: int) -> list[CommentId]:
    """Return comments older than `time` that still carry an e-mail address."""
    told = sa.or_(comments.c.author_email != "", comments.c.author_email_hash.is_not(None))
    return _ids(db, limit, comments.c.created_at < time, told)


def forget_emails(db: Connection, ids: Sequence[CommentId]) -> None:
    """Delete the e-mail address, and its hash, of these comments."""
    _forget(db, ids, _NO_EMAIL)


def refused_before(db: Connection, time: datetime, limit: int) -> list[CommentId]:
    """Return comments rejected, or called spam, before `time` whose text is still kept."""
    return _ids(db, limit, *_refused(time))


def locked_refused(db: Connection, ids: Sequence[CommentId], time: datetime) -> list[Comment]:
    """Return those of `ids` that `refused_before` would still name, locked until the commit."""
    query = (
        select_comments()
        .where(comments.c.id.in_(ids), *_refused(time))
        .order_by(comments.c.id)
        .with_for_update(of=comments)
    )
    return [row_to_comment(row) for row in db.execute(query)]


def forget_expired_claims(db: Connection, now: datetime, limit: int) -> int:
    """Delete claims that ended by themselves; return how many."""
    ended = sa.select(claims.c.kind, claims.c.key).where(claims.c.expires_at <= now).limit(limit)
    key = sa.tuple_(claims.c.kind, claims.c.key)
    return db.execute(sa.delete(claims).where(key.in_(ended))).rowcount


def comments_by_email(db: Connection, email: str, email_hash: str, limit: int) -> list[CommentId]:
    """Return comments written under the address, known by its keyed hash or in plain."""
    same = sa.or_(
        comments.c.author_email_hash == email_hash,
        sa.func.lower(comments.c.author_email) == email,
    )
    return _ids(db, limit, same)


def forget_traces(db: Connection, comment_id: CommentId) -> None:
    """Delete what others keep of the comment's content: claims, notes, quoted text.

    That it came by an import stays known: another one would bring it back.
    """
    of_comment = claims.c.comment_id == comment_id, claims.c.kind != IMPORT_CLAIM
    db.execute(sa.delete(claims).where(*of_comment))
    forget_campaign_of(db, comment_id)
    for table in (reports, events):
        # The one change that the audit log permits: a note may quote the text.
        noted = table.c.comment_id == comment_id, table.c.note != ""
        db.execute(sa.update(table).where(*noted).values(note=""))
    forget_notes(db, [comment_id])
    forget_quotes(db, comment_id)


def forget_quotes(db: Connection, comment_id: CommentId) -> None:
    """Reduce the comment's verdicts to which rules matched and with how many points."""
    db.execute(sa.delete(link_domains).where(link_domains.c.comment_id == comment_id))
    of_comment = sa.select(verdicts.c.id, verdicts.c.evidence)
    for row in db.execute(of_comment.where(verdicts.c.comment_id == comment_id)).all():
        db.execute(
            sa.update(verdicts)
            .where(verdicts.c.id == row.id)
            .values(evidence=_without_quotes(row.evidence))
        )


def _forget(db: Connection, ids: Sequence[CommentId], columns: dict[str, Any]) -> None:
    # Locked in the order of ids, as everywhere: nobody waits in a circle.
    of_ids = sa.select(comments.c.id).where(comments.c.id.in_(ids)).order_by(comments.c.id)
    db.execute(of_ids.with_for_update())
    db.execute(sa.update(comments).where(comments.c.id.in_(ids)).values(columns))


def _without_quotes(evidence: dict[str, Any]) -> dict[str, Any]:
    return evidence | {
        "hits": [hit | {"why": "", "spans": []} for hit in evidence["hits"]],
        "errors": [error | {"detail": ""} for error in evidence["errors"]],
        "signals": {},
    }


def _refused(time: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        comments.c.status.in_([Status.REJECTED, Status.SPAM]),
        comments.c.decided_at < time,
        comments.c.body != "",
    )


def _ids(db: Connection, limit: int, *conditions: ColumnElement[bool]) -> list[CommentId]:
    query = sa.select(comments.c.id).where(*conditions).order_by(comments.c.id).limit(limit)
    return [CommentId(comment_id) for comment_id in db.scalars(query)]
