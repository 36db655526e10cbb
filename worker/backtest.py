"""Backtests: what a ruleset would have done with stored comments, and what people say to that.

Nothing is guessed. A comment whose text is gone, or whose first verdict did not
keep a signal that the ruleset reads, is counted as not replayable.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from service.domain.comment import CommentId, Status
from service.domain.verdict import Verdict
from service.statistics import Interval, wilson
from service.storage.replaying import JudgedComment
from worker.engine import Missing, replay
from worker.models.score import NO_MODELS, Scorer
from worker.ruleset import Ruleset

#: Comments named as examples of each kind.
_EXAMPLES = 20


@dataclass(slots=True)
class Agreement:
    """How holding goes with what people decided: of those judged, which were held rightly."""

    held_rejected: int = 0
    held_approved: int = 0
    passed_rejected: int = 0
    passed_approved: int = 0

    def add(self, *, held: bool, rejected: bool) -> None:
        """Count one comment that a person decided on."""
        way = ("held" if held else "passed") + ("_rejected" if rejected else "_approved")
        setattr(self, way, getattr(self, way) + 1)

    @property
    def precision(self) -> Interval:
        """Of those held, the share that people rejected."""
        return wilson(self.held_rejected, self.held_rejected + self.held_approved)

    @property
    def recall(self) -> Interval:
        """Of those that people rejected, the share that was held."""
        return wilson(self.held_rejected, self.held_rejected + self.passed_rejected)


@dataclass(slots=True)
class Decided:
    """What people decided on comments that only one of the two rulesets holds."""

    approved: int = 0
    rejected: int = 0

    def add(self, *, rejected: bool) -> None:
        """Count one comment that a person decided on."""
        self.rejected += rejected
        self.approved += not rejected


@dataclass(slots=True)
class RuleTrial:
    """What one rule of the ruleset on trial did; `decisive` are comments it holds alone."""

    hits: int = 0
    decisive: int = 0
    newly_held: int = 0
    judged: int = 0
    rejected: int = 0

    @property
    def precision(self) -> Interval:
        """Of the comments that it hit and people judged, the share that they rejected."""
        return wilson(self.rejected, self.judged)


@dataclass(slots=True)
class Backtest:
    """What a ruleset would have done, against the one that is live.

    `missing` counts comments that cannot be replayed, by what is missing; one
    comment may miss several signals.
    """

    ruleset: str
    live: str
    comments: int = 0
    replayed: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    held_live: int = 0
    held: int = 0
    newly_held: list[CommentId] = field(default_factory=list)
    newly_held_decided: Decided = field(default_factory=Decided)
    newly_approved: list[CommentId] = field(default_factory=list)
    newly_approved_decided: Decided = field(default_factory=Decided)
    agreement: Agreement = field(default_factory=Agreement)
    live_agreement: Agreement = field(default_factory=Agreement)
    rules: dict[str, RuleTrial] = field(default_factory=dict)

    @property
    def newly_held_share(self) -> float:
        """The share of the replayed comments that only the ruleset on trial holds."""
        return len(self.newly_held) / self.replayed if self.replayed else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values; comments by their ids, never their text."""
        return {
            "ruleset": self.ruleset,
            "live": self.live,
            "comments": self.comments,
            "replayed": self.replayed,
            "missing": dict(self.missing.most_common()),
            "held": self.held,
            "held_live": self.held_live,
            "newly_held": len(self.newly_held),
            "newly_held_decided": asdict(self.newly_held_decided),
            "newly_held_share": round(self.newly_held_share, 5),
            "newly_approved": len(self.newly_approved),
            "newly_approved_decided": asdict(self.newly_approved_decided),
            "newly_held_examples": self.newly_held[:_EXAMPLES],
            "newly_approved_examples": self.newly_approved[:_EXAMPLES],
            "agreement": _agreement(self.agreement),
            "live_agreement": _agreement(self.live_agreement),
            "rules": {rule: _rule(trial) for rule, trial in self.rules.items()},
        }


class Backtesting:
    """Replays comments one by one; `report` tells what came of those so far."""

    def __init__(self, ruleset: Ruleset, live: Ruleset | None, models: Scorer = NO_MODELS) -> None:
        self.report = Backtest(ruleset.hash, live.hash if live else "none")
        self.report.rules = {rule.id: RuleTrial() for rule in ruleset.rules if rule.mode != "off"}
        self._ruleset = ruleset
        self._live = live
        self._models = models

    def add(self, item: JudgedComment) -> None:
        """Replay one comment."""
        report = self.report
        report.comments += 1
        verdict = self._replayed(item, self._ruleset)
        held_live = self._held_live(item)
        if isinstance(verdict, Missing) or isinstance(held_live, Missing):
            missing = (found for found in (verdict, held_live) if isinstance(found, Missing))
            report.missing.update({name for found in missing for name in found.signals})
            return
        self._compare(item, verdict, held_live=held_live)

    def _held_live(self, item: JudgedComment) -> bool | Missing:
        """Return whether the live rules hold it; without any, everything is held."""
        if self._live is None:
            return True
        evidence = item.evidence or {}
        if evidence.get("ruleset") == self._live.hash and not evidence["errors"]:
            return bool(evidence["status"] == Status.HELD)
        verdict = self._replayed(item, self._live)
        return verdict if isinstance(verdict, Missing) else verdict.status is Status.HELD

    def _replayed(self, item: JudgedComment, ruleset: Ruleset) -> Verdict | Missing:
        if item.comment.body == "":
            return Missing(("text",))
        if item.evidence is None:
            return Missing(("verdict",))
        kept, absent = item.evidence["signals"], item.evidence["absent"]
        return replay(item.comment, ruleset, kept, absent, self._models)

    def _compare(self, item: JudgedComment, verdict: Verdict, *, held_live: bool) -> None:
        report, held = self.report, verdict.status is Status.HELD
        report.replayed += 1
        report.held += held
        report.held_live += held_live
        rejected = item.rejected_by_people
        if held is not held_live:
            ids = report.newly_held if held else report.newly_approved
            decided = report.newly_held_decided if held else report.newly_approved_decided
            ids.append(item.comment.id)
            if rejected is not None:
                decided.add(rejected=rejected)
        if rejected is not None:
            report.agreement.add(held=held, rejected=rejected)
            report.live_agreement.add(held=held_live, rejected=rejected)
        for hit in verdict.hits:
            if hit.rule in report.rules:
                trial = report.rules[hit.rule]
                trial.hits += 1
                trial.decisive += hit.needed
                trial.newly_held += hit.needed and not held_live
                trial.judged += rejected is not None
                trial.rejected += rejected is True


def backtest(
    items: Iterable[JudgedComment],
    ruleset: Ruleset,
    live: Ruleset | None,
    models: Scorer = NO_MODELS,
) -> Backtest:
    """Replay all of `items` by `ruleset` and by the live one."""
    backtesting = Backtesting(ruleset, live, models)
    for item in items:
        backtesting.add(item)
    return backtesting.report


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "held_rejected": agreement.held_rejected,
        "held_approved": agreement.held_approved,
        "passed_rejected": agreement.passed_rejected,
        "passed_approved": agreement.passed_approved,
        "precision": _interval(agreement.precision),
        "recall": _interval(agreement.recall),
    }


def _rule(trial: RuleTrial) -> dict[str, Any]:
    return {
        "hits": trial.hits,
        "decisive": trial.decisive,
        "newly_held": trial.newly_held,
        "judged": trial.judged,
        "rejected": trial.rejected,
        "precision": _interval(trial.precision),
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    share = interval.share
    return {
        "share": None if share is None else round(share, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
    }
