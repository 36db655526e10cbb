"""Rulesets on trial: examined and tried on made-up comments, before anybody publishes them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from service.domain.ruleset import RulesetSource
from worker.engine import judge
from worker.models.shelf import shipped_models
from worker.ruleset import Problem, RulesetError, examine
from worker.ruleset.cases import Case
from worker.ruleset.outline import outline
from worker.rulesets import loaded


def examine_source(source: RulesetSource) -> dict[str, Any]:
    """Return `problems`, and `outline`: the rules in brief, None if the ruleset cannot run."""
    ruleset, problems = examine(source)
    rules = [asdict(rule) for rule in outline(source, ruleset)] if ruleset else None
    return {"problems": _listed(problems), "outline": rules}


def try_case(source: RulesetSource, case: Mapping[str, Any]) -> dict[str, Any]:
    """Return `verdict` on the case, None if the ruleset cannot run, and then its `problems`.

    The members of a case are the fields of `Case`.
    """
    made_up = Case(**case)
    try:
        ruleset = loaded(source)
    except RulesetError as error:
        return {"problems": _listed(error.problems), "verdict": None}
    verdict = judge(made_up.comment(), ruleset, made_up.context(shipped_models()))
    return {"problems": [], "verdict": verdict.as_dict()}


def _listed(problems: list[Problem] | tuple[Problem, ...]) -> list[dict[str, Any]]:
    return [asdict(problem) for problem in problems]
