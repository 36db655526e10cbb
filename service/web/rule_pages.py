"""The rules in the console: what is live, what was, and how each rule does."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, make_response, redirect, request, url_for
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from service.domain.decision import Role
from service.domain.errors import RulesetNotFound
from service.domain.listing import entries_of
from service.domain.ruleset import RuleOutline
from service.rule_file import list_uses
from service.rule_quality import QualityReport, RuleQuality
from service.rulesets import Draft, LiveRuleset
from service.statistics import Interval
from service.storage import rulesets
from service.web.answers import read_query
from service.web.charts import interval
from service.web.chrome import Notice, entered, tell
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors, own_page
from service.web.remembered import Remembered
from service.web.rules import LARGEST_INTEGER, Number, report_of
from service.web.ruling import REFUSALS, published, refusal, rules_page
from service.web.schemas import OneLine, validate
from service.web.texts import Note

bp = Blueprint("rule_pages", __name__, url_prefix="/review/rules")
bp.before_request(guard)
html_errors(bp)

_VERSIONS_SHOWN = 50
_HIGHLIGHTS = {
    "ready": "ready to decide: people agree with it",
    "look": "to be looked at: people mostly disagree with it",
    "asleep": "no hit in 60 days",
    "redundant": "never decisive in 30 days",
    "slow": "slow",
}

_remembered: Remembered[QualityReport] = Remembered()


class _Narrowed(BaseModel):
    """Which rules are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[OneLine, Field(max_length=100)] = ""
    category: Annotated[OneLine, Field(max_length=64)] = ""
    mode: Literal["live", "shadow", "off"] | None = None

    def fits(self, rule: RuleOutline) -> bool:
        """Whether the rule is one of them."""
        said = f"{rule.id} {rule.why}".lower()
        return (
            self.q.lower() in said
            and self.category in ("", rule.category)
            and self.mode in (None, rule.mode)
        )


class _HistoryQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    before: Number | None = None


class _QualityQuery(BaseModel):
    days: Literal["7", "30", "90"] = "30"


@dataclass(frozen=True, slots=True)
class _Line:
    """A rule's figures with what is drawn of them."""

    quality: RuleQuality
    precision: Interval
    picture: Markup | None

    @classmethod
    def of(cls, found: RuleQuality) -> "_Line":
        """Return the line of a rule."""
        precision = found.figures.all.precision
        if precision.share is None:
            return cls(found, precision, None)
        words = f"{precision.share:.0%}, between {precision.low:.0%} and {precision.high:.0%}"
        return cls(
            found, precision, interval(words, precision.low, precision.share, precision.high)
        )


class _ConfirmForm(BaseModel):
    base: Number


class _RevertForm(BaseModel):
    base: Number
    to: Number
    note: Annotated[Note, Field(min_length=1)]


class _UndoForm(BaseModel):
    version: Number
    back: str = ""


@bp.get("")
def overview() -> str:
    """What comments are judged by now."""
    query = read_query(_Narrowed)
    found = _live()
    if found is None:
        return rules_page("rules.html", found=None)
    return rules_page(
        "rules.html",
        found=found,
        query=query,
        rules=[rule for rule in found.rules if query.fits(rule)],
        categories=list(dict.fromkeys(rule.category for rule in found.rules)),
        put_aside={state.rule: state for state in found.states},
        lists=_lists_of(found.version.hash),
    )


@bp.post("/confirm")
def confirm() -> Response:
    """Publish the live ruleset once more: rules that were put aside come back."""
    require(Role.ADMIN)
    said, moderator = validate(_ConfirmForm, entered()), signed_in()
    try:
        version = services().rulesets.publish(
            Draft(),
            base=said.base,
            author=moderator.actor,
            note="it is meant so: braked rules come back",
            role=moderator.role,
        )
    except REFUSALS as error:
        tell(Notice(text=refusal(error)[1], alarming=True))
    else:
        tell(Notice(text=f"All rules are back. Version {version.number} is live."))
    return _to("rule_pages.overview")


@bp.get("/quality")
def quality() -> str:
    """How each live rule does."""
    days = int(validate(_QualityQuery, request.args.to_dict()).days)
    needed = services()
    key = needed.settings.database_url, days
    counted = _remembered.get(key, lambda: report_of(needed, days))
    if counted is None:
        return rules_page("rule_quality.html", days=days, found=None)
    found = counted.value
    hit = [rule for rule in found.rules if rule.figures.hits]
    return rules_page(
        "rule_quality.html",
        found=found,
        renewing=counted.renewing,
        days=days,
        lines=[_Line.of(rule) for rule in sorted(hit, key=lambda each: -each.figures.hits)],
        most=max([1, *(max(rule.figures.hits, rule.hits_before) for rule in hit)]),
        silent=[rule for rule in found.rules if not rule.figures.hits],
        highlighted=[rule for rule in found.rules if rule.highlights],
        highlights=_HIGHLIGHTS,
        empty=not found.rules,
    )


@bp.get("/history")
def history() -> str:
    """What was live, newest first."""
    query = validate(_HistoryQuery, request.args.to_dict())
    found = services().rulesets.history(_VERSIONS_SHOWN + 1, query.before)
    shown = found[:_VERSIONS_SHOWN]
    return rules_page(
        "rule_history.html",
        versions=shown,
        newest=query.before is None,
        next=shown[-1].number if len(found) > _VERSIONS_SHOWN else None,
    )


@bp.get("/versions/<int:number>")
def version(number: int) -> str:
    """One version: what it changed, and the way back to it."""
    if not 1 <= number <= LARGEST_INTEGER:
        raise RulesetNotFound
    needed = services().rulesets
    found, source, diff = needed.version(number)
    live = needed.live().version
    return rules_page("rule_version.html", found=found, source=source, diff=diff, live=live)


@bp.post("/revert")
def revert() -> Response:
    """Make the content of an earlier version live again."""
    require(Role.SENIOR)
    said, moderator = validate(_RevertForm, entered()), signed_in()
    try:
        made = services().rulesets.revert(
            base=said.base,
            to=said.to,
            author=moderator.actor,
            note=said.note,
            role=moderator.role,
        )
    except REFUSALS as error:
        tell(Notice(text=refusal(error)[1], alarming=True))
        return _to("rule_pages.version", number=said.to)
    tell(published(made, f"The rules are as in version {said.to} again"))
    return _to("rule_pages.overview")


@bp.post("/undo")
def undo() -> Response:
    """Take back what a version changed, as long as nobody published since.

    Leads back to the page on which that was chosen.
    """
    require(Role.SENIOR)
    said, moderator, needed = validate(_UndoForm, entered()), signed_in(), services().rulesets
    change, _, _ = needed.version(said.version)
    try:
        made = needed.take_back(change, author=moderator.actor, role=moderator.role)
    except REFUSALS as error:
        tell(Notice(text=refusal(error)[1], alarming=True))
    else:
        tell(Notice(text=f"Taken back: {change.note}. Version {made.number} is live."))
    back = own_page(said.back)
    return make_response(redirect(back, 303)) if back else _to("rule_pages.history")


def _live() -> LiveRuleset | None:
    try:
        return services().rulesets.live()
    except RulesetNotFound:
        return None


@lru_cache(maxsize=8)
def _lists_of(digest: str) -> list[tuple[str, str, int]]:
    """Return name, path and number of entries of each list, by name.

    The digest names the content, so what was counted once stays right.
    """
    with services().store.read() as db:
        source = rulesets.source_of(db, digest)
    named = {use.path: use.name for use in list_uses(source.rules).values()}
    return sorted(
        (named.get(path, path), path, len(entries_of(text))) for path, text in source.lists.items()
    )


def _to(endpoint: str, **values: Any) -> Response:
    return make_response(redirect(url_for(endpoint, **values), 303))
