"""Rulesets in the record: every content that was ever published, and what is live.

The newest version is the live one. Nothing is ever edited: a revert publishes
an old content anew.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from service.domain.errors import RulesetConflict, RulesetNotFound
from service.domain.ruleset import (
    SHIPPED_BY,
    Hindrance,
    RuleOutline,
    RulesetSource,
    RulesetVersion,
    RuleState,
    changed_rules,
)
from service.storage.tables import rule_states, ruleset_versions, rulesets, trials


def live_version(db: Connection) -> RulesetVersion | None:
    """Return the version that comments are judged by now; None before the first."""
    row = db.execute(_LIVE).one_or_none()
    return _version(row) if row else None


def version_by_number(db: Connection, number: int) -> RulesetVersion:
    """Return one version of the history; raise RulesetNotFound if there is none."""
    query = sa.select(ruleset_versions).where(ruleset_versions.c.number == number)
    row = db.execute(query).one_or_none()
    if row is None:
        raise RulesetNotFound(f"no version {number}")
    return _version(row)


def history(db: Connection, limit: int, before: int | None = None) -> list[RulesetVersion]:
    """Return versions, newest first, those below the number `before`."""
    query = sa.select(ruleset_versions).order_by(ruleset_versions.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(ruleset_versions.c.number < before)
    return [_version(row) for row in db.execute(query)]


def versions_since(db: Connection, time: datetime) -> list[RulesetVersion]:
    """Return what was published at that time or later, newest first."""
    recent = ruleset_versions.c.published_at >= time
    query = sa.select(ruleset_versions).where(recent)
    ordered = query.order_by(ruleset_versions.c.number.desc())
    return [_version(row) for row in db.execute(ordered)]


def source_of(db: Connection, ruleset: str) -> RulesetSource:
    """Return the content that a hash stands for.

    Raises RulesetNotFound if it is unknown, or if its row was damaged.
    """
    query = sa.select(rulesets.c.source).where(rulesets.c.hash == ruleset)
    try:
        values = db.execute(query).scalar()
        if values is None:
            raise RulesetNotFound(f"no ruleset {ruleset}")
        return RulesetSource.from_dict(values)
    except (ValueError, TypeError, KeyError) as error:
        raise RulesetNotFound(f"no ruleset {ruleset} that can be read") from error


def outline_of(db: Connection, ruleset: str | None) -> list[RuleOutline]:
    """Return the rules of a ruleset in brief, in its order; none where it is unknown."""
    query = sa.select(rulesets.c.outline).where(rulesets.c.hash == ruleset)
    return [RuleOutline(**rule) for rule in db.execute(query).scalar() or ()]


def keep(
    db: Connection, source: RulesetSource, outline: Sequence[RuleOutline], now: datetime
) -> None:
    """Store a ruleset under its hash, published or not, unless it is there already."""
    known = sa.select(rulesets.c.hash).where(rulesets.c.hash == source.hash)
    if db.execute(known).one_or_none():
        return
    rules = [asdict(rule) for rule in outline]
    new = sa.insert(rulesets).values(
        hash=source.hash, source=source.as_dict(), outline=rules, created_at=now
    )
    try:
        with db.begin_nested():
            db.execute(new)
    except IntegrityError:
        # Another process kept the very same in this moment.
        return


def publish(
    db: Connection, ruleset: str, *, base: int | None, author: str, note: str, now: datetime
) -> RulesetVersion:
    """Make a ruleset that is kept the live one, and return its version.

    `base` is the version that the change was made from, None for the very
    first. Raises RulesetConflict if another one is live by now, and
    RulesetNotFound if the ruleset is not kept. Rules that had been put into the
    shadow stay there unless this changes them, or confirms the live ruleset by
    publishing the very same.
    """
    current = live_version(db)
    if (current.number if current else None) != base:
        raise _conflict(current)
    source_of(db, ruleset)
    parent = current.hash if current else None
    version = RulesetVersion(
        number=current.number + 1 if current else 1,
        hash=ruleset,
        parent=parent,
        author=author,
        note=note,
        published_at=now,
        changed=changed_rules(outline_of(db, parent), outline_of(db, ruleset)),
    )
    values = asdict(version) | {"changed": list(version.changed)}
    try:
        with db.begin_nested():
            db.execute(sa.insert(ruleset_versions).values(values))
    except IntegrityError as error:
        raise _conflict(live_version(db)) from error
    if current and not version.confirms:
        _carry_over(db, current, version)
    return version


def publish_shipped(
    db: Connection, source: RulesetSource, outline: Sequence[RuleOutline], now: datetime
) -> RulesetVersion | None:
    """Publish the ruleset that comes with the program where nobody chose another.

    That is, at the first start, and after an upgrade as long as the live one
    came with the program too. What was published once is not published again,
    so that of two program versions at work at once the newer one prevails.
    Returns None if nothing was to be done.
    """
    current = live_version(db)
    if current and (not current.is_shipped or was_published(db, source.hash)):
        return None
    keep(db, source, outline, now)
    note = "The ruleset that comes with this version" if current else "The first ruleset"
    base = current.number if current else None
    try:
        return publish(db, source.hash, base=base, author=SHIPPED_BY, note=note, now=now)
    except RulesetConflict:
        # Several processes start at once; one of them was first.
        return None


def first_with(db: Connection, ruleset: str) -> RulesetVersion | None:
    """Return the version in which the ruleset was live first."""
    query = sa.select(ruleset_versions).where(ruleset_versions.c.hash == ruleset)
    row = db.execute(query.order_by(ruleset_versions.c.number).limit(1)).one_or_none()
    return _version(row) if row else None


def was_published(db: Connection, ruleset: str) -> bool:
    """Whether the ruleset was live at any time."""
    query = sa.select(ruleset_versions.c.number).where(ruleset_versions.c.hash == ruleset)
    return db.execute(query.limit(1)).one_or_none() is not None


def states_of(db: Connection, version: int) -> list[RuleState]:
    """Return which rules of a version run in the shadow against what it says, and why."""
    query = sa.select(rule_states).where(rule_states.c.version == version)
    rows = db.execute(query.order_by(rule_states.c.since, rule_states.c.rule))
    return [RuleState(row.rule, Hindrance(row.state), row.why, row.since) for row in rows]


def add_state(db: Connection, version: int, state: RuleState) -> bool:
    """Put a rule of the version into the shadow; False if it is there already."""
    values = {"version": version, **asdict(state)}
    try:
        with db.begin_nested():
            db.execute(sa.insert(rule_states).values(values))
    except IntegrityError:
        return False
    return True


def live_with_states(db: Connection) -> tuple[int, str, frozenset[str]] | None:
    """Return number and hash of the live version and the rules in the shadow.

    One small statement, for whoever asks before each batch.
    """
    rows = db.execute(_LIVE_WITH_STATES).all()
    if not rows:
        return None
    return rows[0].number, rows[0].hash, frozenset(row.rule for row in rows if row.rule)


def forget_unpublished(db: Connection, before: datetime, limit: int) -> int:
    """Delete rulesets that were only ever tried, and not since that time; return how many."""
    used = sa.union(sa.select(ruleset_versions.c.hash), sa.select(trials.c.ruleset))
    query = sa.select(rulesets.c.hash).where(
        rulesets.c.created_at < before, rulesets.c.hash.not_in(used)
    )
    unused = list(db.scalars(query.limit(limit)))
    return db.execute(sa.delete(rulesets).where(rulesets.c.hash.in_(unused))).rowcount


def _carry_over(db: Connection, old: RulesetVersion, new: RulesetVersion) -> None:
    kept = {rule.id for rule in outline_of(db, new.hash)} - set(new.changed)
    for state in states_of(db, old.number):
        if state.rule in kept:
            add_state(db, new.number, state)


def _conflict(current: RulesetVersion | None) -> RulesetConflict:
    return RulesetConflict(
        current.number if current else None, current.author if current else "nobody"
    )


def _version(row: Row[Any]) -> RulesetVersion:
    return RulesetVersion(
        number=row.number,
        hash=row.hash,
        parent=row.parent,
        author=row.author,
        note=row.note,
        published_at=row.published_at,
        changed=tuple(row.changed),
    )


_LIVE = sa.select(ruleset_versions).order_by(ruleset_versions.c.number.desc()).limit(1)
_LIVE_WITH_STATES = (
    sa.select(ruleset_versions.c.number, ruleset_versions.c.hash, rule_states.c.rule)
    .select_from(
        ruleset_versions.outerjoin(rule_states, rule_states.c.version == ruleset_versions.c.number)
    )
    .where(
        ruleset_versions.c.number
        == sa.select(sa.func.max(ruleset_versions.c.number)).scalar_subquery()
    )
)
