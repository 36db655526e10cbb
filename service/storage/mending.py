"""Comments that are held only because something broke, and may be judged again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import Comment, CommentId, Status
from service.domain.decision import EventKind
from service.domain.verdict import ENGINE
from service.storage.comments import locked_comments, verdicts_of
from service.storage.tables import comments, events, hits, rule_states, ruleset_versions

#: The reason of comments of which only a part could be checked.
TRUNCATED = "truncated"

#: How long to wait before the first further try, the second and so on; nothing
#: is tried again after the last, unless rules change.
PAUSES = tuple(timedelta(minutes=m) for m in (1, 10, 60, 24 * 60, 7 * 24 * 60))


@dataclass(frozen=True, slots=True)
class Mended:
    """Comments worth another try, and from where to look on; `next` is None at the end."""

    ids: list[CommentId]
    next: CommentId | None


def mended_comments(
    db: Connection, now: datetime, limit: int, after: CommentId | None = None
) -> Mended:
    """Return held comments whose only reason may be gone, oldest first.

    That is so once another ruleset is live or the rule that failed runs in the
    shadow; otherwise after one of `PAUSES`. Not comments that a person touched,
    or that readers reported.
    """
    query = (
        sa.select(comments.c.id)
        .where(
            comments.c.status == Status.HELD,
            comments.c.decided_at.is_(None),
            comments.c.body != "",
            _broke(),
            ~_touched(),
            ~_cut(),
            sa.or_(_rules_changed(), _rule_put_aside(), *_waited(now)),
        )
        .order_by(comments.c.id)
        .limit(limit)
    )
    if after:
        query = query.where(comments.c.id > after)
    found = [CommentId(comment_id) for comment_id in db.scalars(query)]
    evidence = verdicts_of(db, found)
    ids = [comment_id for comment_id in found if _only_broken(evidence.get(comment_id))]
    return Mended(ids, found[-1] if len(found) == limit else None)


def still_broken(db: Connection, ids: Sequence[CommentId]) -> list[Comment]:
    """Return those of `ids` that nobody touched since, locked until the commit."""
    found = locked_comments(db, ids)
    query = sa.select(comments.c.id).where(comments.c.id.in_(ids), _broke(), ~_touched())
    untouched = set(db.scalars(query))
    return [
        comment
        for comment in found.values()
        if comment.id in untouched and comment.status is Status.HELD
    ]


def _broke() -> ColumnElement[bool]:
    return sa.exists().where(hits.c.comment_id == comments.c.id, hits.c.category == ENGINE)


def _cut() -> ColumnElement[bool]:
    # Too much to be checked is no fault that anything could mend.
    return sa.exists().where(hits.c.comment_id == comments.c.id, hits.c.rule == TRUNCATED)


def _touched() -> ColumnElement[bool]:
    ours = (EventKind.VERDICT, EventKind.RETRIED)
    return sa.exists().where(events.c.comment_id == comments.c.id, events.c.kind.not_in(ours))


def _rules_changed() -> ColumnElement[bool]:
    newest = sa.select(sa.func.max(ruleset_versions.c.published_at)).scalar_subquery()
    return comments.c.judged_at < newest


def _rule_put_aside() -> ColumnElement[bool]:
    live = sa.select(sa.func.max(ruleset_versions.c.number)).scalar_subquery()
    return sa.exists().where(
        hits.c.comment_id == comments.c.id,
        hits.c.category == ENGINE,
        rule_states.c.version == live,
        rule_states.c.rule == hits.c.rule,
        rule_states.c.since > comments.c.judged_at,
    )


def _waited(now: datetime) -> list[ColumnElement[bool]]:
    tries = (
        sa.select(sa.func.count())
        .where(events.c.comment_id == comments.c.id, events.c.kind == EventKind.RETRIED)
        .scalar_subquery()
    )
    return [
        sa.and_(comments.c.judged_at < now - pause, tries == number)
        for number, pause in enumerate(PAUSES)
    ]


def _only_broken(evidence: dict[str, Any] | None) -> bool:
    """Whether nothing speaks against the comment but that it could not be checked."""
    totals = (evidence or {}).get("totals", {})
    over = {name for name, total in totals.items() if total["points"] >= total["hold_at"]}
    return over == {ENGINE}
