"""Site learners: what a site's own decisions taught, how well it does, and when it may speak."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from service.domain.comment import SiteId

#: A learner is compared with what people decide once it learned from so many decisions.
FIRST_LESSONS = 20
#: Later decisions that it must have been compared with; more where one person alone decides.
ENOUGH_JUDGED, ENOUGH_BY_ONE = 100, 200
#: So many of them make somebody one of those who judged it.
ENOUGH_BY_EACH = 20
#: Rightly held ones that must be among them: without any, nothing could be missed.
FEWEST_RIGHT = 20
#: What it would have changed for the better, at the least.
FEWEST_GAINS = 5
#: The share of rightly held comments that it may miss: to prove itself, and to stay on.
MISSED_TO_PROVE, MISSED_TO_STAY = 0.01, 0.02


class LearnerState(StrEnum):
    """How far a learner is.

    `learning`: too few decisions to compare it with. `shadow`: compared, without effect.
    `proven`: good enough to be switched on. `on`: rules read its scores.
    """

    LEARNING = "learning"
    SHADOW = "shadow"
    PROVEN = "proven"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Slice:
    """Some decisions in a row: wrong holds that stay, wrong holds spared, right holds missed."""

    kept: int
    spared: int
    missed: int


@dataclass(frozen=True, slots=True)
class LearnerFigures:
    """What a learner learned from, and what it would have done with later decisions.

    Each decision counts as the learner stood before it learned from that. `judged` are
    the decisions it was compared with, `judges` those who made enough of them. Of
    `wrong_holds`, held by the rules and approved by people, it would have `spared` some;
    of `right_holds` it would have `missed` some. Of what `slipped` through and people
    rejected it would have `caught` some, and `delayed` some that people let stand.
    """

    decisions: int = 0
    people: int = 0
    judged: int = 0
    judges: int = 0
    wrong_holds: int = 0
    spared: int = 0
    right_holds: int = 0
    missed: int = 0
    slipped: int = 0
    caught: int = 0
    delayed: int = 0
    course: tuple[Slice, ...] = ()

    @property
    def gains(self) -> int:
        """What it would have changed for the better."""
        return self.spared + self.caught

    @property
    def losses(self) -> int:
        """What it would have changed for the worse."""
        return self.missed + self.delayed

    @property
    def sentence(self) -> str:
        """What it would have done, in one sentence."""
        return (
            f"Would have spared {self.spared} of {self.wrong_holds} wrong holds;"
            f" would have missed {self.missed} of {self.right_holds} right ones."
        )

    @property
    def obstacle(self) -> str:
        """What keeps it from being proven, in plain words; empty if nothing does."""
        enough = ENOUGH_JUDGED if self.judges > 1 else ENOUGH_BY_ONE
        if self.judged < enough:
            alone = "" if self.judges > 1 else ", as long as one person decides"
            return f"It was compared with {self.judged} of {enough} later decisions{alone}."
        if self._misses_over(MISSED_TO_PROVE):
            return "It would have missed more than 1 % of what was rightly held."
        if self.right_holds < FEWEST_RIGHT:
            return f"Only {self.right_holds} of {FEWEST_RIGHT} of those were rightly held."
        if self.gains < FEWEST_GAINS:
            return "It would have changed too little for the better."
        if self.gains <= 2 * self.losses:
            return "It would not have helped twice as often as it erred."
        return ""

    @property
    def decline(self) -> str:
        """Why it must not stay on, in plain words; empty if it may."""
        if self._misses_over(MISSED_TO_STAY):
            return "It missed more than 2 % of what was rightly held"
        if self.losses and self.gains <= self.losses:
            return "It errs as often as it helps"
        return ""

    @property
    def state(self) -> LearnerState:
        """How far it is by these figures, not switched on."""
        if self.judged == 0:
            return LearnerState.LEARNING
        return LearnerState.SHADOW if self.obstacle else LearnerState.PROVEN

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON-ready values."""
        return asdict(self) | {"course": [asdict(each) for each in self.course]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "LearnerFigures":
        """Return the figures that `as_dict` was called on."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**known | {"course": tuple(Slice(**each) for each in values.get("course", ()))})

    def _misses_over(self, share: float) -> bool:
        return self.missed > share * self.right_holds


@dataclass(frozen=True, slots=True)
class SiteLearner:
    """The learner of one site as it stands.

    `version` and `hash` name what it learned last, 0 and "" before the first time.
    `by_itself` lets it switch itself on once it is proven. `switched_by` is whoever
    changed its state last.
    """

    site_id: SiteId
    state: LearnerState = LearnerState.LEARNING
    version: int = 0
    hash: str = ""
    figures: LearnerFigures = LearnerFigures()
    by_itself: bool = False
    switched_by: str = ""
    switched_at: datetime | None = None
    learned_at: datetime | None = None
