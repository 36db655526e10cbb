"""When each person was last written to about each site."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from service.domain.comment import SiteId
from service.storage.tables import digests


def last_sent(db: Connection) -> dict[tuple[int, SiteId], datetime]:
    """Return the time of the last message, by person and site."""
    rows = db.execute(sa.select(digests))
    return {(row.moderator_id, SiteId(row.site_id)): row.sent_at for row in rows}


def note_sent(db: Connection, moderator_id: int, site_id: SiteId, now: datetime) -> None:
    """Remember that the person was written to."""
    about = digests.c.moderator_id == moderator_id, digests.c.site_id == site_id
    db.execute(sa.delete(digests).where(*about))
    new = {"moderator_id": moderator_id, "site_id": site_id, "sent_at": now}
    db.execute(sa.insert(digests).values(new))
