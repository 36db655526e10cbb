"""Approved comments that people are asked to look at, so that approvals are known too."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from service.domain.comment import CommentId, Status
from service.storage.periods import id_at
from service.storage.tables import comments, hits, samples


def add_samples(
    db: Connection, now: datetime, since: datetime, *, per_rule: int, approved: int
) -> int:
    """Choose comments that arrived and were approved since; return how many.

    At random, up to `per_rule` for each rule that hit in the shadow, and up to
    `approved` of all; those chosen since then already count as well.
    """
    chosen = _chosen(db, since)
    added = 0
    for rule in _shadow_rules(db, since):
        room = per_rule - chosen.get(rule, 0)
        in_shadow = sa.and_(hits.c.rule == rule, hits.c.mode == "shadow")
        query = _candidates(since).join(
            hits, sa.and_(hits.c.comment_id == comments.c.id, in_shadow)
        )
        added += _add(db, query, rule, room, now)
    return added + _add(db, _candidates(since), "", approved - chosen.get("", 0), now)


def in_sample() -> ColumnElement[bool]:
    """Return the condition that a comment waits for somebody to look at it as a sample."""
    return sa.and_(
        sa.exists().where(samples.c.comment_id == comments.c.id),
        comments.c.status == Status.APPROVED,
        comments.c.decided_at.is_(None),
    )


def sampled_for(db: Connection, ids: Sequence[CommentId]) -> dict[CommentId, str]:
    """Return for the sake of which rule ("" for none) each of `ids` was chosen."""
    query = sa.select(samples.c.comment_id, samples.c.rule).where(samples.c.comment_id.in_(ids))
    return {CommentId(row.comment_id): row.rule for row in db.execute(query)}


def _chosen(db: Connection, since: datetime) -> dict[str, int]:
    query = sa.select(samples.c.rule, sa.func.count().label("number"))
    rows = db.execute(query.where(samples.c.at >= since).group_by(samples.c.rule))
    return {row.rule: row.number for row in rows}


def _shadow_rules(db: Connection, since: datetime) -> list[str]:
    recent = hits.c.comment_id >= id_at(since), hits.c.mode == "shadow"
    return list(db.scalars(sa.select(hits.c.rule).where(*recent).distinct().order_by(hits.c.rule)))


def _candidates(since: datetime) -> Select[tuple[str]]:
    return sa.select(comments.c.id).where(
        comments.c.id >= id_at(since),
        comments.c.status == Status.APPROVED,
        comments.c.judged_at.is_not(None),
        comments.c.decided_at.is_(None),
        ~sa.exists().where(samples.c.comment_id == comments.c.id),
    )


def _add(db: Connection, query: Select[tuple[str]], rule: str, room: int, now: datetime) -> int:
    if room <= 0:
        return 0
    ids = db.scalars(query.order_by(sa.func.random()).limit(room)).all()
    if ids:
        rows = [{"comment_id": comment_id, "rule": rule, "at": now} for comment_id in ids]
        db.execute(sa.insert(samples), rows)
    return len(ids)
