"""Trials: what a ruleset would do, worked out in the background and kept to be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from service.domain.errors import TrialNotFound
from service.storage.tables import trials


class TrialKind(StrEnum):
    """On what a ruleset is tried: on comments of the record, or on labelled ones given along."""

    BACKTEST = "backtest"
    CORPUS = "corpus"


class TrialState(StrEnum):
    """How far a trial is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """One ruleset on many comments; `done` of `total` are looked at so far.

    `result` is None until it is done; of one that failed it tells `error`.
    """

    id: str
    kind: TrialKind
    ruleset: str
    options: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    state: TrialState
    done: int
    total: int
    result: Mapping[str, Any] | None
    finished_at: datetime | None


def add_trial(
    db: Connection,
    kind: TrialKind,
    ruleset: str,
    options: Mapping[str, Any],
    *,
    asked_by: str,
    now: datetime,
) -> Trial:
    """Note that a ruleset, which is kept already, is to be tried; return the trial."""
    values = {
        "id": str(uuid4()),
        "kind": kind,
        "ruleset": ruleset,
        "options": dict(options),
        "asked_by": asked_by,
        "asked_at": now,
        "state": TrialState.WAITING,
        "done": 0,
        "total": 0,
    }
    db.execute(sa.insert(trials).values(values))
    return trial_by_id(db, str(values["id"]))


def trial_by_id(db: Connection, trial_id: str) -> Trial:
    """Return a trial; raise TrialNotFound if there is none."""
    row = db.execute(sa.select(trials).where(trials.c.id == trial_id)).one_or_none()
    if row is None:
        raise TrialNotFound(f"no trial {trial_id}")
    return _trial(row)


def newest_trials(db: Connection, limit: int) -> list[Trial]:
    """Return the trials that were asked for last."""
    query = sa.select(trials).order_by(trials.c.asked_at.desc(), trials.c.id).limit(limit)
    return [_trial(row) for row in db.execute(query)]


def note_progress(db: Connection, trial_id: str, done: int, total: int) -> None:
    """Note that a trial runs, and how far it is."""
    _set(db, trial_id, state=TrialState.RUNNING, done=done, total=total)


def finish(
    db: Connection, trial_id: str, state: TrialState, result: Mapping[str, Any], now: datetime
) -> None:
    """Keep what came of a trial."""
    _set(db, trial_id, state=state, result=dict(result), finished_at=now)


def give_up_lost(db: Connection, before: datetime, now: datetime) -> int:
    """Call those failed that were asked for before that time and never ended; return how many."""
    lost = trials.c.state.in_([TrialState.WAITING, TrialState.RUNNING])
    return db.execute(
        sa.update(trials)
        .where(trials.c.asked_at < before, lost)
        .values(
            state=TrialState.FAILED,
            result={"error": "The trial was lost on its way; ask again"},
            finished_at=now,
        )
    ).rowcount


def forget_trials(db: Connection, before: datetime, limit: int) -> int:
    """Delete trials that were asked for before that time; return how many."""
    old = sa.select(trials.c.id).where(trials.c.asked_at < before).limit(limit)
    return db.execute(sa.delete(trials).where(trials.c.id.in_(old))).rowcount


def _set(db: Connection, trial_id: str, **columns: Any) -> None:
    db.execute(sa.update(trials).where(trials.c.id == trial_id).values(**columns))


def _trial(row: Row[Any]) -> Trial:
    return Trial(
        id=row.id,
        kind=TrialKind(row.kind),
        ruleset=row.ruleset,
        options=row.options,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        state=TrialState(row.state),
        done=row.done,
        total=row.total,
        result=row.result,
        finished_at=row.finished_at,
    )
