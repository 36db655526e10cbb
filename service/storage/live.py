"""What happened since a page was made."""

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import SiteId, Status
from service.domain.lane import Lane
from service.storage.lanes import in_lane
from service.storage.reviewing import on_sites
from service.storage.tables import comments, events, sites

#: More than this need not be counted to say that there is much.
MOST_NEW = 1_000
_ARRIVING = (Lane.REVIEW, Lane.LIKELY_SPAM)


def newest_event(db: Connection) -> int:
    """Return the id of the newest event; 0 before the first."""
    return db.execute(sa.select(sa.func.max(events.c.id))).scalar() or 0


def arrived_since(
    db: Connection, lane: Lane, seen: int, allowed: frozenset[SiteId] | None, slug: str | None
) -> int:
    """Return how many comments came into the lane after event `seen` and are still there."""
    if lane not in _ARRIVING:
        return 0
    held = events.c.id > seen, events.c.to_status == Status.HELD
    query = sa.select(comments.c.id).where(
        comments.c.id.in_(sa.select(events.c.comment_id).where(*held)),
        *in_lane(lane),
        *on_sites(allowed),
    )
    if slug is not None:
        named = sa.select(sites.c.id).where(sites.c.slug == slug).scalar_subquery()
        query = query.where(comments.c.site_id == named)
    limited = query.limit(MOST_NEW).subquery()
    return db.execute(sa.select(sa.func.count()).select_from(limited)).scalar_one()
