"""Trials that people ask for: run in the background, with progress and result in the record."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import structlog

from service.storage import Store, database_now, rulesets, trials
from service.storage.replaying import count_judged, judged_comments
from service.storage.trials import Trial, TrialKind, TrialState
from worker.backtest import backtest
from worker.models.score import Scorer
from worker.ruleset import Ruleset
from worker.ruleset.cases import Case
from worker.rulesets import loaded
from worker.tools.corpus import Report, Sample, Tally, measure

#: The most comments that one backtest replays; more tell nothing more.
MOST_COMMENTS = 10_000
_TOLD_SECONDS = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


def run_trial(store: Store, trial_id: str, models: Scorer) -> None:
    """Run one trial and keep its result; whatever goes wrong is its result, too.

    Raises StoreUnavailable while the database is away.
    """
    with store.read() as db:
        trial = trials.trial_by_id(db, trial_id)
    if trial.state not in (TrialState.WAITING, TrialState.RUNNING):
        return
    try:
        result, state = _RUN[trial.kind](store, trial, models), TrialState.DONE
    except Exception as error:
        log.exception("trial failed", trial=trial_id)
        result, state = {"error": f"The trial failed ({type(error).__name__})"}, TrialState.FAILED
    with store.write() as db:
        trials.finish(db, trial_id, state, result, database_now(db))


def _backtest(store: Store, trial: Trial, models: Scorer) -> dict[str, Any]:
    with store.read() as db:
        ruleset = loaded(rulesets.source_of(db, trial.ruleset))
        version = rulesets.live_version(db)
        live = loaded(rulesets.source_of(db, version.hash)) if version else None
        since = trial.asked_at - timedelta(days=trial.options["days"])
        total = min(count_judged(db, since), MOST_COMMENTS)
    found = judged_comments(store, since, MOST_COMMENTS)
    return backtest(_told(found, store, trial.id, total), ruleset, live, models).as_dict()


def _corpus(store: Store, trial: Trial, models: Scorer) -> dict[str, Any]:
    with store.read() as db:
        ruleset = loaded(rulesets.source_of(db, trial.ruleset))
    rows = trial.options["rows"]
    found = _told([_sample(row) for row in rows], store, trial.id, len(rows))
    return _report(measure(found, ruleset, models), ruleset)


_RUN: dict[TrialKind, Callable[[Store, Trial, Scorer], dict[str, Any]]] = {
    TrialKind.BACKTEST: _backtest,
    TrialKind.CORPUS: _corpus,
}


def _told(items: Iterable[T], store: Store, trial_id: str, total: int) -> Iterator[T]:
    """Give the items on, noting about once a second how many there were."""
    told_at = float("-inf")
    for number, item in enumerate(items):
        if time.monotonic() - told_at >= _TOLD_SECONDS:
            told_at = time.monotonic()
            with store.write() as db:
                trials.note_progress(db, trial_id, number, max(total, number))
        yield item
    with store.write() as db:
        trials.note_progress(db, trial_id, total, total)


def _sample(row: dict[str, Any]) -> Sample:
    case = Case(text=row["text"], name=row["name"], email=row["email"], url=row["url"])
    return Sample(case, hold=row["hold"], group=row["group"])


def _report(report: Report, ruleset: Ruleset) -> dict[str, Any]:
    return {
        "ruleset": ruleset.hash,
        "to_hold": report.to_hold,
        "to_publish": report.to_publish,
        "recall": report.recall._asdict(),
        "false_holds": report.false_hold_rate._asdict(),
        "categories": {name: _tally(tally) for name, tally in report.categories.items()},
        "rules": {name: _tally(tally) for name, tally in report.rules.items()},
        "groups": [
            {"group": group, "hold": hold, "held": counts["held"], "all": counts["all"]}
            for (group, hold), counts in sorted(report.groups.items())
        ],
        "held_wrongly": [
            {"text": comment.body, "rules": [hit.rule for hit in verdict.hits]}
            for comment, verdict in report.false_holds
        ],
        "missed": [{"text": comment.body} for comment, _ in report.misses],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "rightly": tally.rightly,
        "wrongly": tally.wrongly,
        "precision": tally.precision._asdict(),
    }
