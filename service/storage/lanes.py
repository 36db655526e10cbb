"""The lanes of the review queue in SQL: who stands in each, in which order, how many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select

from service.domain.comment import CommentId, SiteId, Status
from service.domain.lane import FAR_OVER, Lane
from service.storage.tables import Instant, comments, samples, sites

#: Counting stops here: whether ten or a hundred thousand were approved helps
#: nobody decide, and every page counts.
MOST_COUNTED = 10_000

#: A place in a lane: what it is ordered by, as a number, and the last comment's id.
Place = tuple[int, CommentId]


@dataclass(frozen=True, slots=True)
class LaneCount:
    """How many comments stand in a lane, up to one more than MOST_COUNTED; when the oldest came."""

    count: int = 0
    oldest: datetime | None = None

    @property
    def more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Order:
    """By `column`, if any, then by id; each upwards or downwards."""

    column: ColumnElement[Any] | None = None
    column_down: bool = False
    id_down: bool = False

    def sort(self, query: Select[Any]) -> Select[Any]:
        """Return the query in this order."""
        keys: list[ColumnElement[Any]] = []
        if self.column is not None:
            keys.append(self.column.desc() if self.column_down else self.column.asc())
        keys.append(comments.c.id.desc() if self.id_down else comments.c.id.asc())
        return query.order_by(*keys)

    def behind(self, place: Place) -> ColumnElement[bool]:
        """Return the condition that a comment comes after `place`."""
        number, comment_id = place
        by_id = comments.c.id < comment_id if self.id_down else comments.c.id > comment_id
        if self.column is None:
            return by_id
        value = _value(self.column, number)
        further = self.column < value if self.column_down else self.column > value
        return sa.or_(further, sa.and_(self.column == value, by_id))

    def place(self, row: Row[Any]) -> Place:
        """Return where a row of comments stands."""
        return _number(row, self.column), CommentId(row.id)


_WORST_FIRST = Order(comments.c.severity, column_down=True)
_ORDERS = {
    Lane.SAMPLE: Order(),
    # The index of the queue read backwards: what the rules approved, newest
    # first, then what people did.
    Lane.APPROVED: Order(comments.c.severity, id_down=True),
    Lane.REJECTED: Order(comments.c.decided_at, column_down=True, id_down=True),
    Lane.SPAM: Order(comments.c.decided_at, column_down=True, id_down=True),
    Lane.ALL: Order(id_down=True),
}


def order_of(lane: Lane | None) -> Order:
    """Return the order of a lane: the worst first, then the oldest, unless it has its own."""
    return _WORST_FIRST if lane is None else _ORDERS.get(lane, _WORST_FIRST)


def in_lane(lane: Lane) -> list[ColumnElement[bool]]:
    """Return the conditions that a comment stands in `lane`."""
    return _CONDITIONS[lane]()


def lane_counts(
    db: Connection, site_ids: frozenset[SiteId] | None = None, slug: str | None = None
) -> dict[Lane, LaneCount]:
    """Return a count for every lane but ALL, on the sites that whoever asks may see."""
    conditions = _on(site_ids, slug)
    held = _held(db, conditions)
    lanes = [lane for lane in Lane if lane not in held and lane is not Lane.ALL]
    rows = db.execute(sa.union_all(*(_counted(lane, conditions) for lane in lanes)))
    found = held | {Lane(row.lane): (row.number, row.first) for row in rows}
    arrivals = _arrivals(db, [first for _, first in found.values() if first])
    return {
        lane: LaneCount(found[lane][0], arrivals.get(found[lane][1] or ""))
        for lane in Lane
        if lane in found
    }


_Counted = tuple[int, str | None]


def _held(db: Connection, conditions: Sequence[ColumnElement[bool]]) -> dict[Lane, _Counted]:
    """Return number and first id of both lanes of held comments, looking at each row once."""
    rows = (
        sa.select(comments.c.id, sa.case((_is_likely_spam(), 1), else_=0).label("likely"))
        .where(_with(Status.HELD), *conditions)
        .limit(2 * MOST_COUNTED)
        .subquery()
    )
    query = sa.select(
        rows.c.likely, sa.func.count().label("number"), sa.func.min(rows.c.id).label("first")
    ).group_by(rows.c.likely)
    found = {row.likely: (row.number, row.first) for row in db.execute(query)}
    none: _Counted = (0, None)
    return {Lane.REVIEW: found.get(0, none), Lane.LIKELY_SPAM: found.get(1, none)}


def _counted(lane: Lane, conditions: Sequence[ColumnElement[bool]]) -> Select[Any, Any, Any]:
    found = (
        sa.select(comments.c.id)
        .where(*in_lane(lane), *conditions)
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    counted: Select[Any, Any, Any] = sa.select(
        sa.literal_column(f"'{lane}'").label("lane"),
        sa.func.count().label("number"),
        sa.func.min(found.c.id).label("first"),
    )
    return counted.select_from(found)


def _on(site_ids: frozenset[SiteId] | None, slug: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if site_ids is not None:
        conditions.append(comments.c.site_id.in_(sorted(site_ids)))
    if slug is not None:
        named = sa.select(sites.c.id).where(sites.c.slug == slug).scalar_subquery()
        conditions.append(comments.c.site_id == named)
    return conditions


def _arrivals(db: Connection, ids: list[str]) -> dict[str, datetime]:
    query = sa.select(comments.c.id, comments.c.created_at).where(comments.c.id.in_(ids))
    return {row.id: row.created_at for row in db.execute(query)}


def _is_likely_spam() -> ColumnElement[bool]:
    return sa.and_(comments.c.severity >= FAR_OVER, comments.c.spam_only)


def _with(status: Status) -> ColumnElement[bool]:
    # Written out, so that both databases see which partial index serves.
    return comments.c.status == sa.literal_column(f"'{status}'")


def _refused(status: Status) -> list[Any]:
    both: list[ColumnElement[str]] = [
        sa.literal_column(f"'{each}'") for each in (Status.REJECTED, Status.SPAM)
    ]
    return [_with(status), comments.c.status.in_(both)]


def _sampled() -> list[ColumnElement[bool]]:
    # Few were ever chosen: they are what to begin with, not all that are approved.
    return [
        comments.c.id.in_(sa.select(samples.c.comment_id)),
        comments.c.status.concat("") == Status.APPROVED,
        comments.c.decided_at.is_(None),
    ]


_CONDITIONS: dict[Lane, Callable[[], list[ColumnElement[bool]]]] = {
    Lane.REVIEW: lambda: [_with(Status.HELD), ~_is_likely_spam()],
    Lane.LIKELY_SPAM: lambda: [_with(Status.HELD), _is_likely_spam()],
    Lane.SAMPLE: _sampled,
    Lane.APPROVED: lambda: [_with(Status.APPROVED)],
    Lane.REJECTED: lambda: _refused(Status.REJECTED),
    Lane.SPAM: lambda: _refused(Status.SPAM),
    Lane.PENDING: lambda: [_with(Status.PENDING)],
    Lane.ALL: list,
}


def _value(column: ColumnElement[Any], number: int) -> Any:
    if isinstance(column.type, Instant):
        return datetime.fromtimestamp(number / 1000, UTC)
    return number


def _number(row: Row[Any], column: ColumnElement[Any] | None) -> int:
    if column is None:
        return 0
    value = getattr(row, str(column.key))
    if isinstance(value, datetime):
        return round(value.timestamp() * 1000)
    return int(value or 0)
