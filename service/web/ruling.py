"""What the pages on rules share: the frame around them, and how a refused change is told."""

from typing import Any

from service.domain.errors import (
    CheckUnavailable,
    InvalidRuleset,
    ModerationError,
    RulesetConflict,
    RulesetNotAllowed,
    RulesetProblem,
)
from service.domain.ruleset import RulesetVersion
from service.rulesets import list_name
from service.web.chrome import Notice, page
from service.web.console import person

#: Why a change of the rules may not come about, to be told on the page it was begun on.
REFUSALS = (CheckUnavailable, InvalidRuleset, RulesetConflict, RulesetNotAllowed)


def rules_page(template: str, **values: Any) -> str:
    """Return a page of the rules."""
    return page(template, person=person, list_name=list_name, **values)


def published(version: RulesetVersion, words: str) -> Notice:
    """Return that a version was published, with its undo."""
    return Notice(text=f"{words}. Version {version.number} is live.", version=version.number)


def refusal(error: ModerationError) -> tuple[int, str]:
    """Return the status and the words for a change that was refused."""
    if isinstance(error, InvalidRuleset):
        return 422, "Not published: there are mistakes."
    if isinstance(error, RulesetConflict):
        who = person(error.author)
        return 409, f"Not published: {who} published version {error.number} in the meantime."
    if isinstance(error, RulesetNotAllowed):
        return 403, "Not published: you may publish lists and shadow rules; this takes an admin."
    return 503, "No worker answered in time. Nothing was changed; please try again."


def problems_of(error: ModerationError) -> tuple[RulesetProblem, ...]:
    """Return the mistakes that a refusal tells of."""
    return error.problems if isinstance(error, InvalidRuleset) else ()
