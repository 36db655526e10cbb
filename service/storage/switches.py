"""Switches that a named person sets in the console."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from service.storage.tables import switches


@dataclass(frozen=True, slots=True)
class Switch:
    """What a switch stands at, who set it and when; 0 is off."""

    value: int
    actor: str
    at: datetime


def switch(db: Connection, name: str) -> Switch | None:
    """Return a switch; None if nobody ever touched it."""
    row = db.execute(sa.select(switches).where(switches.c.name == name)).one_or_none()
    return Switch(row.value, row.actor, row.at) if row else None


def set_switch(db: Connection, name: str, value: int, actor: str, at: datetime) -> None:
    """Set a switch; whoever sets it is named in what it does."""
    db.execute(sa.delete(switches).where(switches.c.name == name))
    db.execute(sa.insert(switches).values(name=name, value=value, actor=actor, at=at))
