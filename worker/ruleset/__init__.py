"""Rulesets: rules, lists and thresholds that belong together, named by their content."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from service.domain.verdict import Span
from worker.signals.comment import Lists, Signals

#: A rule that is `live` decides, one in the `shadow` is only counted, one that
#: is `off` does not run.
RuleMode = Literal["live", "shadow", "off"]


@dataclass(frozen=True, slots=True)
class Match:
    """That a rule applies: what its reason mentions, and the places it is about."""

    value: object = ""
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing worth noticing.

    `points` of the live rules that match add up within a `category`. 10 hold a
    comment alone, 6 are a strong sign, 3 or 4 a hint. `why` is the reason shown
    to people; `{value}` in it is filled from the match.
    """

    id: str
    category: str
    points: int
    why: str
    check: Callable[[Signals], Match | None]
    mode: RuleMode = "live"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What comments are judged by. `hash` stands for the content of all of it.

    `thresholds` tells for each category how many points hold a comment.
    """

    rules: tuple[Rule, ...]
    lists: Lists
    thresholds: Mapping[str, int]
    hash: str
