"""How well each rule does, as far as people's decisions tell, from the record alone."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from service.domain.comment import Status
from service.domain.decision import EventKind
from service.domain.verdict import ENGINE
from service.statistics import Interval, wilson
from service.storage.periods import id_at
from service.storage.tables import comments, events, hits

#: Whoever decides nothing for so long did something else in between.
_LONGEST_LOOK = timedelta(minutes=10)
_MOST_DECISIONS = 5_000

_REFUSED = (Status.REJECTED, Status.SPAM)


@dataclass(frozen=True, slots=True)
class Judged:
    """How many of a rule's comments people decided on, and how many of those they rejected."""

    judged: int
    rejected: int

    @property
    def precision(self) -> Interval:
        """The share that was rejected, with its 95 % interval."""
        return wilson(self.rejected, self.judged)


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What one rule did in a period.

    `decisive` counts hits without which the comment would have been approved,
    `shadow` those that decided nothing because the rule ran in the shadow.
    `overturned` are comments that a decisive hit held and a person approved,
    `wrong` those on which a person called the rule wrong, `overlap` hits on
    comments that another rule hit too.
    """

    hits: int
    decisive: int
    shadow: int
    all: Judged
    when_decisive: Judged
    overturned: int
    wrong: int
    overlap: int


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The ids of the newest comments that a rule hit, and that it alone held."""

    hit: str
    decisive: str | None


def judged_between(db: Connection, since: datetime, until: datetime) -> int:
    """Return how many comments that arrived in the period were judged."""
    query = sa.select(sa.func.count()).select_from(comments)
    judged = comments.c.judged_at.is_not(None)
    return db.execute(query.where(*_within(comments.c.id, since, until), judged)).scalar_one()


def rule_figures(db: Connection, since: datetime, until: datetime) -> dict[str, RuleFigures]:
    """Return what every rule that hit anything did in the period."""
    company, wrong = _company(since, until), _called_wrong(since, until)
    judged = sa.and_(comments.c.decided_at.is_not(None), comments.c.status.in_(_JUDGED))
    is_wrong = wrong.c.rule.is_not(None)
    rejected = sa.and_(judged, comments.c.status.in_(_REFUSED), ~is_wrong)
    needed = hits.c.needed
    query = (
        sa.select(
            hits.c.rule,
            sa.func.count().label("hits"),
            _number(needed).label("decisive"),
            _number(hits.c.mode == "shadow").label("shadow"),
            _number(judged).label("judged"),
            _number(rejected).label("rejected"),
            _number(needed & judged).label("decisive_judged"),
            _number(needed & rejected).label("decisive_rejected"),
            _number(needed & judged & (comments.c.status == Status.APPROVED)).label("overturned"),
            _number(is_wrong).label("wrong"),
            _number(company.c.rules > 1).label("overlap"),
        )
        .join(comments, comments.c.id == hits.c.comment_id)
        .join(company, company.c.comment_id == hits.c.comment_id)
        .outerjoin(
            wrong,
            sa.and_(wrong.c.comment_id == hits.c.comment_id, wrong.c.rule == hits.c.rule),
        )
        .where(*_within(hits.c.comment_id, since, until), hits.c.category != ENGINE)
        .group_by(hits.c.rule)
    )
    return {
        row.rule: RuleFigures(
            hits=row.hits,
            decisive=row.decisive,
            shadow=row.shadow,
            all=Judged(row.judged, row.rejected),
            when_decisive=Judged(row.decisive_judged, row.decisive_rejected),
            overturned=row.overturned,
            wrong=row.wrong,
            overlap=row.overlap,
        )
        for row in db.execute(query)
    }


def decision_seconds(db: Connection, since: datetime, until: datetime) -> dict[str, float]:
    """Return the median time that people took over comments which each rule alone held.

    In seconds, from a moderator's decision to the next one of theirs within ten
    minutes; decisions on many at once do not count. Of the period's decisions
    the newest are looked at.
    """
    people = sa.literal_column("events.kind IN ('decision', 'undo')", sa.Boolean)
    before = sa.func.lag(sa.type_coerce(events.c.at, events.c.at.type)).over(
        partition_by=events.c.actor, order_by=(events.c.at, events.c.id)
    )
    decisions = (
        sa.select(
            events.c.comment_id, events.c.at, events.c.batch,
            sa.type_coerce(before, events.c.at.type).label("before"),
        )
        .where(
            people, events.c.kind == EventKind.DECISION, events.c.actor.startswith("moderator:"),
            events.c.at >= since, events.c.at < until,
        )
        .order_by(events.c.id.desc())
        .limit(_MOST_DECISIONS)
        .subquery()
    )  # fmt: skip
    query = (
        sa.select(hits.c.rule, decisions.c.at, decisions.c.before)
        .join(decisions, decisions.c.comment_id == hits.c.comment_id)
        .where(hits.c.needed, decisions.c.batch.is_(None), decisions.c.before.is_not(None))
    )
    taken: dict[str, list[float]] = defaultdict(list)
    for rule, at, last in db.execute(query):
        if at - last <= _LONGEST_LOOK:
            taken[rule].append((at - last).total_seconds())
    return {rule: median(seconds) for rule, seconds in taken.items()}


def hit_counts(db: Connection, since: datetime, until: datetime) -> dict[str, int]:
    """Return how many comments of the period each rule hit."""
    query = (
        sa.select(hits.c.rule, sa.func.count().label("number"))
        .where(*_within(hits.c.comment_id, since, until), hits.c.category != ENGINE)
        .group_by(hits.c.rule)
    )
    return {row.rule: row.number for row in db.execute(query)}


def last_hits(db: Connection, since: datetime) -> dict[str, LastSeen]:
    """Return when, since a time, each rule hit last; as ids, which carry the time."""
    decisive = sa.case((hits.c.needed, hits.c.comment_id))
    query = (
        sa.select(
            hits.c.rule,
            sa.func.max(hits.c.comment_id).label("hit"),
            sa.func.max(decisive).label("decisive"),
        )
        .where(hits.c.comment_id >= id_at(since), hits.c.category != ENGINE)
        .group_by(hits.c.rule)
    )
    return {row.rule: LastSeen(row.hit, row.decisive) for row in db.execute(query)}


def decisive_counts(db: Connection, since: datetime) -> Mapping[str, int]:
    """Return how many comments that arrived since were held by one rule alone, by rule."""
    return _counts(db, since, hits.c.needed, hits.c.mode == "live", hits.c.category != ENGINE)


def failure_counts(db: Connection, since: datetime) -> Mapping[str, int]:
    """Return on how many comments that arrived since each live rule could not run."""
    return _counts(db, since, hits.c.category == ENGINE)


def _counts(db: Connection, since: datetime, *conditions: ColumnElement[bool]) -> Mapping[str, int]:
    query = (
        sa.select(hits.c.rule, sa.func.count().label("number"))
        .where(hits.c.comment_id >= id_at(since), *conditions)
        .group_by(hits.c.rule)
    )
    return {row.rule: row.number for row in db.execute(query)}


def _within(
    column: ColumnElement[str], since: datetime, until: datetime
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return column >= id_at(since), column < id_at(until)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _company(since: datetime, until: datetime) -> sa.Subquery:
    """Return how many rules hit each comment."""
    return (
        sa.select(hits.c.comment_id, sa.func.count().label("rules"))
        .where(*_within(hits.c.comment_id, since, until))
        .group_by(hits.c.comment_id)
        .subquery("company")
    )


def _called_wrong(since: datetime, until: datetime) -> sa.Subquery:
    """Return which rules people called wrong on which comments, and still do.

    It is said along with a decision, and taken back with it: an undo is the one
    change that follows the decision it undoes.
    """
    undo = events.alias("undo")
    undone = sa.exists().where(
        undo.c.comment_id == events.c.comment_id,
        undo.c.version == events.c.version + 1,
        undo.c.kind == EventKind.UNDO,
    )
    return (
        sa.select(events.c.comment_id, events.c.note.label("rule"))
        .where(
            *_within(events.c.comment_id, since, until),
            events.c.kind == EventKind.RULE_WRONG,
            ~undone,
        )
        .distinct()
        .subquery("wrong")
    )


#: Statuses that a person's decision leads to.
_JUDGED = (Status.APPROVED, *_REFUSED)
