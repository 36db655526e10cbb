"""The learners of sites in the console: how well each does, and whether rules hear it."""

from dataclasses import dataclass
from typing import Literal

from flask import Blueprint, Response, make_response, redirect, url_for
from markupsafe import Markup
from pydantic import BaseModel

from service.domain.decision import Role
from service.domain.errors import LearnerNotProven
from service.domain.learner import ENOUGH_BY_ONE, ENOUGH_JUDGED
from service.learners import LearnerOfSite
from service.web.charts import Bar, bars
from service.web.chrome import Notice, entered, tell
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.pages import html_errors
from service.web.ruling import rules_page
from service.web.schemas import validate

bp = Blueprint("rule_learners", __name__, url_prefix="/review/rules/learners")
bp.before_request(guard)
html_errors(bp)


class _SwitchForm(BaseModel):
    to: Literal["on", "off", "by_itself", "by_hand"]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A learner with what is drawn of it."""

    found: LearnerOfSite
    picture: Markup | None

    @classmethod
    def of(cls, found: LearnerOfSite) -> "_Shown":
        """Return a learner with its chart, none before it was compared with anything."""
        figures = found.learner.figures
        columns = [
            Bar(
                f"part {number}",
                [("held", part.kept), ("approved", part.spared), ("rejected", part.missed)],
            )
            for number, part in enumerate(figures.course, 1)
        ]
        return cls(found, bars(figures.sentence, columns) if columns else None)


@bp.get("")
def overview() -> str:
    """The learner of every site."""
    require(Role.SENIOR)
    return rules_page(
        "rule_learners.html",
        learners=[_Shown.of(found) for found in services().learners.all_of(signed_in())],
        enough=ENOUGH_JUDGED,
        enough_by_one=ENOUGH_BY_ONE,
    )


@bp.post("/<slug:site>/switch")
def switch(site: str) -> Response:
    """Let rules hear a learner or not, and say whether it may do that by itself."""
    require(Role.ADMIN)
    to, learners = validate(_SwitchForm, entered()).to, services().learners
    if to in ("by_itself", "by_hand"):
        learners.let_by_itself(site, by_itself=to == "by_itself", moderator=signed_in())
        can = "switches itself on once proven" if to == "by_itself" else "waits to be switched on"
        return _back(Notice(text=f"The learner of {site} {can}."))
    try:
        learners.switch(site, on=to == "on", moderator=signed_in())
    except LearnerNotProven as error:
        return _back(Notice(text=f"Not switched on: {error}", alarming=True))
    return _back(Notice(text=f"The learner of {site} is {to}."))


@bp.post("/<slug:site>/reset")
def reset(site: str) -> Response:
    """Let a learner forget everything."""
    require(Role.ADMIN)
    services().learners.reset(site, moderator=signed_in())
    return _back(Notice(text=f"The learner of {site} knows nothing any more."))


def _back(notice: Notice) -> Response:
    tell(notice)
    return make_response(redirect(url_for("rule_learners.overview"), 303))
