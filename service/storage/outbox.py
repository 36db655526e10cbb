"""The outbox: what websites are told, written in the transaction of the change itself.

A message waits in its row, which holds the attempts made and the time of the
next one; nothing about it is kept anywhere else. Messages about one comment
leave for an endpoint in the order of the changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row
from uuid_utils import uuid7

from service.domain.comment import CommentId, SiteId, Status
from service.domain.webhook import (
    Delivery,
    Endpoint,
    EventType,
    Message,
    MessageState,
    event_type,
)
from service.storage.tables import (
    comments,
    deliveries,
    leases,
    outbox,
    sites,
    threads,
    webhook_endpoints,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a comment's status, as far as websites may know of it.

    `actor` and `reason` are those of the event. `external_id` is looked up
    unless the row has lost it by now.
    """

    comment_id: CommentId
    before: Status
    after: Status
    version: int
    actor: str
    reason: str = ""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt: how the message stands now, and when to try again."""

    delivery: Delivery
    state: MessageState
    next_at: datetime | None = None


def tell(db: Connection, changes: Sequence[Change], at: datetime) -> None:
    """Write a message about each change for every endpoint of its site that wants it.

    Where no endpoint is known this costs one look at an empty table.
    """
    if not changes or db.execute(_ANY_ENDPOINT).first() is None:
        return
    by_comment = {change.comment_id: change for change in changes}
    listening = db.execute(_LISTENING, {"ids": list(by_comment)})
    rows = [
        row for place in listening if (row := _message_row(place, by_comment[place.comment], at))
    ]
    if rows:
        db.execute(_INSERT, rows)


def add_endpoint(
    db: Connection,
    site_id: SiteId,
    url: str,
    *,
    seed: str,
    now: datetime,
    events: Iterable[EventType] = (),
) -> Endpoint:
    """Store an endpoint that hears of changes from now on, and return it."""
    values = {"url": url, "events": list(events), "seed": seed, "created_at": now}
    new = sa.insert(webhook_endpoints).values(
        site_id=site_id, failures=0, disabled_why="", **values
    )
    created = db.execute(new.returning(webhook_endpoints.c.id)).scalar_one()
    endpoint = endpoint_by_id(db, created)
    assert endpoint is not None, "it was stored in this transaction"
    return endpoint


def update_endpoint(db: Connection, endpoint_id: int, **columns: Any) -> None:
    """Change columns of an endpoint."""
    db.execute(
        sa.update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).values(**columns)
    )


def endpoint_by_id(db: Connection, endpoint_id: int) -> Endpoint | None:
    """Return the endpoint with that id, or None."""
    row = db.execute(_endpoints().where(webhook_endpoints.c.id == endpoint_id)).one_or_none()
    return _endpoint(row) if row else None


def list_endpoints(db: Connection) -> list[Endpoint]:
    """Return all endpoints, disabled ones too."""
    return [_endpoint(row) for row in db.execute(_endpoints().order_by(webhook_endpoints.c.id))]


def disable_endpoint(db: Connection, endpoint_id: int, why: str, now: datetime) -> None:
    """Tell the endpoint nothing more; what still waits for it is given up and stays visible."""
    update_endpoint(db, endpoint_id, disabled_at=now, disabled_why=why)
    db.execute(
        sa.update(outbox)
        .where(outbox.c.endpoint_id == endpoint_id, _waiting())
        .values(state=MessageState.DEAD, next_at=None)
    )


def due_endpoints(db: Connection, now: datetime, lease_now: datetime) -> list[int]:
    """Return the endpoints that have something due by `now` and that nobody serves.

    `lease_now` is the database's own clock, by which turns are taken.
    """
    due = sa.exists().where(
        outbox.c.endpoint_id == webhook_endpoints.c.id, _waiting(), outbox.c.next_at <= now
    )
    served = sa.exists().where(
        leases.c.name == sa.literal("webhook:") + sa.cast(webhook_endpoints.c.id, sa.String),
        leases.c.until > lease_now,
    )
    query = (
        sa.select(webhook_endpoints.c.id)
        .where(_awake(now), due, ~served)
        .order_by(webhook_endpoints.c.id)
    )
    return [int(endpoint_id) for endpoint_id in db.scalars(query)]


def due_messages(db: Connection, endpoint_id: int, now: datetime, limit: int) -> list[Message]:
    """Return what the endpoint is to be told next, oldest first.

    Of each comment only the first message that waits: the next one may leave
    when that has arrived or was given up.
    """
    earlier = outbox.alias()
    first = ~sa.exists().where(
        earlier.c.endpoint_id == outbox.c.endpoint_id,
        earlier.c.comment_id == outbox.c.comment_id,
        earlier.c.state == MessageState.WAITING,
        earlier.c.id < outbox.c.id,
    )
    query = (
        sa.select(outbox)
        .join(webhook_endpoints, webhook_endpoints.c.id == outbox.c.endpoint_id)
        .where(
            outbox.c.endpoint_id == endpoint_id,
            _waiting(),
            outbox.c.next_at <= now,
            _awake(now),
            first,
        )
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return [_message(row) for row in db.execute(query)]


def record_attempts(db: Connection, attempts: Sequence[Attempt]) -> None:
    """Keep what came of attempts: each in the log, and each message where it stands now."""
    if not attempts:
        return
    db.execute(sa.insert(deliveries), [_delivery_row(attempt.delivery) for attempt in attempts])
    for attempt in attempts:
        arrived = attempt.state is MessageState.DELIVERED
        db.execute(
            sa.update(outbox)
            .where(outbox.c.id == attempt.delivery.message_id)
            .values(
                state=attempt.state,
                attempts=outbox.c.attempts + 1,
                next_at=attempt.next_at,
                delivered_at=attempt.delivery.at if arrived else None,
            )
        )


def wake(db: Connection, endpoint_id: int, now: datetime) -> None:
    """Make everything that waits for the endpoint due: it answers again."""
    db.execute(
        sa.update(outbox)
        .where(outbox.c.endpoint_id == endpoint_id, _waiting(), outbox.c.next_at > now)
        .values(next_at=now)
    )


def send_again(
    db: Connection, now: datetime, *, key: str | None = None, endpoint_id: int | None = None
) -> int:
    """Make one message due again, or all dead ones of an endpoint; return how many.

    Their attempts are counted anew. Messages to disabled endpoints stay where they are.
    """
    wanted = outbox.c.key == key if key is not None else outbox.c.state == MessageState.DEAD
    enabled = sa.select(webhook_endpoints.c.id).where(webhook_endpoints.c.disabled_at.is_(None))
    conditions = [wanted, outbox.c.endpoint_id.in_(enabled)]
    if endpoint_id is not None:
        conditions.append(outbox.c.endpoint_id == endpoint_id)
    fresh = {"state": MessageState.WAITING, "attempts": 0, "next_at": now, "delivered_at": None}
    return db.execute(sa.update(outbox).where(*conditions).values(**fresh)).rowcount


def list_messages(
    db: Connection,
    *,
    state: MessageState | None = None,
    endpoint_id: int | None = None,
    limit: int = 50,
) -> list[Message]:
    """Return messages, newest first."""
    query = sa.select(outbox).order_by(outbox.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(outbox.c.state == state)
    if endpoint_id is not None:
        query = query.where(outbox.c.endpoint_id == endpoint_id)
    return [_message(row) for row in db.execute(query)]


def message_by_key(db: Connection, key: str) -> Message | None:
    """Return the message with that id, or None."""
    row = db.execute(sa.select(outbox).where(outbox.c.key == key)).one_or_none()
    return _message(row) if row else None


def deliveries_of(db: Connection, ids: Sequence[int]) -> dict[int, list[Delivery]]:
    """Return the attempts for each of these messages, oldest first."""
    found: dict[int, list[Delivery]] = {message_id: [] for message_id in ids}
    query = sa.select(deliveries).where(deliveries.c.message_id.in_(ids)).order_by(deliveries.c.id)
    for row in db.execute(query):
        attempt = Delivery(row.message_id, row.at, row.took_ms, row.status, row.error)
        found[row.message_id].append(attempt)
    return found


def counts_by_state(db: Connection) -> dict[int, dict[MessageState, int]]:
    """Return for each endpoint how many messages stand where."""
    query = sa.select(outbox.c.endpoint_id, outbox.c.state, sa.func.count()).group_by(
        outbox.c.endpoint_id, outbox.c.state
    )
    counts: dict[int, dict[MessageState, int]] = {}
    for endpoint_id, state, count in db.execute(query):
        counts.setdefault(endpoint_id, {})[MessageState(state)] = count
    return counts


def forget_messages(db: Connection, before: datetime, limit: int) -> int:
    """Delete messages older than `before` that wait no more, with their log; return how many."""
    done = outbox.c.created_at < before, outbox.c.state != MessageState.WAITING
    ids = db.scalars(sa.select(outbox.c.id).where(*done).order_by(outbox.c.id).limit(limit)).all()
    db.execute(sa.delete(deliveries).where(deliveries.c.message_id.in_(ids)))
    return db.execute(sa.delete(outbox).where(outbox.c.id.in_(ids))).rowcount


def _message_row(place: Any, change: Change, at: datetime) -> dict[str, Any] | None:
    kind = event_type(change.before, change.after)
    if kind is None or (place.events and kind not in place.events):
        return None
    payload = _payload(place, change, kind, at)
    return {
        "key": f"msg_{uuid7().hex}",
        "endpoint_id": place.endpoint_id,
        "comment_id": change.comment_id,
        "type": kind,
        "payload": payload,
        "state": MessageState.WAITING,
        "attempts": 0,
        "next_at": at,
        "created_at": at,
    }


def _payload(place: Any, change: Change, kind: EventType, at: datetime) -> dict[str, Any]:
    """Return what the website hears: no text, no name, no address, not who decided."""
    return {
        "type": kind.value,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": change.comment_id,
            "external_id": change.external_id or place.external_id,
            "site": place.slug,
            "thread": {"id": place.key, "url": place.url},
            "status": change.after.value,
            "previous_status": change.before.value,
            "version": change.version,
            "by": change.actor.partition(":")[0],
            "reason": change.reason,
        },
    }


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    return {
        "message_id": delivery.message_id,
        "at": delivery.at,
        "took_ms": delivery.took_ms,
        "status": delivery.status,
        "error": delivery.error,
    }


def _endpoints() -> sa.Select[Any]:
    return sa.select(webhook_endpoints, sites.c.slug).join(
        sites, sites.c.id == webhook_endpoints.c.site_id
    )


def _endpoint(row: Row[Any]) -> Endpoint:
    return Endpoint(
        id=row.id,
        site_id=SiteId(row.site_id),
        site_slug=row.slug,
        url=row.url,
        events=tuple(EventType(name) for name in row.events),
        seed=row.seed,
        old_seed=row.old_seed,
        old_until=row.old_until,
        failures=row.failures,
        resting_until=row.resting_until,
        disabled_at=row.disabled_at,
        disabled_why=row.disabled_why,
    )


def _message(row: Row[Any]) -> Message:
    payload: Mapping[str, Any] = row.payload
    return Message(
        id=row.id,
        key=row.key,
        endpoint_id=row.endpoint_id,
        type=EventType(row.type),
        payload=payload,
        state=MessageState(row.state),
        attempts=row.attempts,
        next_at=row.next_at,
        created_at=row.created_at,
        delivered_at=row.delivered_at,
    )


def _waiting() -> ColumnElement[bool]:
    # Written out, so that both databases see that the small index serves.
    return outbox.c.state == sa.literal_column("'waiting'")


def _awake(now: datetime) -> ColumnElement[bool]:
    resting = webhook_endpoints.c.resting_until
    return sa.and_(
        webhook_endpoints.c.disabled_at.is_(None), sa.or_(resting.is_(None), resting <= now)
    )


# Built once: putting a statement together costs more than running it.
_ANY_ENDPOINT = (
    sa.select(webhook_endpoints.c.id).where(webhook_endpoints.c.disabled_at.is_(None)).limit(1)
)
_LISTENING = (
    sa.select(
        webhook_endpoints.c.id.label("endpoint_id"),
        webhook_endpoints.c.events,
        comments.c.id.label("comment"),
        comments.c.external_id,
        sites.c.slug,
        threads.c.key,
        threads.c.url,
    )
    .select_from(comments)
    .join(webhook_endpoints, webhook_endpoints.c.site_id == comments.c.site_id)
    .join(sites, sites.c.id == comments.c.site_id)
    .join(threads, threads.c.id == comments.c.thread_id)
    .where(
        comments.c.id.in_(sa.bindparam("ids", expanding=True)),
        webhook_endpoints.c.disabled_at.is_(None),
        # What a website shows by itself it decides by itself.
        threads.c.source == sa.literal_column("'native'"),
    )
    .order_by(comments.c.id, webhook_endpoints.c.id)
)
_INSERT = sa.insert(outbox)
