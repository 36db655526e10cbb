"""What moderation did, in numbers, from the audit log."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import SiteId, Status
from service.domain.decision import Decision, EventKind
from service.storage.quality import rule_figures
from service.storage.reviewing import on_sites
from service.storage.tables import comments, events

_DAY_MILLISECONDS = 86_400_000
#: Of the decisions of a period, the times of so many of the newest are looked at.
_MOST_WAITS = 5_000
_JUDGED = {Status.APPROVED: "approved", Status.HELD: "held"}


@dataclass(slots=True)
class Day:
    """One day: what the rules approved and held, what people decided."""

    day: date
    approved: int = 0
    held: int = 0
    decisions: dict[Decision, int] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """How many comments the rules judged."""
        return self.approved + self.held

    @property
    def decided(self) -> int:
        """How many decisions people made."""
        return sum(self.decisions.values())


@dataclass(frozen=True, slots=True)
class Overturn:
    """How often a person approved what a rule decisively held, of those people judged."""

    rule: str
    overturned: int
    judged: int

    @property
    def share(self) -> float:
        """The share that was overturned."""
        return self.overturned / self.judged if self.judged else 0.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """A period in numbers; `median_wait` and `long_wait` (nine of ten waited less) are None
    where nobody decided anything."""

    days: Sequence[Day]
    median_wait: timedelta | None
    long_wait: timedelta | None
    overturns: Sequence[Overturn]
    by_moderator: Sequence[tuple[str, int]]

    @property
    def judged(self) -> int:
        """How many comments the rules judged."""
        return sum(day.judged for day in self.days)

    @property
    def approved_share(self) -> float | None:
        """The share that was approved automatically."""
        return sum(day.approved for day in self.days) / self.judged if self.judged else None

    @property
    def decided(self) -> int:
        """How many decisions people made."""
        return sum(day.decided for day in self.days)


def numbers(
    db: Connection, now: datetime, days: int, sites: frozenset[SiteId] | None = None
) -> Numbers:
    """Return the last `days` days in numbers, today among them."""
    first = now.astimezone(UTC).date() - timedelta(days=days - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    waits = _waits(db, since, sites)
    return Numbers(
        days=_days(db, first, days, sites),
        median_wait=_quantile(waits, 0.5),
        long_wait=_quantile(waits, 0.9),
        # Rules are of all sites together, so only whoever sees all sees how they did.
        overturns=_overturns(db, since, now) if sites is None else (),
        by_moderator=_by_moderator(db, since, sites),
    )


def _days(db: Connection, first: date, days: int, sites: frozenset[SiteId] | None) -> list[Day]:
    found = {first + timedelta(days=n): Day(first + timedelta(days=n)) for n in range(days)}
    since = datetime(first.year, first.month, first.day, tzinfo=UTC)
    number = sa.type_coerce(events.c.at, sa.BigInteger) // _DAY_MILLISECONDS
    query = (
        sa.select(number.label("day"), events.c.kind, events.c.to_status, sa.func.count())
        .where(
            events.c.at >= since,
            events.c.kind.in_([EventKind.VERDICT, EventKind.DECISION]),
            *_of(sites),
        )
        .group_by(number, events.c.kind, events.c.to_status)
    )
    for day_number, kind, to_status, count in db.execute(query):
        day = found.get(date(1970, 1, 1) + timedelta(days=int(day_number)))
        if day is not None:
            _add(day, EventKind(kind), Status(to_status), count)
    return list(found.values())


def _add(day: Day, kind: EventKind, to_status: Status, count: int) -> None:
    if kind is EventKind.DECISION:
        for decision in Decision:
            if decision.status is to_status:
                day.decisions[decision] = count
    elif to_status is Status.APPROVED:
        day.approved = count
    else:
        day.held += count


def _waits(db: Connection, since: datetime, sites: frozenset[SiteId] | None) -> list[timedelta]:
    """Return how long held comments waited for the newest decisions, shortest first."""
    query = (
        sa.select(events.c.at, comments.c.judged_at)
        .join(comments, comments.c.id == events.c.comment_id)
        .where(
            events.c.at >= since,
            events.c.kind == EventKind.DECISION,
            events.c.from_status == Status.HELD,
            comments.c.judged_at.is_not(None),
            *on_sites(sites),
        )
        .order_by(events.c.id.desc())
        .limit(_MOST_WAITS)
    )
    return sorted(row.at - row.judged_at for row in db.execute(query))


def _quantile(ordered: Sequence[timedelta], share: float) -> timedelta | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _overturns(db: Connection, since: datetime, now: datetime) -> list[Overturn]:
    found = [
        Overturn(rule, figures.overturned, figures.when_decisive.judged)
        for rule, figures in rule_figures(db, since, now).items()
        if figures.when_decisive.judged
    ]
    return sorted(found, key=lambda each: (-each.share, each.rule))


def _by_moderator(
    db: Connection, since: datetime, sites: frozenset[SiteId] | None
) -> list[tuple[str, int]]:
    query = (
        sa.select(events.c.actor, sa.func.count())
        .where(
            sa.literal_column("events.kind IN ('decision', 'undo')", sa.Boolean),
            events.c.kind == EventKind.DECISION,
            events.c.at >= since,
            events.c.actor.startswith("moderator:"),
            *_of(sites),
        )
        .group_by(events.c.actor)
        # By name: this is no race.
        .order_by(events.c.actor)
    )
    counts: dict[str, int] = defaultdict(int)
    for actor, count in db.execute(query):
        counts[actor.partition(":")[2]] += count
    return list(counts.items())


def _of(sites: frozenset[SiteId] | None) -> list[ColumnElement[bool]]:
    if sites is None:
        return []
    return [events.c.comment_id.in_(sa.select(comments.c.id).where(*on_sites(sites)))]
