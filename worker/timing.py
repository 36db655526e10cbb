"""How long each rule takes, measured on a few comments of many."""

from time import perf_counter

from worker.ruleset import Rule, Ruleset
from worker.signals.comment import Signals

#: One comment in so many is measured: a hundredth of the work of judging.
_EVERY = 100


class RuleTimer:
    """Times the rules on every hundredth comment."""

    def __init__(self) -> None:
        self._seen = 0

    def times(self, signals: Signals, ruleset: Ruleset) -> dict[str, float]:
        """Return the seconds that each rule took; nothing on most comments.

        `signals` are those that the rules were heard on already. What rules share
        is nobody's: folding, finding words, and the look at all of them by which
        most rules are spared. Those that were spared are timed like the others, so
        a time is what hearing the rule takes. A rule that raises has none.
        """
        self._seen += 1
        if self._seen % _EVERY:
            return {}
        for rule in ruleset.rules:  # what is worked out once must not burden the first who asks
            _seconds(rule, signals)
        return {rule.id: took for rule in ruleset.rules if (took := _seconds(rule, signals))}


def _seconds(rule: Rule, signals: Signals) -> float:
    started = perf_counter()
    try:
        rule.check(signals)
    except Exception:  # told by the verdict already
        return 0.0
    return perf_counter() - started
