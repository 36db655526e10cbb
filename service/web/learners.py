"""The learners API: how well the learner of each site does, and whether rules hear it."""

from datetime import datetime
from typing import Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, Field

from service.domain.decision import Role
from service.domain.learner import SiteLearner
from service.web.answers import answer
from service.web.context import services
from service.web.login import guard, require, signed_in
from service.web.openapi import documented
from service.web.schemas import Strict, read_json

bp = Blueprint("learners", __name__)
bp.before_request(guard)


class LearnerOut(BaseModel):
    """The learner of a site; each decision counts as it stood before it learned from that."""

    site: str
    state: str = Field(description="learning, shadow, proven or on; without effect unless on")
    version: int = Field(description="0: it has learned nothing yet")
    hash: str
    by_itself: bool = Field(description="Whether it switches itself on once proven")
    switched_by: str
    switched_at: datetime | None
    learned_at: datetime | None
    decisions: int = Field(description="What it learned from")
    people: int
    judged: int = Field(description="Later decisions that it was compared with")
    wrong_holds: int = Field(description="Held by rules, approved by people")
    spared: int = Field(description="Of those, what it would have let through")
    right_holds: int = Field(description="Held by rules, rejected by people")
    missed: int = Field(description="Of those, what it would have let through")
    slipped: int = Field(description="Approved by rules, rejected by people")
    caught: int = Field(description="Of those, what it would have held")
    delayed: int = Field(description="What it would have held for nothing")
    sentence: str
    obstacle: str = Field(description="What keeps it from being proven; empty if nothing does")


class LearnersOut(BaseModel):
    """The learners of the sites that whoever asks reviews."""

    learners: list[LearnerOut]


class LearnerIn(Strict):
    """What becomes of a learner."""

    to: Literal["on", "off", "by_itself", "by_hand", "reset"]


@bp.get("/v1/learners")
@documented(
    "See the learners of sites",
    responses={200: LearnersOut},
    security="moderator",
    tags=["Rules"],
)
def overview() -> Response:
    """How far the learner of each site is, and what it would have done with later decisions."""
    require(Role.SENIOR)
    found = services().learners.all_of(signed_in())
    return answer(LearnersOut(learners=[_out(each.site.slug, each.learner) for each in found]))


@bp.post("/v1/learners/<slug:site>")
@documented(
    "Switch the learner of a site, or reset it",
    request=LearnerIn,
    responses={200: LearnerOut},
    problems=(404, 409),
    security="moderator",
    tags=["Rules"],
)
def change(site: str) -> Response:
    """On only if it is proven; `by_itself` lets it switch itself on then; `reset` forgets all."""
    require(Role.ADMIN)
    to, learners = read_json(request, LearnerIn).to, services().learners
    if to == "reset":
        return answer(_out(site, learners.reset(site, moderator=signed_in())))
    if to in ("by_itself", "by_hand"):
        by_itself = to == "by_itself"
        found = learners.let_by_itself(site, by_itself=by_itself, moderator=signed_in())
        return answer(_out(site, found))
    return answer(_out(site, learners.switch(site, on=to == "on", moderator=signed_in())))


def _out(slug: str, learner: SiteLearner) -> LearnerOut:
    did = learner.figures
    return LearnerOut(
        site=slug,
        state=learner.state,
        version=learner.version,
        hash=learner.hash,
        by_itself=learner.by_itself,
        switched_by=learner.switched_by,
        switched_at=learner.switched_at,
        learned_at=learner.learned_at,
        decisions=did.decisions,
        people=did.people,
        judged=did.judged,
        wrong_holds=did.wrong_holds,
        spared=did.spared,
        right_holds=did.right_holds,
        missed=did.missed,
        slipped=did.slipped,
        caught=did.caught,
        delayed=did.delayed,
        sentence=did.sentence,
        obstacle=did.obstacle,
    )
