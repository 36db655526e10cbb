"""The ruleset as text: checked with every mistake in its line, tried, and published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, Response, make_response, redirect, request, url_for
from pydantic import BaseModel, ConfigDict

from service.domain.decision import Role
from service.domain.errors import InvalidRuleset, ModerationError, RulesetConflict, RulesetProblem
from service.domain.ruleset import RULE_FILE, RulesetSource, difference
from service.rulesets import Draft
from service.web.cards import CATEGORIES, Finding
from service.web.chrome import entered, tell
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors
from service.web.rule_trials import Days, start
from service.web.rule_trying import verdict_on
from service.web.rules import DraftIn, Number, Path, TryIn
from service.web.ruling import REFUSALS, problems_of, published, refusal, rules_page
from service.web.schemas import validate
from service.web.texts import Note

bp = Blueprint("rule_editor", __name__, url_prefix="/review/rules/edit")
bp.before_request(guard)
html_errors(bp)


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path = RULE_FILE


class _EditForm(BaseModel):
    """The text as it should be, and what is to be done with it."""

    base: Number
    file: Path = RULE_FILE
    text: str = ""
    do: Literal["check", "try", "trial", "publish"] = "check"
    note: Note = ""
    try_text: str = ""
    days: Days = 30

    @property
    def draft(self) -> Draft:
        """The text as a change to the version it was made from."""
        text = self.text.replace("\r\n", "\n")
        if self.file == RULE_FILE:
            return validate(DraftIn, {"rules": text}).draft
        return validate(DraftIn, {"lists": {self.file: text}}).draft


@dataclass(frozen=True, slots=True)
class _Conflict:
    """What somebody else published since the text was begun."""

    number: int
    author: str
    theirs: str


@dataclass(slots=True)
class _Outcome:
    """What came of the last thing that was done with the text."""

    error: str = ""
    told: str = ""
    problems: Sequence[RulesetProblem] = ()
    changed: Sequence[str] = ()
    conflict: _Conflict | None = None
    finding: Finding | None = None
    #: What the text changes in what is live; None before that was asked.
    diff: str | None = None


@bp.get("")
def form() -> str:
    """The live text of the rule file, or of a list."""
    require(Role.SENIOR)
    query = validate(_Query, request.args.to_dict())
    version, source = services().rulesets.live_source()
    said = _EditForm(base=version.number, file=query.file, text=source.files.get(query.file, ""))
    return _shown(said, _Outcome(), source)


@bp.post("")
def edit() -> Response:
    """Check the text, try it, or publish it; it is kept whatever comes of that."""
    require(Role.SENIOR)
    said = validate(_EditForm, entered())
    _, base, _ = services().rulesets.version(said.base)
    outcome = _Outcome(diff=difference(base, said.draft.applied_to(base)))
    try:
        if (answer := _DOINGS[said.do](said, outcome)) is not None:
            return answer
    except REFUSALS as error:
        return _refused(said, base, outcome, error)
    return make_response(_shown(said, outcome, base), 422 if outcome.error else 200)


def _check(said: _EditForm, outcome: _Outcome) -> None:
    found = services().rulesets.examine(said.draft, said.base)
    outcome.problems, outcome.changed = found.problems, found.changed
    mistakes = sum(problem.severity == "error" for problem in found.problems)
    if found.rules is None:
        outcome.error = f"{mistakes} {'mistake' if mistakes == 1 else 'mistakes'}."
    else:
        outcome.told = f"No mistakes. All tests of the {len(found.rules)} rules pass."


def _try(said: _EditForm, outcome: _Outcome) -> None:
    if not said.try_text:
        outcome.error = "Please enter a text to try."
        return
    draft = said.draft
    text = said.try_text.replace("\r\n", "\n")
    asked = {"base": said.base, "rules": draft.rules, "lists": dict(draft.lists or {})}
    outcome.finding = verdict_on(validate(TryIn, asked | {"text": text}))


def _trial(said: _EditForm, _: _Outcome) -> Response:
    trial = start(said.draft, days=said.days, base=said.base, note=said.note)
    return make_response(redirect(url_for("rule_trials.one", trial_id=trial.id), 303))


def _publish(said: _EditForm, outcome: _Outcome) -> Response | None:
    if not outcome.diff:
        outcome.error = "The text says what is live already."
        return None
    if not said.note:
        outcome.error = "Please say in a note what is changed, and why."
        return None
    moderator = signed_in()
    version = services().rulesets.publish(
        said.draft,
        base=said.base,
        author=moderator.actor,
        note=said.note,
        role=moderator.role,
    )
    tell(published(version, "Published"))
    return make_response(redirect(url_for("rule_pages.overview"), 303))


_DOINGS = {"check": _check, "try": _try, "trial": _trial, "publish": _publish}


def _refused(
    said: _EditForm, base: RulesetSource, outcome: _Outcome, error: ModerationError
) -> Response:
    status, outcome.error = refusal(error)
    outcome.problems = problems_of(error)
    if isinstance(error, InvalidRuleset):
        count = sum(problem.severity == "error" for problem in error.problems)
        outcome.error = f"Not done: {count} {'mistake' if count == 1 else 'mistakes'}."
    if isinstance(error, RulesetConflict) and error.number is not None:
        return make_response(_after_conflict(said, base, outcome, error.number), status)
    return make_response(_shown(said, outcome, base), status)


def _after_conflict(said: _EditForm, base: RulesetSource, outcome: _Outcome, number: int) -> str:
    """Return the page with both changes side by side; the text is now one of the live version."""
    version, live, _ = services().rulesets.version(number)
    outcome.conflict = _Conflict(number, version.author, difference(base, live))
    outcome.diff = difference(live, said.draft.applied_to(live))
    return _shown(said.model_copy(update={"base": number}), outcome, live)


def _shown(said: _EditForm, outcome: _Outcome, source: RulesetSource) -> str:
    text = said.text.replace("\r\n", "\n")
    lines = {each.line: each for each in outcome.problems if each.file == said.file}
    return rules_page(
        "rule_edit.html",
        said=said,
        text=text,
        count=text.count("\n") + 1,
        lines=lines,
        outcome=outcome,
        files=list(source.files),
        categories=CATEGORIES,
    )
