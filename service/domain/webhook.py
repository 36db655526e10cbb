"""Webhooks: what a website can be told of, and where it wants to hear it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.domain.comment import SiteId, Status


class EventType(StrEnum):
    """What websites hear of. Names are part of the API: never reuse one.

    `restored` stands for a comment that had been refused or taken back and is
    approved or held after all; its status says which.
    """

    APPROVED = "comment.approved"
    HELD = "comment.held"
    REJECTED = "comment.rejected"
    SPAM = "comment.spam"
    RESTORED = "comment.restored"
    WITHDRAWN = "comment.withdrawn"
    ERASED = "comment.erased"


_GONE = frozenset({Status.REJECTED, Status.SPAM, Status.WITHDRAWN})
_BACK = frozenset({Status.APPROVED, Status.HELD})


def event_type(before: Status, after: Status) -> EventType | None:
    """Return what a change of status is called; None for changes that nobody is told of."""
    if before is after or after is Status.PENDING:
        return None
    if before in _GONE and after in _BACK:
        return EventType.RESTORED
    return EventType(f"comment.{after}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address at which a site hears of its comments.

    `events` are those it wants, none meaning all. Secrets are made from
    `seed`; until `old_until` messages are signed with the one from `old_seed`
    as well. `failures` counts attempts that failed in a row, and until
    `resting_until` it is left alone. `disabled_at` is None while it is used.
    """

    id: int
    site_id: SiteId
    site_slug: str
    url: str
    events: tuple[EventType, ...]
    seed: str
    old_seed: str | None
    old_until: datetime | None
    failures: int
    resting_until: datetime | None
    disabled_at: datetime | None
    disabled_why: str


class MessageState(StrEnum):
    """Where a message stands: it waits for an attempt, arrived, or was given up."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to one endpoint, with the attempts made so far.

    `key` is the same at each attempt, so that a receiver knows what it has.
    """

    id: int
    key: str
    endpoint_id: int
    type: EventType
    payload: Mapping[str, Any]
    state: MessageState
    attempts: int
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt: the HTTP status answered, or in `error` why there was none."""

    message_id: int
    at: datetime
    took_ms: int
    status: int | None
    error: str = ""
