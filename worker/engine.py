"""The engine: lets every rule look at a comment and adds up what they found.

Rules run one by one, each isolated: one that raises never approves a comment,
and never keeps the others from being heard. Rules of which the words are missing
are known to find nothing and are not run.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any

from service.domain.comment import Comment, Status
from service.domain.history import AuthorHistory
from service.domain.verdict import ENGINE, Hit, Mode, RuleError, Total, Verdict
from worker.context import Context
from worker.models.score import NO_MODELS, Scorer
from worker.ruleset.model import Match, Rule, Ruleset
from worker.signals.comment import Signals

#: Points of a reason that says "this could not be checked": it holds alone.
_HOLDS_ALONE = 10


def judge(comment: Comment, ruleset: Ruleset, context: Context) -> Verdict:
    """Return the verdict on `comment` with its whole evidence.

    Depends on the arguments alone, apart from the time it took.
    """
    return judge_signals(Signals(comment, context), ruleset)


def judge_signals(signals: Signals, ruleset: Ruleset) -> Verdict:
    """Return what `judge` does, on signals of which some may be known already."""
    started = perf_counter()
    signals.index = ruleset.index
    judging = _Judging(signals, ruleset, signals.context.muted)
    judging.run()
    return judging.verdict(ruleset.hash, signals.context.at, started)


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a verdict cannot be given again: these signals were not kept with the first one."""

    signals: tuple[str, ...]


def replay(
    comment: Comment,
    ruleset: Ruleset,
    kept: Mapping[str, Any],
    absent: Sequence[str],
    models: Scorer = NO_MODELS,
) -> Verdict | Missing:
    """Judge a stored comment by other rules, with the signals of the verdict on it.

    `kept` and `absent` are those of the earlier verdict. What the text tells is
    worked out again, by `models` if they speak, else their earlier scores stand; what
    it does not tell is never guessed.
    """
    wanted = {f"count.{counter.name}" for counter in ruleset.counters}
    missing = tuple(sorted(wanted - kept.keys() - set(absent)))
    if missing or "author.approved" not in kept:
        return Missing(missing or ("author.approved",))
    return judge(comment, ruleset, _context_of(comment, kept, models))


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


class _Judging:
    """One comment while the rules look at it."""

    def __init__(self, signals: Signals, ruleset: Ruleset, muted: frozenset[str]) -> None:
        self._signals = signals
        self._ruleset = ruleset
        self._muted = muted
        self._hits: list[Hit] = []
        self._errors: list[RuleError] = []
        self._values: dict[str, Any] = {}

    def run(self) -> None:
        """Let every rule speak that may have something to say, then gather the evidence."""
        site = self._signals.comment.site_slug
        for rule in self._worth_hearing():
            if rule.mode != "off" and (not rule.sites or site in rule.sites):
                self._apply(rule)
        self._gather()

    def verdict(self, ruleset: str, at: datetime, started: float) -> Verdict:
        """Return what came of it."""
        points = _Points(self._hits, self._ruleset.thresholds)
        return Verdict(
            status=Status.HELD if points.over() else Status.APPROVED,
            ruleset=ruleset,
            at=at,
            took_ms=round((perf_counter() - started) * 1000, 3),
            totals=points.totals,
            hits=tuple(
                replace(hit, needed=True) if points.needs(hit) else hit for hit in self._hits
            ),
            signals={name: value for name, value in self._values.items() if value is not None},
            absent=tuple(name for name, value in self._values.items() if value is None),
            errors=tuple(self._errors),
        )

    def _worth_hearing(self) -> Iterable[Rule]:
        """Return the rules that may have something to say; all of them if that cannot be told."""
        try:
            return self._ruleset.worth_hearing(self._signals)
        except Exception:  # each rule meets by itself what is wrong
            return self._ruleset.rules

    def _apply(self, rule: Rule) -> None:
        """Add what `rule` has to say; a rule that raises is an error, and holds if it is live."""
        mode: Mode = "live" if rule.mode == "live" and rule.id not in self._muted else "shadow"
        try:
            if match := rule.check(self._signals):
                self._signals.noticed[rule.id] = match.spans
                self._hits.append(self._hit(rule, match, mode))
        except Exception as error:  # whatever it is, the comment must not slip through
            # The kind only: a message may quote the comment.
            self._errors.append(RuleError(rule.id, type(error).__name__))
            if mode == "live":
                self._hits.append(_unchecked(rule.id, f"Rule {rule.id} could not run"))

    def _hit(self, rule: Rule, match: Match, mode: Mode) -> Hit:
        why = rule.reason(match, self._signals)
        return Hit(rule.id, rule.category, rule.points, why, mode=mode, spans=match.spans)

    def _gather(self) -> None:
        try:
            self._values = self._signals.values()
            if self._signals.is_truncated:
                why = "Only a part of this comment could be checked"
                self._hits.append(_unchecked("truncated", why))
        except Exception as error:  # no evidence, no approval
            self._errors.append(RuleError("signals", type(error).__name__))
            self._hits.append(_unchecked("signals", "The evidence could not be gathered"))


class _Points:
    """The points of each category.

    Negative points lower a category's sum to 0 at the least, and count for
    nothing where one rule alone reaches the threshold: no reputation outweighs
    that.
    """

    def __init__(self, hits: Sequence[Hit], thresholds: Mapping[str, int]) -> None:
        self._thresholds = thresholds
        self._live: dict[str, list[Hit]] = defaultdict(list)
        for hit in hits:
            if hit.mode == "live":
                self._live[hit.category].append(hit)
        self.totals = {
            category: Total(self._sum(category, self._live[category]), self._hold_at(category))
            for category in [*thresholds, *(self._live.keys() - thresholds.keys())]
        }

    def over(self) -> list[str]:
        """Return the categories that hold the comment."""
        return [name for name, total in self.totals.items() if total.points >= total.hold_at]

    def needs(self, hit: Hit) -> bool:
        """Whether the comment would have been approved without this hit."""
        if hit.mode != "live" or self.over() != [hit.category]:
            return False
        others = [other for other in self._live[hit.category] if other is not hit]
        return self._sum(hit.category, others) < self._hold_at(hit.category)

    def _sum(self, category: str, hits: Sequence[Hit]) -> int:
        alone = any(hit.points >= self._hold_at(category) for hit in hits)
        return max(0, sum(hit.points for hit in hits if hit.points > 0 or not alone))

    def _hold_at(self, category: str) -> int:
        return self._thresholds.get(category, _HOLDS_ALONE)


def _unchecked(rule: str, why: str) -> Hit:
    return Hit(rule, ENGINE, _HOLDS_ALONE, why)


def _context_of(comment: Comment, kept: Mapping[str, Any], models: Scorer) -> Context:
    """Return the context in which these signals were found."""
    names = ("approved", "rejected", "claimed_approved", "claimed_rejected", "seen")
    return Context(
        at=comment.judged_at or comment.created_at,
        history=AuthorHistory(**{name: kept.get(f"author.{name}", 0) for name in names}),
        counts=_under("count.", kept),
        deliverable=kept.get("email.deliverable"),
        reviews_everything=kept.get("moderation") == "all",
        scores={} if models is not NO_MODELS else _under("score.", kept),
        models=models,
    )


def _under(prefix: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value for name, value in kept.items() if name.startswith(prefix)
    }
