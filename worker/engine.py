"""The engine: lets every rule look at a comment and adds up what they found.

Rules run one by one, each isolated: one that raises never approves a comment,
and never keeps the others from being heard.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import Any

from service.domain.comment import Comment, Status
from service.domain.verdict import ENGINE, Hit, Mode, RuleError, Total, Verdict
from worker.context import Context
from worker.ruleset import Match, Rule, Ruleset
from worker.signals.comment import Signals

#: Points of a reason that says "this could not be checked": it holds alone.
_HOLDS_ALONE = 10


def judge(comment: Comment, ruleset: Ruleset, context: Context) -> Verdict:
    """Return the verdict on `comment` with its whole evidence.

    Depends on the arguments alone, apart from the time it took.
    """
    started = perf_counter()
    signals = Signals(comment, context, ruleset.lists)
    hits: list[Hit] = []
    errors: list[RuleError] = []
    for rule in ruleset.rules:
        if rule.mode != "off":
            _apply(rule, signals, hits, errors)
    values = _values(signals, hits, errors)
    totals = _totals(hits, ruleset)
    return Verdict(
        status=Status.HELD if _over(totals) else Status.APPROVED,
        ruleset=ruleset.hash,
        at=context.at,
        took_ms=_milliseconds_since(started),
        totals=totals,
        hits=tuple(replace(hit, needed=_is_needed(hit, totals)) for hit in hits),
        signals={name: value for name, value in values.items() if value is not None},
        absent=tuple(name for name, value in values.items() if value is None),
        errors=tuple(errors),
    )


def held_unchecked(
    rule: str, why: str, *, ruleset: str, at: datetime, took_ms: float = 0.0
) -> Verdict:
    """Return a verdict that holds a comment because it could not be checked."""
    return Verdict(
        status=Status.HELD,
        ruleset=ruleset,
        at=at,
        took_ms=took_ms,
        totals={ENGINE: Total(_HOLDS_ALONE, _HOLDS_ALONE)},
        hits=(replace(_unchecked(rule, why), needed=True),),
    )


def _apply(rule: Rule, signals: Signals, hits: list[Hit], errors: list[RuleError]) -> None:
    """Add what `rule` has to say; a rule that raises is an error, and holds if it is live."""
    try:
        if match := rule.check(signals):
            hits.append(_hit(rule, match))
    except Exception as error:  # whatever it is, the comment must not slip through
        # The kind only: a message may quote the comment.
        errors.append(RuleError(rule.id, type(error).__name__))
        if rule.mode == "live":
            hits.append(_unchecked(rule.id, f"Rule {rule.id} could not run"))


def _hit(rule: Rule, match: Match) -> Hit:
    mode: Mode = "live" if rule.mode == "live" else "shadow"
    why = rule.why.format(value=match.value)
    return Hit(rule.id, rule.category, rule.points, why, mode=mode, spans=match.spans)


def _values(signals: Signals, hits: list[Hit], errors: list[RuleError]) -> dict[str, Any]:
    try:
        return signals.values()
    except Exception as error:  # no evidence, no approval
        errors.append(RuleError("signals", type(error).__name__))
        hits.append(_unchecked("signals", "The evidence could not be gathered"))
        return {}


def _unchecked(rule: str, why: str) -> Hit:
    return Hit(rule, ENGINE, _HOLDS_ALONE, why)


def _totals(hits: Sequence[Hit], ruleset: Ruleset) -> dict[str, Total]:
    points = dict.fromkeys(ruleset.thresholds, 0)
    for hit in hits:
        if hit.mode == "live":
            points[hit.category] = points.get(hit.category, 0) + hit.points
    return {
        category: Total(total, ruleset.thresholds.get(category, _HOLDS_ALONE))
        for category, total in points.items()
    }


def _over(totals: dict[str, Total]) -> list[str]:
    return [category for category, total in totals.items() if total.points >= total.hold_at]


def _is_needed(hit: Hit, totals: dict[str, Total]) -> bool:
    """Whether the comment would have been approved without this hit."""
    total = totals[hit.category]
    decides = hit.mode == "live" and _over(totals) == [hit.category]
    return decides and total.points - hit.points < total.hold_at


def _milliseconds_since(started: float) -> float:
    return round((perf_counter() - started) * 1000, 3)
