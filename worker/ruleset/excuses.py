"""Excuses: what keeps a rule from holding words against a comment that only tells of them.

A report, a quotation or words of grief excuse what stands beside or within them, and
nothing else: "I have witnesses." is no excuse for the threat in the next sentence.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from yaml.nodes import Node

from service.domain.verdict import Span
from worker.ruleset.conditions.base import SPANS_SHOWN, Reading
from worker.ruleset.conditions.facts import earlier_rules
from worker.ruleset.model import Match
from worker.signals.comment import FIELD_NAMES, Signals

#: Whether everything that a rule found is excused.
Excuse = Callable[[Signals, Match], bool]

_KINDS = ("around", "beside")
_FIELDS = {called: field for field, called in FIELD_NAMES.items()}
#: Where a sentence ends: an abbreviation too, which excuses less than it might.
_SENTENCE_END = re.compile(
    r"[.!?…。！？؟۔।॥\n](?:(?<=[.!?…])(?<![.!?…]{2})[.!?…]*[\"'”’»)\]]*\s+"
    r"|(?<=[。！？؟۔।॥])[。！？؟۔।॥]*|(?<=\n)\n*)"
)


def read_excuses(reading: Reading, node: Node) -> Excuse | None:
    """Read `excused_by: {around: IDS, beside: IDS}`.

    A place that the rule found is excused if it lies in part or whole within one that
    the rules `around` found, or in a sentence in which one of those `beside` found
    something. The rule is silent if all its places are excused; what it knows without
    a place, like the length of a comment, is excused by any of these rules.
    """
    members = reading.document.mapping(node, _KINDS, "kind of excuse")
    named = {kind: earlier_rules(reading, item) for kind, item in members.items()}
    if not named:
        reading.document.error(node, "excused_by wants around or beside")
        return None
    around, beside = (named.get(kind, frozenset()) for kind in _KINDS)

    def excuse(signals: Signals, match: Match) -> bool:
        if not (around | beside) & signals.noticed.keys():
            return False
        if not match.spans:
            return True
        covering, telling = _places(signals, around), _places(signals, beside)
        # Of so many places not all are known, so the others may have no excuse.
        return len(match.spans) < SPANS_SHOWN and all(
            _overlaps(place, covering) or _shares_sentence(signals, place, telling)
            for place in match.spans
        )

    return excuse


def _places(signals: Signals, rules: Iterable[str]) -> list[Span]:
    return [place for rule in rules for place in signals.noticed.get(rule, ())]


def _overlaps(place: Span, others: Iterable[Span]) -> bool:
    return any(
        other.field == place.field and other.start < place.end and place.start < other.end
        for other in others
    )


def _shares_sentence(signals: Signals, place: Span, others: Sequence[Span]) -> bool:
    """Whether one of the others touches a sentence in which the place lies."""
    near = [other for other in others if other.field == place.field]
    if not near:
        return False
    ends = signals.once(("sentences", place.field), lambda: _sentence_ends(signals, place.field))
    mine = _sentences(ends, place)
    return any(mine & _sentences(ends, other) for other in near)


def _sentences(ends: Sequence[int], place: Span) -> set[int]:
    """Return the numbers of the sentences in which a place lies."""
    last = max(place.start, place.end - 1)
    return set(range(bisect_right(ends, place.start), bisect_right(ends, last) + 1))


def _sentence_ends(signals: Signals, field: str) -> Sequence[int]:
    text = signals.text(_FIELDS[field])
    return [end.end() for end in _SENTENCE_END.finditer(text)]
