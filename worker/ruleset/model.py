"""Rulesets as the engine runs them: rules and thresholds that belong together."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from service.domain.verdict import Span
from worker.ruleset.sieve import Clue, Sieve
from worker.signals.comment import Signals
from worker.signals.words import WordIndex

#: A rule that is `live` decides, one in the `shadow` is only counted, one that
#: is `off` does not run.
RuleMode = Literal["live", "shadow", "off"]

#: What can be counted, and for how long at the least and at the most.
Countable = Literal["ip", "email", "name", "text", "domain", "campaign"]

_PERIOD = re.compile(r"(\d{1,3})([mhd])")
_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60}
_SHORTEST_PERIOD = 300
_LONGEST_PERIOD = 30 * 86_400

_PLACEHOLDER = re.compile(r"\{([a-z._]+)\}")
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Match:
    """That a condition or a rule applies.

    `value` is the number it looked at, as its reason shows it, `found` what was
    found in the comment, `spans` are the places it is about.
    """

    value: object = ""
    found: str = ""
    spans: tuple[Span, ...] = ()


Check = Callable[[Signals], Match | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing worth noticing.

    `points` of the live rules that match add up within a `category`. 10 hold a
    comment alone, 6 are a strong sign, 3 or 4 a hint; negative ones speak for
    it. `why` is the reason shown to people, with `{match}`, `{value}` or the
    name of a signal in it. With `sites` the rule speaks on those sites only.
    Where one of its `clues` is missing, `check` finds nothing. `scores`
    names the scores of models that it reads.
    """

    id: str
    category: str
    points: int
    why: str
    check: Check
    mode: RuleMode = "live"
    sites: frozenset[str] = frozenset()
    clues: frozenset[Clue] = frozenset()
    scores: frozenset[str] = frozenset()

    def reason(self, match: Match, signals: Signals) -> str:
        """Return why the rule speaks, as people read it."""

        def filled(place: re.Match[str]) -> str:
            name = place[1]
            if name == "match":
                return _shortened(match.found)
            return str(match.value if name == "value" else signals.value(name))

        return _PLACEHOLDER.sub(filled, self.why)


def placeholders(why: str) -> list[str]:
    """Return what a reason wants to be filled with."""
    return _PLACEHOLDER.findall(why)


@dataclass(frozen=True, slots=True, order=True)
class Counter:
    """How often something was seen within so many seconds before a comment; whole minutes."""

    of: Countable
    seconds: int
    #: What the count is called among the signals, such as `text.1h`.
    name: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        unit = next(unit for unit, length in _UNIT_SECONDS.items() if self.seconds % length == 0)
        name = f"{self.of}.{self.seconds // _UNIT_SECONDS[unit]}{unit}"
        object.__setattr__(self, "name", name)


def read_period(written: str) -> int | None:
    """Return the seconds of a period such as `5m`, `1h` or `30d`; None if it is none of those."""
    match = _PERIOD.fullmatch(written)
    seconds = int(match[1]) * _UNIT_SECONDS[match[2]] if match else 0
    return seconds if _SHORTEST_PERIOD <= seconds <= _LONGEST_PERIOD else None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """What comments are judged by. `hash` stands for the content of all of it.

    `thresholds` tells for each category how many points hold a comment,
    `counters` what must be counted for these rules, `index` is of all their lists.
    """

    rules: tuple[Rule, ...]
    thresholds: Mapping[str, int]
    hash: str
    counters: frozenset[Counter] = field(default_factory=frozenset)
    index: WordIndex | None = None
    _sieve: Sieve = field(init=False, repr=False, compare=False)
    #: The numbers of the rules by one of their clues; by None of those that have none.
    _by_clue: Mapping[Clue | None, Sequence[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sieve = Sieve({clue for rule in self.rules for clue in rule.clues})
        object.__setattr__(self, "_sieve", sieve)
        by_clue: dict[Clue | None, list[int]] = {}
        for number, rule in enumerate(self.rules):
            by_clue.setdefault(next(iter(rule.clues), None), []).append(number)
        object.__setattr__(self, "_by_clue", by_clue)

    def worth_hearing(self, signals: Signals) -> Sequence[Rule]:
        """Return in order the rules that may match; the checks of all others find nothing.

        `signals` must have the index of this ruleset.
        """
        if self.index is None:
            return self.rules
        seen = self._sieve.seen(signals)
        asked = (self._by_clue.get(clue, ()) for clue in (None, *seen))
        rules = self.rules
        return [rules[at] for at in sorted(chain(*asked)) if rules[at].clues <= seen]


def _shortened(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= _SHOWN_CHARACTERS else clean[: _SHOWN_CHARACTERS - 1] + "…"
