"""What judging reads from the record and writes to it, in few statements a batch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import (
    Author,
    Comment,
    CommentId,
    SiteId,
    Status,
    ThreadId,
    ThreadRef,
)
from service.domain.decision import EventKind
from service.domain.history import AuthorHistory
from service.domain.site import Moderation
from service.domain.verdict import ENGINE, Hit, Total, Verdict
from service.storage import campaigns, outbox
from service.storage.outbox import Change
from service.storage.tables import comments, events, hits, link_domains, sites, threads, verdicts

#: The actor of verdicts in the audit log.
RULES = "rules"

_FIRST_VERSION = 1
_HOLDS_ALONE = 10


@dataclass(frozen=True, slots=True)
class PendingComment:
    """A comment that waits for its verdict.

    `email_hash` is the keyed hash of the address; `moderation` what holds for
    its thread, which is the site's setting unless the thread has its own.
    """

    comment: Comment
    email_hash: str | None
    moderation: Moderation


class Judged(NamedTuple):
    """A verdict on the comment at the version that was judged, and its campaign if any."""

    comment_id: CommentId
    version: int
    verdict: Verdict
    mark: campaigns.Mark | None = None


class _Way(NamedTuple):
    """From which version to where a verdict moves a comment."""

    seen: int
    to: Status
    how_severe: int
    nothing_but_spam: bool
    written_in: str | None


class _Identity(NamedTuple):
    """What an author's earlier comments are found by: one of the last two is None."""

    site_id: SiteId
    email_hash: str | None
    verified_id: str | None


def pending_comments(db: Connection, ids: Sequence[CommentId]) -> list[PendingComment]:
    """Return those of `ids` that still wait for a verdict, oldest first."""
    rows = db.execute(_PENDING, {"ids": list(ids)})
    return [_pending_comment(row) for row in rows]


def oldest_pending(
    db: Connection, limit: int, *, most_attempts: int, exclude: Iterable[CommentId] = ()
) -> list[CommentId]:
    """Return the ids of the comments that wait longest, apart from `exclude`.

    Not those that got more than `most_attempts` new jobs: they are trouble.
    """
    values = {"limit": limit, "exclude": list(exclude), "most_attempts": most_attempts}
    rows = db.execute(_OLDEST, values)
    return [CommentId(row.id) for row in rows]


def author_histories(
    db: Connection, pending: Sequence[PendingComment]
) -> dict[CommentId, AuthorHistory]:
    """Return for each comment what was decided of its author's earlier ones on that site."""
    by_email = _outcomes(db, comments.c.author_email_hash, {_by_email(item) for item in pending})
    by_id = _outcomes(db, comments.c.author_verified_id, {_by_verified(item) for item in pending})
    return {
        item.comment.id: _history(by_id[_by_verified(item)], by_email[_by_email(item)])
        for item in pending
    }


def moderation_of(db: Connection, site_id: SiteId, thread_key: str) -> Moderation:
    """Return who looks first at a comment on that thread, which need not exist yet."""
    values = {"site": site_id, "thread": thread_key}
    return Moderation(db.execute(_MODERATION, values).scalar_one())


def record_verdicts(db: Connection, judged: Sequence[Judged], now: datetime) -> set[CommentId]:
    """Store the verdicts on comments that are still as they were judged; return their ids.

    A comment that somebody decided in the meantime stays as it is: of its
    verdict nothing is kept.
    """
    won = _settle(db, judged, now)
    kept = [item for item in judged if item.comment_id in won]
    _forget_earlier(db, [item for item in kept if item.version > _FIRST_VERSION])
    _insert(db, verdicts, [_verdict_row(item) for item in kept])
    _insert(db, hits, [row for item in kept for row in _hit_rows(item)])
    _insert(db, link_domains, [row for item in kept for row in _domain_rows(item)])
    _insert(db, events, [_event_row(item, now) for item in kept])
    campaigns.mark(db, {item.comment_id: item.mark for item in kept if item.mark}, now)
    outbox.tell(db, [_change(item) for item in kept], now)
    return won


def hold_unjudgeable(db: Connection, ids: Sequence[CommentId], now: datetime) -> set[CommentId]:
    """Hold those of `ids` that still wait although judging them failed again and again."""
    hit = Hit(
        "could-not-be-judged", ENGINE, _HOLDS_ALONE, "This comment could not be judged", needed=True
    )
    verdict = Verdict(
        status=Status.HELD,
        ruleset="none",
        at=now,
        took_ms=0.0,
        totals={ENGINE: Total(_HOLDS_ALONE, _HOLDS_ALONE)},
        hits=(hit,),
    )
    rows = db.execute(sa.select(comments.c.id, comments.c.version).where(comments.c.id.in_(ids)))
    judged = [Judged(CommentId(row.id), row.version, verdict) for row in rows]
    return record_verdicts(db, judged, now)


def _settle(db: Connection, judged: Iterable[Judged], now: datetime) -> set[CommentId]:
    """Move the comments on, all that go the same way in one statement; return which went."""
    ways: dict[_Way, list[CommentId]] = defaultdict(list)
    for item in judged:
        ways[_way(item)].append(item.comment_id)
    # In one order for all: two batches, or a batch and a bulk decision, that meet
    # on PostgreSQL would otherwise wait for each other until one is aborted.
    db.execute(_LOCK, {"ids": [comment_id for ids in ways.values() for comment_id in ids]})
    won: set[CommentId] = set()
    for way, ids in ways.items():
        values = way._asdict() | {"ids": ids, "now": now}
        won.update(CommentId(row.id) for row in db.execute(_SETTLE, values))
    return won


def _way(item: Judged) -> _Way:
    verdict = item.verdict
    return _Way(item.version, verdict.status, verdict.severity, verdict.spam_only, verdict.language)


def _forget_earlier(db: Connection, rejudged: Sequence[Judged]) -> None:
    """Make way for verdicts on comments that were judged before.

    Which rules matched then goes, where it led to, and what the very same rules said; the
    verdicts of other rulesets stay.
    """
    if not rejudged:
        return
    ids = [item.comment_id for item in rejudged]
    rulesets = {item.verdict.ruleset for item in rejudged}
    for table in (hits, link_domains):
        db.execute(sa.delete(table).where(table.c.comment_id.in_(ids)))
    db.execute(
        sa.delete(verdicts).where(verdicts.c.comment_id.in_(ids), verdicts.c.ruleset.in_(rulesets))
    )


def _insert(db: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        db.execute(sa.insert(table), rows)


def _verdict_row(item: Judged) -> dict[str, Any]:
    verdict = item.verdict
    return {
        "comment_id": item.comment_id,
        "ruleset": verdict.ruleset,
        "status": verdict.status,
        "at": verdict.at,
        "evidence": verdict.as_dict(),
    }


def _hit_rows(item: Judged) -> Iterator[dict[str, Any]]:
    for hit in item.verdict.hits:
        yield {
            "comment_id": item.comment_id,
            "rule": hit.rule,
            "category": hit.category,
            "needed": hit.needed,
            "mode": hit.mode,
        }


def _domain_rows(item: Judged) -> Iterator[dict[str, Any]]:
    for domain in item.verdict.link_domains:
        yield {"comment_id": item.comment_id, "domain": domain}


def _event_row(item: Judged, now: datetime) -> dict[str, Any]:
    return {
        "comment_id": item.comment_id,
        "at": now,
        "kind": EventKind.VERDICT,
        "actor": RULES,
        "from_status": Status.PENDING,
        "to_status": item.verdict.status,
        "version": item.version + 1,
        "reason": "",
        "note": "",
    }


def _change(item: Judged) -> Change:
    return Change(
        item.comment_id, Status.PENDING, item.verdict.status, item.version + 1, actor=RULES
    )


def _by_email(item: PendingComment) -> _Identity:
    return _Identity(item.comment.site_id, item.email_hash, None)


def _by_verified(item: PendingComment) -> _Identity:
    return _Identity(item.comment.site_id, None, item.comment.author.verified_id)


def _outcomes(
    db: Connection, column: sa.Column[Any], identities: set[_Identity]
) -> dict[_Identity, dict[Status, int]]:
    """Return how many comments of each author ended in which status."""
    counts: dict[_Identity, dict[Status, int]] = defaultdict(dict)
    wanted = {value for who in identities if (value := who.email_hash or who.verified_id)}
    if not wanted:
        return counts
    statement = (
        sa.select(comments.c.site_id, column, comments.c.status, sa.func.count())
        .where(
            comments.c.site_id.in_({who.site_id for who in identities}),
            column.in_(wanted),
            comments.c.status != Status.PENDING,
        )
        .group_by(comments.c.site_id, column, comments.c.status)
    )
    is_email = column is comments.c.author_email_hash
    for site_id, value, status, count in db.execute(statement):
        who = _Identity(site_id, value if is_email else None, None if is_email else value)
        counts[who][Status(status)] = count
    return counts


def _history(proven: dict[Status, int], claimed: dict[Status, int]) -> AuthorHistory:
    return AuthorHistory(
        approved=proven.get(Status.APPROVED, 0),
        rejected=_refused(proven),
        claimed_approved=claimed.get(Status.APPROVED, 0),
        claimed_rejected=_refused(claimed),
        seen=max(sum(proven.values()), sum(claimed.values())),
    )


def _refused(outcomes: dict[Status, int]) -> int:
    return outcomes.get(Status.REJECTED, 0) + outcomes.get(Status.SPAM, 0)


def _pending_comment(row: Any) -> PendingComment:
    author = Author(
        name=row.author_name,
        email=row.author_email,
        url=row.author_url,
        ip=row.author_ip,
        user_agent=row.author_user_agent,
        referrer=row.author_referrer,
        verified_id=row.author_verified_id,
        email_verified=row.author_email_verified,
    )
    comment = Comment(
        id=CommentId(row.id),
        site_id=SiteId(row.site_id),
        site_slug=row.slug,
        thread_id=ThreadId(row.thread_id),
        thread=ThreadRef(row.key, row.url, row.title),
        status=Status.PENDING,
        version=row.version,
        author=author,
        body=row.body,
        created_at=row.created_at,
        parent_id=row.parent_id,
        depth=row.depth,
        form_opened_at=row.form_opened_at,
        honeypot_filled=row.honeypot_filled,
        attempts=row.attempts,
        request_id=row.request_id,
    )
    return PendingComment(comment, row.author_email_hash, Moderation(row.moderation))


#: Columns that judging has no use for; fetching them costs time for each comment.
_NOT_JUDGED = {
    comments.c.key_id,
    comments.c.external_id,
    comments.c.status,
    comments.c.severity,
    comments.c.spam_only,
    comments.c.language,
    comments.c.root_id,
    comments.c.author_ip_hash,
    comments.c.report_count,
    comments.c.pending_since,
    comments.c.judged_at,
    comments.c.decided_at,
    comments.c.campaign,
}

# Built once: putting a statement together costs more than running it.
_MODERATION = (
    sa.select(sa.func.coalesce(threads.c.moderation, sites.c.moderation))
    .select_from(
        sites.outerjoin(
            threads,
            sa.and_(threads.c.site_id == sites.c.id, threads.c.key == sa.bindparam("thread")),
        )
    )
    .where(sites.c.id == sa.bindparam("site"))
)
_PENDING = (
    sa.select(
        *(column for column in comments.c if column not in _NOT_JUDGED),
        sites.c.slug,
        threads.c.key,
        threads.c.url,
        threads.c.title,
        sa.func.coalesce(threads.c.moderation, sites.c.moderation).label("moderation"),
    )
    .join(sites, sites.c.id == comments.c.site_id)
    .join(threads, threads.c.id == comments.c.thread_id)
    .where(
        comments.c.id.in_(sa.bindparam("ids", expanding=True)),
        comments.c.status == sa.literal_column("'pending'"),
    )
    .order_by(comments.c.id)
)
_OLDEST = (
    sa.select(comments.c.id)
    .where(
        # Written out, so that both databases see that the small index serves.
        comments.c.status == sa.literal_column("'pending'"),
        comments.c.id.not_in(sa.bindparam("exclude", expanding=True)),
        comments.c.attempts <= sa.bindparam("most_attempts"),
    )
    .order_by(comments.c.pending_since)
    .limit(sa.bindparam("limit"))
)
_LOCK = (
    sa.select(comments.c.id)
    .where(comments.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(comments.c.id)
    .with_for_update()
)
_SETTLE = (
    sa.update(comments)
    .where(
        comments.c.id.in_(sa.bindparam("ids", expanding=True)),
        comments.c.status == sa.literal_column("'pending'"),
        comments.c.version == sa.bindparam("seen"),
    )
    .values(
        status=sa.bindparam("to"),
        severity=sa.bindparam("how_severe"),
        spam_only=sa.bindparam("nothing_but_spam"),
        language=sa.bindparam("written_in"),
        version=comments.c.version + 1,
        judged_at=sa.bindparam("now", type_=comments.c.judged_at.type),
        pending_since=None,
    )
    .returning(comments.c.id)
)
