"""Campaigns: under which name texts that are nearly the same are one thing.

A campaign is called by the fingerprint of its first text and found by parts of
it, its bands: of two fingerprints that differ in few places some are the same.
Each band has few slots, and who comes later takes the slot of somebody before:
so what is looked at and kept is bounded, and what goes on is always found.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from service.domain.comment import CommentId
from service.storage.tables import campaign_bands, comments

#: Campaigns that are found by one band.
SLOTS = 8


class Mark(NamedTuple):
    """Which campaign a comment belongs to, and the bands by which that is found."""

    campaign: str
    bands: tuple[str, ...] = ()


def campaigns_by_band(db: Connection, bands: Iterable[str]) -> dict[str, list[str]]:
    """Return the campaigns that stand under each of the bands."""
    found: dict[str, list[str]] = defaultdict(list)
    # As one value: thousands of them took longer to put into a statement than to look up.
    if db.dialect.name == "sqlite":
        rows = db.execute(_BY_BAND_JSON, {"bands": json.dumps(list(bands))})
    else:
        rows = db.execute(_BY_BAND_ARRAY, {"bands": list(bands)})
    for band, campaign in rows.all():
        found[band].append(campaign)
    return found


def mark(db: Connection, marks: Mapping[CommentId, Mark], now: datetime) -> None:
    """Note which campaigns comments belong to, and let those be found."""
    if not marks:
        return
    db.execute(
        _MARK,
        [{"comment": comment_id, "name": mark.campaign} for comment_id, mark in marks.items()],
    )
    places = {
        (band, int(mark.campaign, 16) % SLOTS): mark.campaign
        for mark in marks.values()
        for band in mark.bands
    }
    # In one order for all: two batches that meet would else wait in a circle.
    rows = [
        {"band": band, "slot": slot, "campaign": campaign, "seen_at": now}
        for (band, slot), campaign in sorted(places.items())
    ]
    if rows:
        insert = sqlite.insert if db.dialect.name == "sqlite" else postgresql.insert
        new = insert(campaign_bands)
        taken = {"campaign": new.excluded.campaign, "seen_at": new.excluded.seen_at}
        db.execute(new.on_conflict_do_update(index_elements=["band", "slot"], set_=taken), rows)


def forget_campaign_of(db: Connection, comment_id: CommentId) -> None:
    """Delete what finds the comment's campaign, unless other comments belong to it."""
    name = sa.select(comments.c.campaign).where(comments.c.id == comment_id).scalar_subquery()
    shared = sa.exists().where(comments.c.campaign == name, comments.c.id != comment_id)
    db.execute(sa.delete(campaign_bands).where(campaign_bands.c.campaign == name, ~shared))


def forget_ended(db: Connection, before: datetime, limit: int) -> int:
    """Let campaigns no longer be found of which nothing came since; return how many places."""
    place = sa.tuple_(campaign_bands.c.band, campaign_bands.c.slot)
    old = sa.select(campaign_bands.c.band, campaign_bands.c.slot).where(
        campaign_bands.c.seen_at < before
    )
    return db.execute(sa.delete(campaign_bands).where(place.in_(old.limit(limit)))).rowcount


# Built once: putting a statement together costs more than running it.
_BY_BAND_JSON = sa.text(
    "SELECT band, campaign FROM campaign_bands WHERE band IN (SELECT value FROM json_each(:bands))"
)
_BY_BAND_ARRAY = sa.text("SELECT band, campaign FROM campaign_bands WHERE band = ANY(:bands)")
_MARK = (
    sa.update(comments)
    .where(comments.c.id == sa.bindparam("comment"))
    .values(campaign=sa.bindparam("name"))
)
