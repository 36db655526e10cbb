"""Comments in the record: one at a time, with its story, and how one changes.

Every change of status goes through `change_status`, which moves the comment,
writes the event and what websites are told of it in the caller's transaction,
or does nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select

from service.domain.comment import Author, Comment, CommentId, SiteId, Status, ThreadId, ThreadRef
from service.domain.decision import Event, EventKind
from service.storage import outbox
from service.storage.outbox import Change
from service.storage.tables import comments, events, reports, sites, threads, verdicts

Rows = Select[Any]

#: What people do to comments one by one or together; the index is of these alone.
_PEOPLE = (EventKind.DECISION, EventKind.UNDO)
_OF_PEOPLE = sa.text("events.kind IN ('decision', 'undo')")

_NOTHING_ELSE: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Report:
    """A reader's complaint about a published comment."""

    reason: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event tells of a change besides the change itself; fields as in `Event`."""

    kind: EventKind
    actor: str
    at: datetime
    reason: str = ""
    note: str = ""
    batch: str | None = None


def select_comments() -> Rows:
    """Return a query for whole comments; its rows are for `row_to_comment`."""
    return sa.select(
        *comments.c,
        sites.c.slug.label("site_slug"),
        threads.c.key.label("thread_key"),
        threads.c.url.label("thread_url"),
        threads.c.title.label("thread_title"),
        threads.c.source,
    ).select_from(
        comments.join(sites, comments.c.site_id == sites.c.id).join(
            threads, comments.c.thread_id == threads.c.id
        )
    )


def row_to_comment(row: Row[Any]) -> Comment:
    """Return the comment in a row of `select_comments`."""
    return Comment(
        id=CommentId(row.id),
        site_id=SiteId(row.site_id),
        site_slug=row.site_slug,
        thread_id=ThreadId(row.thread_id),
        thread=ThreadRef(row.thread_key, row.thread_url, row.thread_title),
        status=Status(row.status),
        version=row.version,
        author=_row_to_author(row),
        body=row.body,
        created_at=row.created_at,
        parent_id=row.parent_id,
        root_id=row.root_id,
        depth=row.depth,
        external_id=row.external_id,
        form_opened_at=row.form_opened_at,
        honeypot_filled=row.honeypot_filled,
        attempts=row.attempts,
        report_count=row.report_count,
        judged_at=row.judged_at,
        decided_at=row.decided_at,
        request_id=row.request_id,
        source=row.source,
    )


def comment_by_id(
    db: Connection, comment_id: CommentId, site_id: SiteId | None = None
) -> Comment | None:
    """Return the comment, or None where it does not exist or is another site's."""
    row = db.execute(_by_ids([comment_id], site_id)).one_or_none()
    return row_to_comment(row) if row else None


def locked_comment(
    db: Connection, comment_id: CommentId, site_id: SiteId | None = None
) -> Comment | None:
    """Return the comment as `comment_by_id` does; nobody changes it until the commit."""
    row = db.execute(_locked(_by_ids([comment_id], site_id))).one_or_none()
    return row_to_comment(row) if row else None


def locked_comments(db: Connection, ids: Iterable[CommentId]) -> dict[CommentId, Comment]:
    """Return those of `ids` that exist; nobody changes them until the commit.

    Locked in the order of their ids, so that two such calls never wait for
    each other in a circle.
    """
    query = _by_ids(sorted(set(ids))).order_by(comments.c.id)
    found = [row_to_comment(row) for row in db.execute(_locked(query))]
    return {comment.id: comment for comment in found}


def change_status(
    db: Connection,
    comment: Comment,
    to_status: Status,
    cause: Cause,
    columns: Mapping[str, object] = _NOTHING_ELSE,
) -> Event | None:
    """Move the comment on by one version and write the event that tells of it.

    A compare-and-set: returns None, and changes nothing, if the comment is no
    longer at the version given. `columns` are set along with the status.
    """
    moved = db.execute(
        sa.update(comments)
        .where(comments.c.id == comment.id, comments.c.version == comment.version)
        .values(pending_since=None)
        .values(dict(columns))
        .values(status=to_status, version=comment.version + 1)
    )
    if moved.rowcount != 1:
        return None
    changed = replace(comment, status=to_status, version=comment.version + 1)
    told = Change(
        comment_id=comment.id,
        before=comment.status,
        after=to_status,
        version=changed.version,
        actor=cause.actor,
        reason=cause.reason,
        # What is erased is gone from the row by now, and the site knows it by no other name.
        external_id=comment.external_id,
    )
    outbox.tell(db, [told], cause.at)
    return append_event(db, changed, comment.status, cause)


def append_event(db: Connection, comment: Comment, from_status: Status, cause: Cause) -> Event:
    """Write one line of the audit log: how the comment came to stand where it does."""
    columns: dict[str, Any] = {
        "comment_id": comment.id,
        "from_status": from_status,
        "to_status": comment.status,
        "version": comment.version,
        **asdict(cause),
    }
    new = sa.insert(events).values(columns).returning(events.c.id)
    return Event(id=db.execute(new).scalar_one(), **columns)


def row_to_event(row: Row[Any]) -> Event:
    """Return the event in a row of the `events` table."""
    return Event(
        id=row.id,
        comment_id=CommentId(row.comment_id),
        at=row.at,
        kind=EventKind(row.kind),
        actor=row.actor,
        from_status=Status(row.from_status),
        to_status=Status(row.to_status),
        version=row.version,
        reason=row.reason,
        note=row.note,
        batch=row.batch,
    )


def events_of(db: Connection, comment_id: CommentId) -> list[Event]:
    """Return everything that happened to the comment, oldest first."""
    story = sa.select(events).where(events.c.comment_id == comment_id).order_by(events.c.id)
    return [row_to_event(row) for row in db.execute(story)]


def event_by_id(db: Connection, event_id: int) -> Event | None:
    """Return one line of the audit log."""
    row = db.execute(sa.select(events).where(events.c.id == event_id)).one_or_none()
    return row_to_event(row) if row else None


def events_of_batch(db: Connection, batch: str) -> list[Event]:
    """Return what was done under one batch id, oldest first."""
    query = sa.select(events).where(events.c.batch == batch).order_by(events.c.id)
    return [row_to_event(row) for row in db.execute(query)]


def last_change(db: Connection, comment: Comment) -> Event | None:
    """Return the event that gave the comment its version; None if only accepted so far."""
    row = db.execute(
        sa.select(events).where(
            events.c.comment_id == comment.id,
            events.c.version == comment.version,
            # These tell something about the comment but do not change it.
            events.c.kind.not_in([EventKind.REPORT, EventKind.RULE_WRONG]),
        )
    ).one_or_none()
    return row_to_event(row) if row else None


def last_change_of(db: Connection, comment_id: CommentId) -> Event | None:
    """Return the event that brought the comment where it stands."""
    comment = comment_by_id(db, comment_id)
    return last_change(db, comment) if comment else None


def last_decision_by(db: Connection, actor: str, looked_at: int = 50) -> Event | None:
    """Return the newest decision of that person which still stands, among their last ones."""
    recent = (
        sa.select(events)
        .where(events.c.actor == actor, events.c.kind.in_(_PEOPLE), _OF_PEOPLE)
        .order_by(events.c.at.desc(), events.c.id.desc())
        .limit(looked_at)
        .subquery()
    )
    query = (
        sa.select(recent)
        .join(comments, comments.c.id == recent.c.comment_id)
        .where(recent.c.kind == EventKind.DECISION, recent.c.version == comments.c.version)
        .order_by(recent.c.id.desc())
        .limit(1)
    )
    row = db.execute(query).one_or_none()
    return row_to_event(row) if row else None


def verdict_of(db: Connection, comment_id: CommentId) -> dict[str, Any] | None:
    """Return the newest verdict on the comment, with its whole evidence."""
    return verdicts_of(db, [comment_id]).get(comment_id)


def verdicts_of(db: Connection, ids: Sequence[CommentId]) -> dict[CommentId, dict[str, Any]]:
    """Return the newest verdict, with its whole evidence, on each judged comment."""
    query = (
        sa.select(verdicts.c.comment_id, verdicts.c.evidence)
        .where(verdicts.c.comment_id.in_(ids))
        .order_by(verdicts.c.id)
    )
    return {CommentId(row.comment_id): row.evidence for row in db.execute(query)}


def reports_of(db: Connection, comment_id: CommentId) -> list[Report]:
    """Return readers' reports of the comment, oldest first."""
    query = sa.select(reports).where(reports.c.comment_id == comment_id).order_by(reports.c.id)
    return [Report(row.reason, row.note, row.at) for row in db.execute(query)]


def add_report(
    db: Connection, comment_id: CommentId, *, reporter: str, reason: str, note: str, at: datetime
) -> bool:
    """Keep a reader's report; False if the same reader reported the comment before.

    The caller holds the lock on the comment.
    """
    theirs = reports.c.comment_id == comment_id, reports.c.reporter_hash == reporter
    if db.execute(sa.select(reports.c.id).where(*theirs)).one_or_none():
        return False
    report = {"reporter_hash": reporter, "reason": reason, "note": note, "at": at}
    db.execute(sa.insert(reports).values(comment_id=comment_id, **report))
    db.execute(
        sa.update(comments)
        .where(comments.c.id == comment_id)
        .values(report_count=comments.c.report_count + 1)
    )
    return True


def is_reported_enough(db: Connection, comment: Comment) -> bool:
    """Whether readers reported it often enough since a moderator last decided."""
    since = [] if comment.decided_at is None else [reports.c.at > comment.decided_at]
    query = sa.select(sa.func.count()).where(reports.c.comment_id == comment.id, *since)
    enough = sa.select(sites.c.reports_to_reopen).where(sites.c.id == comment.site_id)
    return bool(db.execute(query).scalar_one() >= db.execute(enough).scalar_one())


def _row_to_author(row: Row[Any]) -> Author:
    return Author(
        name=row.author_name,
        email=row.author_email,
        url=row.author_url,
        ip=row.author_ip,
        user_agent=row.author_user_agent,
        referrer=row.author_referrer,
        verified_id=row.author_verified_id,
        email_verified=row.author_email_verified,
    )


def _by_ids(ids: Sequence[CommentId], site_id: SiteId | None = None) -> Rows:
    query = select_comments().where(comments.c.id.in_(ids))
    return query if site_id is None else query.where(comments.c.site_id == site_id)


def _locked(query: Rows) -> Rows:
    # SQLite knows no row locks and needs none: a write transaction is alone there.
    return query.with_for_update(of=comments)
