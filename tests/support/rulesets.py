"""Small rulesets, written as people write them."""

from collections.abc import Mapping
from textwrap import dedent, indent
from typing import Any

from service.domain.ruleset import RulesetSource
from service.domain.verdict import Hit, Verdict
from worker.engine import judge
from worker.ruleset import Problem, Ruleset, examine, load
from worker.ruleset.cases import Case

_HEAD = """\
format: 1
categories:
  spam:  { hold_at: 10 }
  abuse: { hold_at: 10 }
"""


def source_of(
    rules: str, lists: Mapping[str, str] | None = None, head: str = _HEAD
) -> RulesetSource:
    """Return a source with these rules and lists, each list by its name."""
    named = {f"lists/{name}.txt": text for name, text in (lists or {}).items()}
    lines = [f"  {name}: lists/{name}.txt\n" for name in lists or {}]
    written = head + ("lists:\n" + "".join(lines) if lines else "")
    return RulesetSource(f"{written}rules:\n{indent(dedent(rules), '  ')}", named)


def rule_when(conditions: str, more: str = "") -> str:
    """Return a rule `it`, worth 10 points of spam, with these conditions in flow style."""
    head = 'id: it, category: spam, points: 10, why: "{match}|{value}"'
    return f"- {{{head}, when: {conditions}{more}}}\n"


def ruleset_when(
    conditions: str, lists: Mapping[str, str] | None = None, more: str = ""
) -> Ruleset:
    """Return a ruleset of the one rule that `rule_when` gives."""
    return load(source_of(rule_when(conditions, more), lists))


def verdict_of(ruleset: Ruleset, text: str = "", **parts: Any) -> Verdict:
    """Return the verdict on a made-up comment; keywords are parts of a `Case`."""
    case = Case(text, **parts)
    return judge(case.comment(), ruleset, case.context())


def hit_of(ruleset: Ruleset, text: str = "", **parts: Any) -> Hit | None:
    """Return the first hit on a made-up comment; None if no rule has anything to say."""
    verdict = verdict_of(ruleset, text, **parts)
    assert verdict.errors == ()
    return next(iter(verdict.hits), None)


def told(source: RulesetSource) -> list[str]:
    """Return what is wrong with a source, warnings for want of tests left out."""
    wanted: list[Problem] = [p for p in examine(source)[1] if "test" not in p.message]
    return [str(problem) for problem in wanted]
