"""Simulations: how many decisions a learner needs, tried on labelled comments."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from service.domain.comment import Status
from service.domain.decision import Decision
from service.domain.learner import LearnerFigures, LearnerState
from worker.engine import judge
from worker.learner.lessons import Lesson, targets_of
from worker.learner.teaching import Teaching
from worker.models.score import Scorer
from worker.ruleset import Ruleset
from worker.tools.corpus import Sample

#: Steps at which the state is looked at.
_STEP = 10


@dataclass(frozen=True, slots=True)
class Staff:
    """Who decides: so many people, of whom so many invert everything, the others at times.

    People see everything that was held, and of what was approved a share (`looks`).
    """

    people: int = 3
    hostile: int = 0
    slips: float = 0.02
    looks: float = 0.1
    seed: int = 1


@dataclass(slots=True)
class Simulation:
    """How it went. `proven_after` is the number of decisions, None if it never was.

    `course` has the figures at times, by decisions; `truth` counts, by the labels and
    not by what people said, `wrong`, `spared`, `right` and `missed` holds, and what was
    `caught` and `delayed`.
    """

    proven_after: int | None = None
    course: list[tuple[int, LearnerState, LearnerFigures]] = field(default_factory=list)
    truth: Counter[str] = field(default_factory=Counter)


def simulate(
    samples: Sequence[Sample], ruleset: Ruleset, models: Scorer, staff: Staff
) -> Simulation:
    """Return how a learner does on these comments in a random order, the same for a seed."""
    teaching, found = Teaching(models, ruleset), Simulation()
    number = 0
    lessons = _lessons(samples, ruleset, models, staff)
    for number, (lesson, hold) in enumerate(lessons, 1):
        compared = teaching.take(lesson)
        if compared is not None:
            found.truth.update(_in_truth(hold, compared.held, compared.would_hold))
        if number % _STEP == 0:
            _look(found, number, teaching.figures)
    if number % _STEP:
        _look(found, number, teaching.figures)
    return found


def _look(found: Simulation, number: int, figures: LearnerFigures) -> None:
    if found.proven_after is None and figures.state is LearnerState.PROVEN:
        found.proven_after = number
    found.course.append((number, figures.state, figures))


def _lessons(
    samples: Sequence[Sample], ruleset: Ruleset, models: Scorer, staff: Staff
) -> Iterator[tuple[Lesson, bool]]:
    """Give what people decide, each with whether the label says to hold."""
    chance = random.Random(staff.seed)  # noqa: S311  # the same for everybody who repeats it
    # Nobody counts here how often something was seen.
    uncounted = [f"count.{counter.name}" for counter in ruleset.counters]
    for sample in chance.sample(samples, len(samples)):
        comment = sample.case.comment()
        verdict = judge(comment, ruleset, sample.case.context(models))
        held = verdict.status is Status.HELD
        if not held and chance.random() >= staff.looks:
            continue
        person = chance.randrange(staff.people)
        inverted = person < staff.hostile or chance.random() < staff.slips
        decision = _decision(sample, hold=sample.hold is not inverted)
        lesson = Lesson(
            comment,
            f"person {person}",
            targets_of(decision.status, ""),
            rejected=decision is not Decision.APPROVE,
            held=held,
            kept=verdict.signals,
            absent=(*verdict.absent, *uncounted),
        )
        yield lesson, sample.hold


def _decision(sample: Sample, *, hold: bool) -> Decision:
    if not hold:
        return Decision.APPROVE
    return Decision.SPAM if sample.spam else Decision.REJECT


def _in_truth(hold: bool, held: bool, would_hold: bool) -> Iterable[str]:
    if held:
        yield "right" if hold else "wrong"
        if not would_hold:
            yield "missed" if hold else "spared"
    elif would_hold:
        yield "caught" if hold else "delayed"
