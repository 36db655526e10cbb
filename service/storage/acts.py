"""What people changed besides comments: one line each, written once."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import acts


@dataclass(frozen=True, slots=True)
class Act:
    """One change: who made it, of what kind, to whom or what."""

    at: datetime
    actor: str
    kind: str
    subject: str
    detail: str


def record_act(
    db: Connection, at: datetime, actor: str, kind: str, subject: str, detail: str = ""
) -> None:
    """Write one line."""
    values = {"at": at, "actor": actor, "kind": kind, "subject": subject, "detail": detail}
    db.execute(sa.insert(acts).values(values))


def recent_acts(db: Connection, limit: int) -> list[Act]:
    """Return the newest lines, newest first."""
    rows = db.execute(sa.select(acts).order_by(acts.c.id.desc()).limit(limit))
    return [Act(row.at, row.actor, row.kind, row.subject, row.detail) for row in rows]
