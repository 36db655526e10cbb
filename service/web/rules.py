"""The rules API: what is live, what was, how it does, and how it is tried and published.

Every moderator may read; seniors check, try, test, and publish lists and shadow
rules; admins publish everything.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response, request
from pydantic import AfterValidator, BaseModel, Field, model_validator
from redis.exceptions import RedisError

from service.domain.decision import Role
from service.domain.errors import RulesetNotFound
from service.domain.ruleset import RuleOutline, RulesetVersion, RuleState
from service.probes import work_counts
from service.rule_quality import QualityReport, RuleQuality, mean_seconds, quality_report
from service.rulesets import Draft
from service.statistics import Interval
from service.storage.trials import Trial, TrialKind
from service.web.answers import answer, read_query
from service.web.context import Services, services
from service.web.login import guard, require, signed_in
from service.web.openapi import documented
from service.web.schemas import Strict, invalid, read_json, without_surrogates
from service.web.texts import Note
from service.web.verdicts import VerdictOut

bp = Blueprint("rules", __name__)
bp.before_request(guard)

#: What both databases hold in an integer.
LARGEST_INTEGER = 2**31 - 1
_MOST_ROWS = 1_000
_MOST_SEEN = 1_000_000


def _readable(text: str) -> str:
    if "\0" in without_surrogates(text):
        raise invalid("contains control characters")
    return text


Number = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
Text = Annotated[str, AfterValidator(_readable)]
Path = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._/-]{0,99}$")]
Count = Annotated[int, Field(ge=0, le=_MOST_SEEN)]
Word = Annotated[Text, Field(max_length=100)]


# --- what is answered ----------------------------------------------------------


class VersionOut(BaseModel):
    """What was made live, when, by whom and why."""

    number: int
    hash: str = Field(description="What verdicts call this content by")
    parent: str | None = Field(description="The content that was live before")
    author: str = Field(description="moderator:LOGIN, cli, or anteroom for what ships")
    note: str
    published_at: datetime
    changed: list[str] = Field(description="Rules that are not as they were before")


class RuleOut(BaseModel):
    """A rule in brief."""

    id: str
    category: str
    points: int
    mode: str = Field(description="live, shadow or off")
    why: str


class StateOut(BaseModel):
    """A rule that runs in the shadow although its mode is live."""

    rule: str
    state: str = Field(description="braked: held too much by itself; off: could not run")
    why: str
    since: datetime


class LiveOut(BaseModel):
    """What comments are judged by now."""

    version: VersionOut
    rules: list[RuleOut]
    states: list[StateOut]


class HistoryPage(BaseModel):
    """Versions of the ruleset, newest first."""

    versions: list[VersionOut]
    next: int | None = Field(description="Pass it as `before` for older ones; null: last page")


class VersionDetail(VersionOut):
    """A version with its whole content."""

    rules: str = Field(description="The rule file")
    lists: dict[str, str] = Field(description="Path -> text")
    diff: str = Field(description="Unified difference to the version before")


class ProblemOut(BaseModel):
    """One thing wrong with a ruleset."""

    file: str
    line: int
    column: int
    message: str
    severity: str = Field(description="error or warning")


class ExaminedOut(BaseModel):
    """What was found in a ruleset; nothing was changed."""

    runs: bool = Field(description="Whether it could be published")
    hash: str
    problems: list[ProblemOut]
    rules: list[RuleOut]
    changed: list[str] = Field(description="Rules that are not as in the version it is made from")


class IntervalOut(BaseModel):
    """A share with its 95 % interval (Wilson); null where nothing was counted."""

    share: float | None
    low: float
    high: float


class RuleQualityOut(BaseModel):
    """How a rule did in the period."""

    rule: RuleOut
    hits: int
    hits_before: int = Field(description="Hits in the period of the same length before")
    share: float = Field(description="Of all comments, those it hit")
    shadow: int = Field(description="Hits that decided nothing")
    decisive: int = Field(description="Hits without which the comment had been approved")
    judged: int = Field(description="Of its hits, those that people decided on")
    rejected: int = Field(description="Of those, rejected, and not for another reason")
    precision: IntervalOut
    decisive_judged: int
    decisive_rejected: int
    decisive_precision: IntervalOut
    overturned: int = Field(description="Held by it alone, and approved by people")
    wrong: int = Field(description="Hits on which people called the rule wrong")
    overlap: float | None = Field(description="Share of its hits that other rules hit too")
    mean_ms: float | None
    look_seconds: float | None = Field(
        description="Median time that people took over what it alone held"
    )
    last_hit_at: datetime | None = Field(description="Within the last 60 days")
    changed_at: datetime | None
    changed_by: str
    state: StateOut | None
    highlights: list[str] = Field(description="ready, look, asleep, redundant, slow")


class QualityOut(BaseModel):
    """How the rules of the live ruleset do."""

    since: datetime
    until: datetime
    comments: int
    rules: list[RuleQualityOut]


class TrialOut(BaseModel):
    """A ruleset tried on many comments in the background."""

    id: str
    kind: str
    ruleset: str
    asked_by: str
    asked_at: datetime
    state: str = Field(description="waiting, running, done or failed")
    done: int
    total: int
    finished_at: datetime | None


class TrialDetail(TrialOut):
    """A trial with what came of it."""

    result: dict[str, Any] | None = Field(description="Null until it ended")


class TrialsOut(BaseModel):
    """The newest trials."""

    trials: list[TrialOut]


# --- what is asked -------------------------------------------------------------


class DraftIn(Strict):
    """Changes to a version of the ruleset; what is left out stays as it is there."""

    base: Number | None = Field(None, description="The version it is made from; null: the live one")
    rules: Text | None = Field(None, description="The whole rule file")
    lists: dict[Path, Text | None] = Field(
        default_factory=dict, max_length=200, description="Path -> whole text; null: without it"
    )

    @property
    def draft(self) -> Draft:
        """The changes."""
        return Draft(self.rules, self.lists)


class PublishIn(DraftIn):
    """A ruleset to make live; refused if `base` is not live any more."""

    base: Number = Field(description="The version it is made from")
    note: Annotated[Note, Field(min_length=1)]


class RevertIn(Strict):
    """A version to go back to."""

    base: Number = Field(description="The version that is live")
    to: Number | None = Field(None, description="Null: what was live before it")
    note: Annotated[Note, Field(min_length=1)]


class MadeUpAuthorIn(Strict):
    """What is known of a made-up author; approved and rejected are proven."""

    approved: Count = 0
    rejected: Count = 0
    claimed_approved: Count = 0
    claimed_rejected: Count = 0
    seen: Count = 0
    proven: bool = False


class TryIn(DraftIn):
    """A made-up comment, and the ruleset to try on it."""

    text: Annotated[Text, Field(max_length=65_525)]
    name: Annotated[Text, Field(max_length=245)] = ""
    email: Annotated[Text, Field(max_length=254)] = ""
    url: Annotated[Text, Field(max_length=2_048)] = ""
    ip: Word | None = None
    site: Word = ""
    reply: bool = False
    honeypot: bool = False
    deliverable: bool | None = None
    moderation: Literal["rules", "all"] = "rules"
    form_seconds: Annotated[float, Field(ge=0, le=1e9)] | None = None
    author: MadeUpAuthorIn = MadeUpAuthorIn()
    count: dict[Word, Count | None] = Field(
        default_factory=dict, max_length=50, description="Such as text.1h -> 4"
    )
    score: dict[Word, Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=dict, max_length=50, description="Model -> what it says"
    )

    @property
    def case(self) -> dict[str, Any]:
        """The comment as workers take it."""
        plain = ("text", "name", "email", "url", "ip", "site", "reply", "honeypot", "deliverable")
        history = self.author.model_dump(exclude={"proven"})
        return {
            **{name: getattr(self, name) for name in plain},
            "form_seconds": self.form_seconds,
            "reviews_everything": self.moderation == "all",
            "history": history,
            "proven": self.author.proven or bool(history["approved"] or history["rejected"]),
            "counts": self.count,
            "scores": self.score,
        }


class RowIn(Strict):
    """A labelled comment."""

    text: Annotated[Text, Field(max_length=65_525)]
    hold: bool = Field(description="Whether it should be held")
    group: Word = Field("", description="Its family or source")
    name: Annotated[Text, Field(max_length=245)] = "Robin Miller"
    email: Annotated[Text, Field(max_length=254)] = "robin.miller@mail.example"
    url: Annotated[Text, Field(max_length=2_048)] = ""


class TrialIn(DraftIn):
    """A ruleset to try: on stored comments (backtest), or on labelled ones (corpus)."""

    kind: Annotated[TrialKind, Field(strict=False)]
    days: Annotated[int, Field(ge=1, le=366)] | None = Field(
        None, description="Backtest: comments of so many days, 30 if not told"
    )
    rows: list[RowIn] | None = Field(
        None, min_length=1, max_length=_MOST_ROWS, description="Corpus: the labelled comments"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "TrialIn":
        if (self.kind is TrialKind.CORPUS) != (self.rows is not None):
            raise invalid("rows belong to a corpus, and a corpus needs them")
        if self.kind is TrialKind.CORPUS and self.days is not None:
            raise invalid("days belong to a backtest")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the worker needs besides the ruleset."""
        if self.rows is not None:
            return {"rows": [row.model_dump() for row in self.rows]}
        return {"days": self.days or 30}


class HistoryQuery(BaseModel):
    """Which versions are wanted."""

    limit: int = Field(50, ge=1, le=200, description="Versions a page")
    before: Number | None = Field(None, description="`next` of the page before")


class QualityQuery(BaseModel):
    """Which period is wanted."""

    days: int = Field(30, ge=1, le=366, description="The last so many days")


# --- reading -------------------------------------------------------------------


@bp.get("/v1/rules")
@documented(
    "See the live ruleset",
    responses={200: LiveOut},
    problems=(404,),
    security="moderator",
    tags=["Rules"],
)
def live() -> Response:
    """The live version, its rules in brief, and those that were put into the shadow."""
    found = services().rulesets.live()
    return answer(
        LiveOut(
            version=_version_out(found.version),
            rules=[_rule_out(rule) for rule in found.rules],
            states=[_state_out(state) for state in found.states],
        )
    )


@bp.get("/v1/rules/versions")
@documented(
    "See the history of the rules",
    query=HistoryQuery,
    responses={200: HistoryPage},
    security="moderator",
    tags=["Rules"],
)
def history() -> Response:
    """What was live, newest first."""
    query = read_query(HistoryQuery)
    found = services().rulesets.history(query.limit + 1, query.before)
    page = [_version_out(version) for version in found[: query.limit]]
    more = len(found) > query.limit
    return answer(HistoryPage(versions=page, next=page[-1].number if more else None))


@bp.get("/v1/rules/versions/<int:number>")
@documented(
    "See one version of the rules",
    responses={200: VersionDetail},
    security="moderator",
    tags=["Rules"],
)
def version(number: int) -> Response:
    """One version with its rule file, its lists, and what it changed."""
    if not 1 <= number <= LARGEST_INTEGER:
        raise RulesetNotFound
    found, source, diff = services().rulesets.version(number)
    return answer(
        VersionDetail(
            **_version_out(found).model_dump(),
            rules=source.rules,
            lists=dict(source.lists),
            diff=diff,
        )
    )


@bp.get("/v1/rules/quality")
@documented(
    "See how the rules do",
    query=QualityQuery,
    responses={200: QualityOut},
    security="moderator",
    tags=["Rules"],
)
def quality() -> Response:
    """For each live rule: hits, and how people decided on the comments that it hit."""
    query = read_query(QualityQuery)
    found = report_of(services(), query.days)
    return answer(
        QualityOut(
            since=found.since,
            until=found.until,
            comments=found.comments,
            rules=[_quality_out(rule) for rule in found.rules],
        )
    )


# --- trying --------------------------------------------------------------------


@bp.post("/v1/rules/check")
@documented(
    "Check a ruleset",
    request=DraftIn,
    responses={200: ExaminedOut},
    problems=(404,),
    security="moderator",
    tags=["Rules"],
)
def check() -> Response:
    """Every mistake of a ruleset at once, each with its place; its own tests are run."""
    require(Role.SENIOR)
    wanted = read_json(request, DraftIn)
    found = services().rulesets.examine(wanted.draft, wanted.base)
    return answer(
        ExaminedOut(
            runs=found.rules is not None,
            hash=found.source.hash,
            problems=[ProblemOut(**asdict(problem)) for problem in found.problems],
            rules=[_rule_out(rule) for rule in found.rules or ()],
            changed=list(found.changed),
        )
    )


@bp.post("/v1/rules/try")
@documented(
    "Try a ruleset on a text",
    request=TryIn,
    responses={200: VerdictOut},
    problems=(404,),
    security="moderator",
    tags=["Rules"],
)
def try_out() -> Response:
    """The verdict on a made-up comment, with its whole evidence; nothing is kept."""
    require(Role.SENIOR)
    wanted = read_json(request, TryIn)
    verdict = services().rulesets.try_out(wanted.case, wanted.draft, wanted.base)
    return answer(VerdictOut.model_validate(verdict))


@bp.post("/v1/rules/trials")
@documented(
    "Try a ruleset on many comments",
    request=TrialIn,
    responses={202: TrialOut},
    problems=(404,),
    security="moderator",
    tags=["Rules"],
)
def start_trial() -> Response:
    """Start a trial in the background; look at it by its id until its state is done."""
    require(Role.SENIOR)
    wanted = read_json(request, TrialIn)
    found = services().rulesets.start_trial(
        wanted.kind, wanted.draft, wanted.options, author=signed_in().actor, base=wanted.base
    )
    return answer(_trial_out(found), 202)


@bp.get("/v1/rules/trials")
@documented(
    "See the newest trials",
    responses={200: TrialsOut},
    security="moderator",
    tags=["Rules"],
)
def list_trials() -> Response:
    """The trials that were asked for last, without their results."""
    found = services().rulesets.trials(limit=50)
    return answer(TrialsOut(trials=[_trial_out(trial) for trial in found]))


@bp.get("/v1/rules/trials/<uuid:trial_id>")
@documented(
    "See one trial",
    responses={200: TrialDetail},
    security="moderator",
    tags=["Rules"],
)
def trial(trial_id: UUID) -> Response:
    """How far a trial is, and what came of it."""
    found = services().rulesets.trial(str(trial_id))
    result = dict(found.result) if found.result is not None else None
    return answer(TrialDetail(**_trial_out(found).model_dump(), result=result))


# --- publishing ----------------------------------------------------------------


@bp.post("/v1/rules/publish")
@documented(
    "Publish a ruleset",
    request=PublishIn,
    responses={201: VersionOut},
    problems=(404, 409),
    security="moderator",
    tags=["Rules"],
)
def publish() -> Response:
    """Make a ruleset live; workers judge the next comments by it.

    With nothing changed it confirms the live one: rules that were braked come
    back, and are not braked again for what they did so far.
    """
    require(Role.SENIOR)
    wanted, moderator = read_json(request, PublishIn), signed_in()
    found = services().rulesets.publish(
        wanted.draft,
        base=wanted.base,
        author=moderator.actor,
        note=wanted.note,
        role=moderator.role,
    )
    return answer(_version_out(found), 201)


@bp.post("/v1/rules/revert")
@documented(
    "Go back to an earlier ruleset",
    request=RevertIn,
    responses={201: VersionOut},
    problems=(404, 409),
    security="moderator",
    tags=["Rules"],
)
def revert() -> Response:
    """Publish the content of an earlier version anew; of the one before, unless named."""
    require(Role.SENIOR)
    wanted, moderator = read_json(request, RevertIn), signed_in()
    found = services().rulesets.revert(
        base=wanted.base,
        to=wanted.to,
        author=moderator.actor,
        note=wanted.note,
        role=moderator.role,
    )
    return answer(_version_out(found), 201)


def report_of(needed: Services, days: int) -> QualityReport:
    """Return how the live rules did in the last `days` days."""
    until = needed.clock()
    try:
        seconds = mean_seconds(work_counts(needed.jobs.connection))
    except RedisError:
        seconds = {}
    with needed.store.read() as db:
        return quality_report(db, until - timedelta(days=days), until, seconds)


def _version_out(version: RulesetVersion) -> VersionOut:
    return VersionOut(**asdict(version) | {"changed": list(version.changed)})


def _rule_out(rule: RuleOutline) -> RuleOut:
    return RuleOut(
        id=rule.id, category=rule.category, points=rule.points, mode=rule.mode, why=rule.why
    )


def _state_out(state: RuleState) -> StateOut:
    return StateOut(**asdict(state))


def _trial_out(trial: Trial) -> TrialOut:
    return TrialOut(
        id=trial.id,
        kind=trial.kind,
        ruleset=trial.ruleset,
        asked_by=trial.asked_by,
        asked_at=trial.asked_at,
        state=trial.state,
        done=trial.done,
        total=trial.total,
        finished_at=trial.finished_at,
    )


def _quality_out(found: RuleQuality) -> RuleQualityOut:
    did = found.figures
    return RuleQualityOut(
        rule=_rule_out(found.rule),
        hits=did.hits,
        hits_before=found.hits_before,
        share=found.share,
        shadow=did.shadow,
        decisive=did.decisive,
        judged=did.all.judged,
        rejected=did.all.rejected,
        precision=_interval_out(did.all.precision),
        decisive_judged=did.when_decisive.judged,
        decisive_rejected=did.when_decisive.rejected,
        decisive_precision=_interval_out(did.when_decisive.precision),
        overturned=did.overturned,
        wrong=did.wrong,
        overlap=did.overlap / did.hits if did.hits else None,
        mean_ms=found.mean_ms,
        look_seconds=found.look_seconds,
        last_hit_at=found.last_hit_at,
        changed_at=found.changed_at,
        changed_by=found.changed_by,
        state=_state_out(found.state) if found.state else None,
        highlights=list(found.highlights),
    )


def _interval_out(interval: Interval) -> IntervalOut:
    return IntervalOut(share=interval.share, low=interval.low, high=interval.high)
