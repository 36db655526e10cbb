"""How well the live rules do: figures of a period, and what they give reason to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.domain.ruleset import RuleOutline, RulesetVersion, RuleState
from service.probes import accepted_at
from service.storage import quality, rulesets
from service.storage.quality import Judged, LastSeen, RuleFigures

#: What makes a rule worth a look; a held comment is only a wait, so the bars are low.
_ENOUGH_JUDGED = 30
_GOOD_SHARE = 0.70
_POOR_SHARE = 0.50
_ASLEEP = timedelta(days=60)
_REDUNDANT = timedelta(days=30)
_SLOW_MILLISECONDS = 20.0

_NO_FIGURES = RuleFigures(0, 0, 0, Judged(0, 0), Judged(0, 0), 0, 0, 0)


@dataclass(frozen=True, slots=True)
class RuleQuality:
    """One rule and how it did in the period.

    `look_seconds` is the median time that people took over what it alone held,
    None where nobody did. `share` is that of its hits among all comments, `hits_before` its hits in
    the period of the same length before, `mean_ms` its mean run time, None
    where that was not measured. `changed_at` and `changed_by` tell of the last
    version that changed it. `highlights` are any of ready (for live), look
    (most people disagree with it), asleep (no hit in 60 days), redundant (not
    decisive in 30 days) and slow.
    """

    rule: RuleOutline
    figures: RuleFigures
    share: float
    hits_before: int
    mean_ms: float | None
    look_seconds: float | None
    changed_at: datetime | None
    changed_by: str
    state: RuleState | None
    last_hit_at: datetime | None
    highlights: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class QualityReport:
    """All live rules, in their order, and how many comments the period had."""

    since: datetime
    until: datetime
    comments: int
    rules: list[RuleQuality]


def quality_report(
    db: Connection, since: datetime, until: datetime, mean_seconds: Mapping[str, float]
) -> QualityReport:
    """Return how each rule of the live ruleset did; no rules before the first version.

    `mean_seconds` are measured run times by rule.
    """
    version = rulesets.live_version(db)
    rules = rulesets.outline_of(db, version.hash if version else None)
    states = rulesets.states_of(db, version.number) if version else []
    comments = quality.judged_between(db, since, until)
    return QualityReport(
        since,
        until,
        comments,
        list(
            _rules(
                rules,
                comments,
                figures=quality.rule_figures(db, since, until),
                before=quality.hit_counts(db, since - (until - since), since),
                last=quality.last_hits(db, until - _ASLEEP),
                looks=quality.decision_seconds(db, since, until),
                changes=_last_changes(db),
                states={state.rule: state for state in states},
                mean_seconds=mean_seconds,
                now=until,
            )
        ),
    )


def mean_seconds(counts: Mapping[str, float]) -> dict[str, float]:
    """Return mean run times by rule, from what workers counted."""
    start = "rule_timed:"
    timed = {name.removeprefix(start): n for name, n in counts.items() if name.startswith(start)}
    return {rule: counts.get(f"rule_seconds:{rule}", 0.0) / n for rule, n in timed.items() if n}


def _rules(
    rules: list[RuleOutline],
    comments: int,
    *,
    figures: Mapping[str, RuleFigures],
    before: Mapping[str, int],
    last: Mapping[str, LastSeen],
    looks: Mapping[str, float],
    changes: Mapping[str, RulesetVersion],
    states: Mapping[str, RuleState],
    mean_seconds: Mapping[str, float],
    now: datetime,
) -> Iterator[RuleQuality]:
    for rule in rules:
        did, seen = figures.get(rule.id, _NO_FIGURES), last.get(rule.id)
        change = changes.get(rule.id)
        seconds = mean_seconds.get(rule.id)
        mean_ms = None if seconds is None else round(seconds * 1000, 3)
        age = now - change.published_at if change else timedelta(0)
        yield RuleQuality(
            rule=rule,
            figures=did,
            share=did.hits / comments if comments else 0.0,
            hits_before=before.get(rule.id, 0),
            mean_ms=mean_ms,
            look_seconds=looks.get(rule.id),
            changed_at=change.published_at if change else None,
            changed_by=change.author if change else "",
            state=states.get(rule.id),
            last_hit_at=accepted_at(seen.hit) if seen else None,
            highlights=(
                *_verdict_of_people(rule, did),
                *_idleness(rule, seen, age, now),
                *(["slow"] if mean_ms and mean_ms > _SLOW_MILLISECONDS else ()),
            ),
        )


def _verdict_of_people(rule: RuleOutline, did: RuleFigures) -> Iterator[str]:
    precision = did.all.precision
    if did.all.judged < _ENOUGH_JUDGED:
        return
    if rule.mode == "shadow" and precision.low >= _GOOD_SHARE:
        yield "ready"
    if rule.mode == "live" and precision.high < _POOR_SHARE:
        yield "look"


def _idleness(
    rule: RuleOutline, seen: LastSeen | None, age: timedelta, now: datetime
) -> Iterator[str]:
    if rule.mode == "off" or rule.points <= 0:
        return
    if seen is None:
        if age >= _ASLEEP:
            yield "asleep"
        return
    decisive_at = accepted_at(seen.decisive) if seen.decisive else None
    idle = decisive_at is None or now - decisive_at >= _REDUNDANT
    if rule.mode == "live" and age >= _REDUNDANT and idle:
        yield "redundant"


def _last_changes(db: Connection) -> dict[str, RulesetVersion]:
    """Return the newest version that changed each rule."""
    changes: dict[str, RulesetVersion] = {}
    for version in rulesets.history(db, limit=1000):
        for rule in version.changed:
            changes.setdefault(rule, version)
    return changes
