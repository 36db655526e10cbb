"""Trials in the console: what a change of the rules would have done with stored comments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, url_for
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field

from service.domain.comment import CommentId
from service.domain.decision import Role
from service.domain.errors import CommentNotFound, ModerationError, RulesetNotFound
from service.domain.ruleset import RulesetSource
from service.rule_file import list_uses
from service.rulesets import Draft, ListChange, list_name
from service.storage.reviewing import QueueRow, rows_by_id
from service.storage.trials import Trial, TrialKind, TrialState
from service.web.answers import read_query
from service.web.charts import Bar, strips
from service.web.chrome import Notice, entered, tell
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors
from service.web.rule_lists import Entries, use_of
from service.web.ruling import REFUSALS, problems_of, published, refusal, rules_page
from service.web.schemas import OneLine, validate
from service.web.texts import Note

bp = Blueprint("rule_trials", __name__, url_prefix="/review/rules/trials")
bp.before_request(guard)
html_errors(bp)

_SHOWN = 50
#: How far back one may look.
_PERIODS = (7, 30, 90)

_DOMAIN = re.compile(r"[^\s/.]+(\.[^\s/.]+)+")

#: How many days of comments a trial looks at.
Days = Annotated[int, Field(ge=1, le=366)]


class _Query(BaseModel):
    """A change of a list to begin with, maybe on behalf of a comment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    list: Annotated[OneLine, Field(max_length=100)] = ""
    entry: Annotated[OneLine, Field(max_length=200)] = ""
    comment: UUID | None = None


class _StartForm(BaseModel):
    list: Annotated[OneLine, Field(min_length=1, max_length=100)]
    add: Annotated[Entries, Field(min_length=1)]
    days: Days = 30
    comment: UUID | None = None


class _PublishForm(BaseModel):
    note: Note = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the console noted along with a trial; all of it is absent where the API asked.

    `base` is the version that the ruleset was made from, `change` what it
    changes if that is entries of one list, `comment` where one came from.
    """

    days: int
    base: int | None
    note: str
    change: ListChange | None
    comment: str | None

    @classmethod
    def of(cls, trial: Trial) -> "Asked":
        """Return what was noted with a trial."""
        options = trial.options
        change = options.get("change")
        return cls(
            days=options.get("days", 0),
            base=options.get("base"),
            note=options.get("note", ""),
            change=ListChange(change["path"], tuple(change["added"])) if change else None,
            comment=options.get("comment"),
        )

    @property
    def words(self) -> str:
        """What was tried, in words."""
        if self.change:
            return self.change.note
        return self.note or (f"a draft of version {self.base}" if self.base else "a ruleset")


@bp.get("")
def trials() -> str:
    """The newest trials, and a form to begin one."""
    query = read_query(_Query)
    return _shown_all(query)


@bp.post("")
def begin() -> Response:
    """Try what entries on a list would have done."""
    require(Role.SENIOR)
    said = validate(_StartForm, entered())
    version, source = services().rulesets.live_source()
    change = ListChange(use_of(source, said.list).path, tuple(said.add.split("\n")))
    draft = change.applied_to(source)
    if draft is None:
        tell(Notice(text="The list has that already.", alarming=True))
        return make_response(redirect(url_for("rule_lists.one", name=said.list, q=said.add), 303))
    try:
        trial = start(
            draft, days=said.days, base=version.number, change=change, comment=said.comment
        )
    except REFUSALS as error:
        return _refused(said, error)
    return _to(trial.id)


@bp.get("/<uuid:trial_id>")
def one(trial_id: UUID) -> str:
    """How far a trial is, and what came of it."""
    trial = services().rulesets.trial(str(trial_id))
    return rules_page(
        "rule_trial.html",
        trial=trial,
        asked=Asked.of(trial),
        runs=trial.state in (TrialState.WAITING, TrialState.RUNNING),
        **_outcome(trial),
    )


@bp.post("/<uuid:trial_id>/publish")
def publish(trial_id: UUID) -> Response:
    """Make live what was tried; entries of a list go onto whatever is live by now."""
    require(Role.SENIOR)
    said, moderator, rulesets = validate(_PublishForm, entered()), signed_in(), services().rulesets
    trial = rulesets.trial(str(trial_id))
    asked = Asked.of(trial)
    given: dict[str, Any] = {"author": moderator.actor, "role": moderator.role}
    try:
        if asked.change:
            version = rulesets.change_list(asked.change, **given)
        elif asked.base is None:
            raise RulesetNotFound("it is not known what it was made from")
        elif not (said.note or asked.note):
            tell(Notice(text="Please say in a note what is changed, and why.", alarming=True))
            return _to(trial.id)
        else:
            note = said.note or asked.note
            version = rulesets.publish_tried(trial, base=asked.base, note=note, **given)
    except REFUSALS as error:
        tell(Notice(text=refusal(error)[1], alarming=True))
        return _to(trial.id)
    if version is None:
        tell(Notice(text="The list has that already.", alarming=True))
        return _to(trial.id)
    tell(published(version, f"Published: {version.note}"))
    if asked.comment:
        return make_response(redirect(url_for("console.comment", comment_id=asked.comment), 303))
    return make_response(redirect(url_for("rule_pages.overview"), 303))


def start(
    draft: Draft,
    *,
    days: int,
    base: int,
    note: str = "",
    change: ListChange | None = None,
    comment: UUID | None = None,
) -> Trial:
    """Have a draft tried on the comments of the last days; raise what `start_trial` does."""
    options: dict[str, Any] = {"days": days, "base": base, "note": note}
    if change:
        options["change"] = {"path": change.path, "added": list(change.added)}
    if comment:
        options["comment"] = str(comment)
    return services().rulesets.start_trial(
        TrialKind.BACKTEST, draft, options, author=signed_in().actor, base=base
    )


def _outcome(trial: Trial) -> dict[str, Any]:
    """Return what the page shows of a trial that ended."""
    result = trial.result or {}
    if trial.state is not TrialState.DONE or trial.kind is not TrialKind.BACKTEST:
        return {"result": result}
    with services().store.read() as db:
        rows = {
            way: rows_by_id(db, _ids(result[f"newly_{way}_examples"]), signed_in().sites)
            for way in ("held", "approved")
        }
    return {
        "result": result,
        "moved": {way: _Moved.of(result, way, rows[way]) for way in rows},
        "picture": _picture(result),
        "rules": _rules(result["rules"]),
    }


@dataclass(frozen=True, slots=True)
class _Moved:
    """Comments that only one of the two rulesets holds, and what people said of them."""

    count: int
    approved: int
    rejected: int
    rows: list[QueueRow]

    @classmethod
    def of(cls, result: Mapping[str, Any], way: str, rows: list[QueueRow]) -> "_Moved":
        """Return those that the ruleset on trial newly holds, or newly approves."""
        decided = result.get(f"newly_{way}_decided", {"approved": 0, "rejected": 0})
        return cls(result[f"newly_{way}"], decided["approved"], decided["rejected"], rows)

    @property
    def undecided(self) -> int:
        """How many nobody decided on."""
        return self.count - self.approved - self.rejected


def _picture(result: Mapping[str, Any]) -> Markup:
    same = result["held"] - result["newly_held"]
    moved = {way: _Moved.of(result, way, []) for way in ("held", "approved")}
    return strips(
        f"Of {result['replayed']:,} comments the live rules hold {result['held_live']:,},"
        f" and these {result['held']:,}",
        [
            Bar("held by both", [("held", same)]),
            *(
                Bar(
                    f"newly {way}",
                    [
                        ("approved", each.approved),
                        ("rejected", each.rejected),
                        ("undecided", each.undecided),
                    ],
                )
                for way, each in moved.items()
            ),
        ],
    )


def _rules(rules: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the rules that hit anything, those first that newly hold the most."""
    hit = [(rule, did) for rule, did in rules.items() if did["hits"]]
    return sorted(hit, key=lambda each: (-each[1]["newly_held"], -each[1]["hits"], each[0]))


def _refused(said: _StartForm, error: ModerationError) -> Response:
    status, words = refusal(error)
    query = _Query(list=said.list, comment=said.comment)
    more = {"error": words, "problems": problems_of(error), "kept": said.add, "days": said.days}
    return make_response(_shown_all(query, **more), status)


def _shown_all(query: _Query, **more: Any) -> str:
    source, rulesets = _source(), services().rulesets
    found = rulesets.trials(_SHOWN)
    return rules_page(
        "rule_trials.html",
        query=query,
        trials=[(trial, Asked.of(trial)) for trial in found],
        choices=_choices(source, query.entry),
        periods=_PERIODS,
        excerpt=_excerpt(query.comment) if query.comment else None,
        **{"error": "", "problems": (), "kept": query.entry, "days": 30} | more,
    )


def _choices(source: RulesetSource | None, entry: str) -> dict[str, list[tuple[str, str]]]:
    """Return the lists to choose from by what their entries are: name, and how people call it.

    Those come first that the entry looks like one of.
    """
    kinds = {"words": "Words and phrases", "domains": "Domains", "networks": "Networks"}
    if _DOMAIN.fullmatch(entry):
        kinds = {"domains": kinds.pop("domains"), **kinds}
    uses = list_uses(source.rules).values() if source else ()
    return {
        words: sorted((use.name, list_name(use.name)) for use in uses if use.kind == kind)
        for kind, words in kinds.items()
    }


def _source() -> RulesetSource | None:
    try:
        return services().rulesets.live_source()[1]
    except RulesetNotFound:
        return None


def _excerpt(comment_id: UUID) -> QueueRow:
    wanted = CommentId(str(comment_id))
    with services().store.read() as db:
        rows = rows_by_id(db, [wanted], signed_in().sites)
    if not rows:
        raise CommentNotFound
    return rows[0]


def _ids(ids: list[str]) -> list[CommentId]:
    return [CommentId(comment_id) for comment_id in ids]


def _to(trial_id: str) -> Response:
    return make_response(redirect(url_for("rule_trials.one", trial_id=trial_id), 303))
