"""Rulesets: what comments are judged by, read from one rule file and plain lists."""

from worker.ruleset.loading import examine, load, read_directory
from worker.ruleset.model import Check, Counter, Match, Rule, RuleMode, Ruleset
from worker.ruleset.problems import Problem, RulesetError

__all__ = [
    "Check",
    "Counter",
    "Match",
    "Problem",
    "Rule",
    "RuleMode",
    "Ruleset",
    "RulesetError",
    "examine",
    "load",
    "read_directory",
]
