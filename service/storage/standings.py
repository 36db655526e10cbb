"""Authors who are trusted or muted, in the record."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row

from service.domain.comment import CommentId, SiteId
from service.domain.standing import AuthorStanding, Standing
from service.storage.tables import comments, standings


def add_standing(
    db: Connection,
    site_id: SiteId,
    verified_id: str,
    standing: Standing,
    *,
    actor: str,
    at: datetime,
    ends_at: datetime,
) -> None:
    """Let the standing be in force, in place of an earlier one."""
    _end(db, actor, at, standings.c.site_id == site_id, standings.c.verified_id == verified_id)
    about = {"site_id": site_id, "verified_id": verified_id, "standing": standing}
    db.execute(sa.insert(standings).values(about | {"actor": actor, "at": at, "ends_at": ends_at}))


def standing_of(
    db: Connection, site_id: SiteId, verified_id: str, now: datetime
) -> AuthorStanding | None:
    """Return the author's standing, if one is in force."""
    about = standings.c.site_id == site_id, standings.c.verified_id == verified_id
    query = sa.select(standings).where(*about, _in_force(now)).order_by(standings.c.id.desc())
    row = db.execute(query.limit(1)).one_or_none()
    return _standing(row) if row else None


def last_standing_by(db: Connection, actor: str, now: datetime) -> AuthorStanding | None:
    """Return the newest standing in force that the person gave."""
    query = sa.select(standings).where(standings.c.actor == actor, _in_force(now))
    row = db.execute(query.order_by(standings.c.id.desc()).limit(1)).one_or_none()
    return _standing(row) if row else None


def take_back_standing(db: Connection, standing_id: int, actor: str, now: datetime) -> bool:
    """End a standing; False if it had ended already."""
    return _end(db, actor, now, standings.c.id == standing_id)


def standings_for(
    db: Connection, ids: Collection[CommentId], now: datetime
) -> dict[CommentId, AuthorStanding]:
    """Return the standing of those comments' authors who have one."""
    same = sa.and_(
        standings.c.site_id == comments.c.site_id,
        standings.c.verified_id == comments.c.author_verified_id,
    )
    query = (
        sa.select(comments.c.id.label("comment_id"), *standings.c)
        .join(standings, same)
        .where(comments.c.id.in_(ids), _in_force(now))
        .order_by(standings.c.id)
    )
    return {CommentId(row.comment_id): _standing(row) for row in db.execute(query)}


def _in_force(now: datetime) -> ColumnElement[bool]:
    return sa.and_(standings.c.ends_at > now, standings.c.taken_back_at.is_(None))


def _end(db: Connection, actor: str, now: datetime, *which: ColumnElement[bool]) -> bool:
    ended = {"taken_back_at": now, "taken_back_by": actor}
    change = sa.update(standings).where(*which, _in_force(now)).values(ended)
    return db.execute(change).rowcount > 0


def _standing(row: Row[Any]) -> AuthorStanding:
    return AuthorStanding(
        row.id,
        SiteId(row.site_id),
        row.verified_id,
        Standing(row.standing),
        row.actor,
        row.at,
        row.ends_at,
    )
