"""What a rule or a person did between two times, and what of it still stands."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from service.domain.comment import CommentId, SiteId, Status
from service.domain.decision import EventKind
from service.storage.reviewing import on_sites
from service.storage.tables import comments, events, hits


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on and before `until`, on the sites that whoever asks may see."""

    since: datetime
    until: datetime
    sites: frozenset[SiteId] | None = None


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that was done: to which comment, by which event of the audit log."""

    comment_id: CommentId
    event_id: int | None = None


def held_by_rule(db: Connection, rule: str, span: Span) -> list[Doing]:
    """Return what the rule alone holds: without it these would have been approved."""
    query = (
        sa.select(comments.c.id)
        .join(hits, hits.c.comment_id == comments.c.id)
        .where(
            hits.c.rule == rule,
            hits.c.needed,
            comments.c.status == Status.HELD,
            comments.c.body != "",
            comments.c.judged_at >= span.since,
            comments.c.judged_at < span.until,
            *on_sites(span.sites),
        )
        .order_by(comments.c.id)
    )
    return [Doing(CommentId(comment_id)) for comment_id in db.scalars(query)]


def decided_by(db: Connection, actor: str, span: Span) -> list[Doing]:
    """Return the person's decisions that still stand."""
    query = _decisions(actor, span).where(events.c.version == comments.c.version)
    rows = db.execute(query.order_by(events.c.id))
    return [Doing(CommentId(row.comment_id), row.id) for row in rows]


def moved_on(db: Connection, actor: str, span: Span) -> int:
    """Return how many of the person's decisions somebody changed since."""
    others = _decisions(actor, span).where(events.c.version != comments.c.version).subquery()
    return db.execute(sa.select(sa.func.count()).select_from(others)).scalar_one()


def _decisions(actor: str, span: Span) -> Select[tuple[int, str]]:
    conditions: list[ColumnElement[bool]] = [
        events.c.actor == actor,
        events.c.at >= span.since,
        events.c.at < span.until,
        sa.literal_column("events.kind IN ('decision', 'undo')", sa.Boolean),
        events.c.kind == EventKind.DECISION,
        *on_sites(span.sites),
    ]
    joined = events.join(comments, comments.c.id == events.c.comment_id)
    return sa.select(events.c.id, events.c.comment_id).select_from(joined).where(*conditions)
