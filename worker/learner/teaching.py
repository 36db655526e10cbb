"""Teaching: takes lessons in, in order, and notes what would have been done before each.

What comes out depends on the lessons, the models and the ruleset alone: taking them in
again gives the same, and a decision taken back or a comment erased was never learned.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from service.domain.comment import Status
from service.domain.learner import (
    ENOUGH_BY_EACH,
    FIRST_LESSONS,
    LearnerFigures,
    Slice,
)
from service.domain.verdict import Verdict
from worker.context import Context
from worker.engine import replay
from worker.learner.correction import (
    HEADS,
    LEAST_PULL,
    MOST_PEOPLE,
    Correction,
    log_odds,
    sight_of,
)
from worker.learner.lessons import Lesson
from worker.learner.scorer import WithLearners
from worker.models.score import Score, Scorer
from worker.ruleset import Ruleset
from worker.signals.comment import Signals

#: Decisions that the figures tell of, newest ones, and that a slice of the course has.
MOST_JUDGED = 1_000
SLICE = 50

log = structlog.get_logger(__name__)


class _Once:
    """Models that have looked at a comment already: judging it again asks them nothing new."""

    def __init__(self, models: Scorer, signals: Signals) -> None:
        self._models = models
        self._signals = signals
        self.facts = models.facts

    def score(self, name: str, signals: Signals) -> Score | None:
        """Return what the models said."""
        return self._models.score(name, self._signals)

    def version(self, model: str, signals: Signals) -> str | None:
        """Return which of them said it."""
        return self._models.version(model, self._signals)


@dataclass(frozen=True, slots=True)
class Compared:
    """What the rules did with a comment that a person decided on, and would have done."""

    person: str
    rejected: bool
    held: bool
    would_hold: bool


class Teaching:
    """One learner while it learns."""

    def __init__(self, models: Scorer, ruleset: Ruleset | None) -> None:
        self.correction = Correction.empty()
        self._models = models
        self._ruleset = ruleset
        self._people: dict[str, int] = {}
        self._decisions = 0
        self._judged: list[Compared] = []

    def take(self, lesson: Lesson) -> Compared | None:
        """Compare with one decision, then learn from it.

        Returns the comparison, None where there is none: too little was learned by then,
        or the comment cannot be judged again.
        """
        signals = Signals(lesson.comment, Context(at=lesson.comment.created_at))
        priors = self._priors(signals)
        compared = None
        if self._decisions >= FIRST_LESSONS:
            compared = self._compared(lesson, signals, priors)
        if compared is not None:
            self._judged.append(compared)
        if priors:
            self._learn(lesson, signals, priors)
        return compared

    @property
    def figures(self) -> LearnerFigures:
        """How well it did so far."""
        judged = self._judged[-MOST_JUDGED:]
        by_person = Counter(each.person for each in judged)
        ways = Counter((each.held, each.rejected, each.would_hold) for each in judged)
        return LearnerFigures(
            decisions=self._decisions,
            people=len(self._people),
            judged=len(judged),
            judges=sum(number >= ENOUGH_BY_EACH for number in by_person.values()),
            wrong_holds=ways[True, False, True] + ways[True, False, False],
            spared=ways[True, False, False],
            right_holds=ways[True, True, True] + ways[True, True, False],
            missed=ways[True, True, False],
            slipped=ways[False, True, False] + ways[False, True, True],
            caught=ways[False, True, True],
            delayed=ways[False, False, True],
            course=tuple(_slices(judged)),
        )

    def _learn(self, lesson: Lesson, signals: Signals, priors: dict[str, float]) -> None:
        person = self._people.setdefault(lesson.person, min(len(self._people), MOST_PEOPLE))
        for head, prior in priors.items():
            if head in lesson.targets:
                sight = sight_of(head, signals)
                self.correction.learn(head, sight, person, prior, lesson.targets[head])
        self._decisions += 1

    def _priors(self, signals: Signals) -> dict[str, float]:
        """Return what the models say, as log-odds; nothing of that which no model speaks of."""
        return {
            head: log_odds(score.value)
            for head in HEADS
            if (score := self._said(head, signals)) is not None
        }

    def _said(self, head: str, signals: Signals) -> Score | None:
        try:
            return self._models.score(head, signals)
        except Exception as error:  # one comment that a model fails on must not stop the others
            log.warning("model failed on a lesson", model=head, error=type(error).__name__)
            return None

    def _compared(
        self, lesson: Lesson, signals: Signals, priors: dict[str, float]
    ) -> Compared | None:
        """Return what would have been done with and without what was learned so far."""
        if lesson.held is None:
            return None
        pulls = (self.correction.pull(head, sight_of(head, signals)) for head in priors)
        if all(abs(pull) < LEAST_PULL for pull in pulls):
            return Compared(lesson.person, lesson.rejected, lesson.held, lesson.held)
        models = _Once(self._models, signals)
        site = {lesson.comment.site_id: ("", self.correction)}
        without = self._held(lesson, models)
        beside = self._held(lesson, _Once(WithLearners(self._models, site), signals))
        if without is None or beside is None:
            return None
        return Compared(lesson.person, lesson.rejected, without, beside)

    def _held(self, lesson: Lesson, models: Scorer) -> bool | None:
        """Return whether the live rules hold it; None if that cannot be told any more."""
        if self._ruleset is None:
            return None
        verdict = replay(lesson.comment, self._ruleset, lesson.kept, lesson.absent, models)
        return verdict.status is Status.HELD if isinstance(verdict, Verdict) else None


def taught(lessons: Iterable[Lesson], models: Scorer, ruleset: Ruleset | None) -> Teaching:
    """Return a learner that took in all of these lessons."""
    teaching = Teaching(models, ruleset)
    for lesson in lessons:
        teaching.take(lesson)
    return teaching


def _slices(judged: list[Compared]) -> Iterable[Slice]:
    for start in range(0, len(judged), SLICE):
        some = judged[start : start + SLICE]
        wrong = [each for each in some if each.held and not each.rejected]
        spared = sum(not each.would_hold for each in wrong)
        missed = sum(each.held and each.rejected and not each.would_hold for each in some)
        yield Slice(len(wrong) - spared, spared, missed)
