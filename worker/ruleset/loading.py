"""From a rule file and its lists to a ruleset that can run."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import get_args

from yaml.nodes import Node

from service.domain.ruleset import RulesetSource
from service.domain.verdict import ENGINE
from worker.ruleset.cases import Case, read_case
from worker.ruleset.conditions import read_conditions
from worker.ruleset.conditions.base import Reading
from worker.ruleset.document import Document
from worker.ruleset.excuses import Excuse, read_excuses
from worker.ruleset.lists import Lists
from worker.ruleset.model import Check, Match, Rule, RuleMode, Ruleset, placeholders
from worker.ruleset.problems import Problem, RulesetError
from worker.ruleset.sieve import Clue
from worker.signals.comment import Signals

RULE_FILE = "rules.yaml"

#: What ships has some two hundred, and a site's own come on top. Every rule costs each
#: comment time: with so many, copies of those that ship, judging took a third longer.
MOST_RULES = 500
LEAST_POINTS, MOST_POINTS = -9, 10
_HIGHEST_THRESHOLD = 100
_LONGEST_ID = 64
_LONGEST_WHY = 200
_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

_FILE_KEYS = ("format", "categories", "lists", "rules")
_RULE_KEYS = (
    *("id", "category", "points", "why", "mode", "sites"),
    *("when", "unless", "excused_by", "tests"),
)


def load(source: RulesetSource, *, tested: bool = False) -> Ruleset:
    """Return the ruleset of a source; raise RulesetError with everything that is wrong with it.

    The tests in the file are run, unless it is known that they passed before.
    """
    ruleset, problems = _read(source, tested=tested)
    if ruleset is None:
        raise RulesetError(problems)
    return ruleset


def examine(source: RulesetSource) -> tuple[Ruleset | None, list[Problem]]:
    """Return the ruleset, None if it cannot run, and every error and warning, in order of place."""
    return _read(source, tested=False)


def _read(source: RulesetSource, *, tested: bool) -> tuple[Ruleset | None, list[Problem]]:
    with _uncollected():
        loader = _Loader(source)
        ruleset = loader.ruleset()
    if ruleset and not tested:
        loader.run_tests(ruleset)
    problems = loader.problems()
    runs = not any(problem.severity == "error" for problem in problems)
    return (ruleset if runs else None), problems


def read_directory(directory: Path) -> RulesetSource:
    """Return the source that a directory holds: `rules.yaml` and the lists it names.

    A list that cannot be read is left out, which `load` tells with its place.
    Raises OSError or UnicodeDecodeError if the rule file cannot be read.
    """
    rules = (directory / RULE_FILE).read_text(encoding="utf-8")
    named = _Loader(RulesetSource(rules), last="lists").list_paths.values()
    return RulesetSource(rules, dict(_list_texts(directory, named)))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the collector from looking through tens of thousands of new objects that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _list_texts(directory: Path, paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    for path in paths:
        file = (directory / path).resolve()
        if file.is_relative_to(directory.resolve()) and file.is_file():
            yield path, file.read_text(encoding="utf-8")


class _Loader:
    """Reads one source; whatever is wrong is noted and the reading goes on."""

    def __init__(self, source: RulesetSource, last: str = "") -> None:
        self._source = source
        self._document = Document(RULE_FILE, source.rules)
        self._node = self._document.root(last)
        self._root = (
            self._document.mapping(self._node, _FILE_KEYS, "part of the file") if self._node else {}
        )
        self.list_paths = self._list_paths()
        self._reading = Reading(self._document, Lists(self.list_paths, source.lists))
        self._cases: dict[str, list[tuple[str, Case, Node]]] = {}

    def ruleset(self) -> Ruleset | None:
        """Return the ruleset, made of what could be read."""
        if not self._root:
            return None
        self._check_format()
        thresholds = self._thresholds()
        nodes = self._document.items(self._root["rules"], "rules") if "rules" in self._root else []
        if not nodes:
            self._tell_missing("rules")
        if len(nodes) > MOST_RULES:
            self._document.error(nodes[MOST_RULES], f"there are more than {MOST_RULES} rules")
        rules = [rule for node in nodes if (rule := self._rule(node, thresholds))]
        self._warn_of_unused_lists()
        counters = frozenset(self._reading.counters)
        index = self._reading.lists.index()
        return Ruleset(tuple(rules), thresholds, self._source.hash, counters, index)

    def run_tests(self, ruleset: Ruleset) -> None:
        """Try every rule on the comments that its tests say it hits and misses."""
        for rule in ruleset.rules:
            for kind, case, node in self._cases.get(rule.id, []):
                if _hits(ruleset, rule, case) is not (kind == "hit"):
                    self._document.error(node, _failed(rule, kind, case))

    def problems(self) -> list[Problem]:
        """Return what was noted so far, in order of place."""
        return sorted({*self._document.problems, *self._reading.lists.problems})

    # --- the file's parts --------------------------------------------------------

    def _list_paths(self) -> dict[str, str]:
        if "lists" not in self._root:
            return {}
        members = self._document.mapping(self._root["lists"], None, "list")
        found = {}
        for name, node in members.items():
            path = self._document.text(node)
            if path is None:
                continue
            if path not in self._source.lists:
                self._document.error(node, f"there is no file “{path}”")
            found[name] = path
        return found

    def _check_format(self) -> None:
        if "format" not in self._root:
            self._tell_missing("format")
        else:
            self._document.whole(self._root["format"], "format", 1, 1)

    def _thresholds(self) -> dict[str, int]:
        if "categories" not in self._root:
            self._tell_missing("categories")
            return {}
        thresholds = {}
        members = self._document.mapping(self._root["categories"], None, "category")
        for name, node in members.items():
            if name == ENGINE:
                self._document.error(node, f"“{ENGINE}” is kept for what could not be checked")
                continue
            parts = self._document.mapping(node, ("hold_at",), "part of a category")
            if "hold_at" not in parts:
                self._document.error(node, "a category wants hold_at, the points that hold")
                continue
            hold_at = self._document.whole(parts["hold_at"], "hold_at", 1, _HIGHEST_THRESHOLD)
            thresholds[name] = hold_at or _HIGHEST_THRESHOLD
        return thresholds

    def _rule(self, node: Node, thresholds: dict[str, int]) -> Rule | None:
        document = self._document
        members = document.mapping(node, _RULE_KEYS, "part of a rule")
        if not members:
            return None
        missing = [key for key in ("id", "category", "points", "why", "when") if key not in members]
        if missing:
            document.error(node, f"the rule lacks {', '.join(missing)}")
        rule_id = self._id(members.get("id"))
        category = self._choice(members, "category", tuple(thresholds))
        points = self._points(members.get("points"))
        why = self._why(members.get("why"))
        mode = self._mode(members)
        self._reading.scores.clear()
        check, clues = self._check(members)
        self._cases[rule_id or ""] = self._tests(members, node)
        self._reading.earlier[rule_id or ""] = mode
        if not (rule_id and category and why and check) or points is None:
            return None
        scores, sites = frozenset(self._reading.scores), self._sites(members)
        return Rule(rule_id, category, points, why, check, mode, sites, clues, scores)

    # --- a rule's parts ----------------------------------------------------------

    def _id(self, node: Node | None) -> str | None:
        written = self._document.text(node) if node else None
        if node is None or written is None:
            return None
        if not set(written) <= _ID_CHARACTERS or len(written) > _LONGEST_ID:
            self._document.error(node, f"an id is a-z, 0-9 and -, at most {_LONGEST_ID} of them")
            return None
        if written in self._reading.earlier:
            self._document.error(node, f"there are two rules “{written}”")
            return None
        return written

    def _points(self, node: Node | None) -> int | None:
        return self._document.whole(node, "points", LEAST_POINTS, MOST_POINTS) if node else None

    def _why(self, node: Node | None) -> str | None:
        why = self._document.text(node) if node else None
        if node is None or why is None:
            return None
        if len(why) > _LONGEST_WHY:
            self._document.error(node, f"why has at most {_LONGEST_WHY} characters")
        for name in placeholders(why):
            if name not in _fillings():
                self._document.unknown(node, "placeholder", name, _fillings())
        return why

    def _mode(self, members: dict[str, Node]) -> RuleMode:
        chosen = self._choice(members, "mode", get_args(RuleMode))
        return next((mode for mode in get_args(RuleMode) if mode == chosen), "live")

    def _sites(self, members: dict[str, Node]) -> frozenset[str]:
        if "sites" not in members:
            return frozenset()
        return frozenset(slug for slug, _ in self._document.texts(members["sites"]))

    def _check(self, members: dict[str, Node]) -> tuple[Check | None, frozenset[Clue]]:
        """Return the check of a rule, and what it finds nothing without."""
        if "when" not in members:
            return None, frozenset()
        self._reading.clues.clear()
        when = read_conditions(self._reading, members["when"], "when")
        clues = frozenset(self._reading.clues)
        if when and "unless" in members:
            unless = read_conditions(self._reading, members["unless"], "unless")
            when = _but_not(when, unless) if unless else None
        if when and "excused_by" in members:
            excuse = read_excuses(self._reading, members["excused_by"])
            when = _unexcused(when, excuse) if excuse else None
        return when, clues

    def _tests(self, members: dict[str, Node], node: Node) -> list[tuple[str, Case, Node]]:
        tests: dict[str, Node] = {}
        if "tests" in members:
            tests = self._document.mapping(members["tests"], ("hit", "miss"), "kind of test")
        for kind in ("hit", "miss"):
            if kind not in tests:
                self._document.warning(node, f"the rule has no `{kind}` test")
        return [
            (kind, case, item)
            for kind, group in tests.items()
            for item in self._document.items(group, kind)
            if (case := read_case(self._document, item))
        ]

    def _choice(self, members: dict[str, Node], name: str, known: tuple[str, ...]) -> str | None:
        return self._document.choice(members[name], name, known) if name in members else None

    def _tell_missing(self, part: str) -> None:
        if self._node:
            self._document.error(self._node, f"the file lacks {part}")

    def _warn_of_unused_lists(self) -> None:
        if "lists" not in self._root:
            return
        for name, node in self._document.key_nodes(self._root["lists"]).items():
            if name in self.list_paths and name not in self._reading.lists.used:
                self._document.warning(node, f"no rule uses the list “{name}”")


@cache
def _fillings() -> tuple[str, ...]:
    """Return what reasons can be filled with."""
    return ("match", "value", *Signals(Case().comment(), Case().context()).values())


def _but_not(when: Check, unless: Check) -> Check:
    def check(signals: Signals) -> Match | None:
        match = when(signals)
        return None if match is None or unless(signals) else match

    return check


def _unexcused(when: Check, excuse: Excuse) -> Check:
    def check(signals: Signals) -> Match | None:
        match = when(signals)
        return None if match is None or excuse(signals, match) else match

    return check


def _hits(ruleset: Ruleset, rule: Rule, case: Case) -> bool:
    """Whether a rule of the ruleset has something to say, after those before it were heard."""
    # A test that names no site is one of the sites that its rule is for.
    site = case.site or min(rule.sites, default="")
    signals = Signals(case.comment(), case.context())
    signals.index = ruleset.index
    for other in ruleset.worth_hearing(signals):
        if other is rule:
            return _speaks(rule, site) and rule.check(signals) is not None
        if other.mode == "off" or not _speaks(other, site):
            continue
        if match := other.check(signals):
            signals.noticed[other.id] = match.spans
    return False


def _speaks(rule: Rule, site: str) -> bool:
    return not (site and rule.sites) or site in rule.sites


def _failed(rule: Rule, kind: str, case: Case) -> str:
    text = case.text if len(case.text) <= 60 else case.text[:59] + "…"
    if kind == "hit":
        return f"test failed: rule “{rule.id}” should hit “{text}” but does not"
    return f"test failed: rule “{rule.id}” should miss “{text}” but hits"
