"""Campaigns: under which name texts that are nearly the same are one thing.

A campaign is called by the fingerprint of its first text and found by parts of
it, its bands: of two fingerprints that differ in few places one band is alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.comment import CommentId
from service.storage.tables import campaign_bands, comments

#: More campaigns than this under one band are looked at by nobody: those that come
#: later are found by their other bands.
MOST_IN_BAND = 20

#: A campaign that goes on is noted to do so once a day.
_NOTED = timedelta(days=1)


class Mark(NamedTuple):
    """Which campaign a comment belongs to; `bands` to find it by, if it is a new one."""

    campaign: str
    bands: tuple[str, ...] = ()


def campaigns_by_band(db: Connection, bands: Iterable[str]) -> dict[str, list[str]]:
    """Return the campaigns that stand under each of the bands."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in db.execute(_BY_BAND, {"bands": list(bands)}):
        found[row.band].append(row.campaign)
    return found


def mark(db: Connection, marks: Mapping[CommentId, Mark], now: datetime) -> None:
    """Note which campaigns comments belong to, and how new ones are found."""
    if not marks:
        return
    db.execute(
        _MARK,
        [{"comment": comment_id, "name": mark.campaign} for comment_id, mark in marks.items()],
    )
    # In one order for all: two batches with the same text would else wait in a circle.
    new = sorted({(mark.campaign, band) for mark in marks.values() for band in mark.bands})
    if new:
        insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
        rows = [{"campaign": name, "band": band, "seen_at": now} for name, band in new]
        db.execute(insert(campaign_bands).on_conflict_do_nothing(), rows)
    going_on = sorted({mark.campaign for mark in marks.values() if not mark.bands})
    if going_on:
        db.execute(_GO_ON, {"names": going_on, "now": now, "noted": now - _NOTED})


def forget_campaign_of(db: Connection, comment_id: CommentId) -> None:
    """Delete what finds the comment's campaign, unless other comments belong to it."""
    name = sa.select(comments.c.campaign).where(comments.c.id == comment_id).scalar_subquery()
    shared = sa.exists().where(comments.c.campaign == name, comments.c.id != comment_id)
    db.execute(sa.delete(campaign_bands).where(campaign_bands.c.campaign == name, ~shared))


def ended_campaigns(db: Connection, before: datetime, limit: int) -> list[str]:
    """Return campaigns of which nothing came since."""
    query = sa.select(campaign_bands.c.campaign).where(campaign_bands.c.seen_at < before)
    return list(db.scalars(query.distinct().limit(limit)))


def forget_campaigns(db: Connection, names: Iterable[str]) -> None:
    """Delete what finds these campaigns; comments keep their names."""
    db.execute(sa.delete(campaign_bands).where(campaign_bands.c.campaign.in_(list(names))))


# Built once: putting a statement together costs more than running it.
_BY_BAND = sa.select(campaign_bands.c.band, campaign_bands.c.campaign).where(
    campaign_bands.c.band.in_(sa.bindparam("bands", expanding=True))
)
_MARK = (
    sa.update(comments)
    .where(comments.c.id == sa.bindparam("comment"))
    .values(campaign=sa.bindparam("name"))
)
_GO_ON = (
    sa.update(campaign_bands)
    .where(
        campaign_bands.c.campaign.in_(sa.bindparam("names", expanding=True)),
        campaign_bands.c.seen_at < sa.bindparam("noted", type_=campaign_bands.c.seen_at.type),
    )
    .values(seen_at=sa.bindparam("now", type_=campaign_bands.c.seen_at.type))
)
