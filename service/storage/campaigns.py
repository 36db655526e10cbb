"""Campaigns: comments that say nearly the same, across pages and sites."""

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import comments


def campaign_size(db: Connection, campaign: str) -> int:
    """Return how many comments belong to the campaign."""
    query = sa.select(sa.func.count()).where(comments.c.campaign == campaign)
    return db.execute(query).scalar_one()
