"""What conditions are read with: the file, its lists, and what rules came before."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import get_args

from yaml.nodes import Node

from service.domain.verdict import Span
from worker.ruleset.document import Document
from worker.ruleset.lists import Lists
from worker.ruleset.model import Check, Counter, Match
from worker.ruleset.sieve import Clue
from worker.signals.comment import FIELD_NAMES, Field, Signals
from worker.signals.text import Fold, View

#: More places than this help nobody who reviews.
SPANS_SHOWN = 20

FIELDS: tuple[Field, ...] = get_args(Field)


@dataclass
class Reading:
    """A rule file while its conditions are read.

    `earlier` are the ids of the rules above the one that is read, with their
    modes; `counters` are collected for the whole file, `scores` for the rule, `clues`
    for the `when` or `unless` that is read.
    """

    document: Document
    lists: Lists
    earlier: dict[str, str] = field(default_factory=dict)
    counters: set[Counter] = field(default_factory=set)
    scores: set[str] = field(default_factory=set)
    clues: set[Clue] = field(default_factory=set)


#: Makes a check of what stands in the file; None, and errors noted, if it makes no sense.
Builder = Callable[[Reading, Node], Check | None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range: more than `over`, less than `under`, each only if given."""

    over: float | None
    under: float | None

    def hold(self, value: float | None) -> bool:
        """Whether a value lies within; an absent one does not."""
        if value is None:
            return False
        return (self.over is None or value > self.over) and (
            self.under is None or value < self.under
        )


def read_bounds(reading: Reading, node: Node, members: dict[str, Node], what: str) -> Bounds | None:
    """Return the bounds that `over` and `under` give; at least one of them must be there."""
    document = reading.document
    given = {
        name: document.number(members[name], f"{what}: {name}")
        for name in ("over", "under")
        if name in members
    }
    if not given:
        document.error(node, f"{what} wants a bound: over or under")
        return None
    if None in given.values():
        return None
    return Bounds(given.get("over"), given.get("under"))


def read_fields(
    reading: Reading, members: dict[str, Node], default: tuple[Field, ...] = ("text",)
) -> tuple[Field, ...]:
    """Return the fields that `in` names, or the default."""
    if "in" not in members:
        return default
    document = reading.document
    nodes = document.one_or_more(members["in"])
    named = [document.choice(node, "field", FIELDS) for node in nodes]
    return tuple(name for name in FIELDS if name in named)


def read_fold(reading: Reading, members: dict[str, Node]) -> Fold:
    """Return the way of folding that is asked for."""
    if "fold" not in members:
        return "plain"
    asked = reading.document.choice(members["fold"], "fold", get_args(Fold))
    return "hard" if asked == "hard" else "plain"


def span(field_: Field, view: View, start: int, end: int) -> Span:
    """Return the place in the comment that a part of a view stands for."""
    return Span(FIELD_NAMES[field_], *view.place(start, end), view=view.name)


def all_of(checks: Collection[Check]) -> Check:
    """Return a check that applies if all of `checks` do; it tells what they found together."""
    if len(checks) == 1:
        (only,) = checks
        return only

    def check(signals: Signals) -> Match | None:
        matches = []
        for condition in checks:
            if (match := condition(signals)) is None:
                return None
            matches.append(match)
        return Match(
            value=next((match.value for match in matches if match.value != ""), ""),
            found=next((match.found for match in matches if match.found), ""),
            spans=tuple(place for match in matches for place in match.spans)[:SPANS_SHOWN],
        )

    return check
