"""Site learners: what they learn, how far they may pull, and when they have proved themselves."""

from dataclasses import replace
from typing import Any

import pytest

from service.domain.comment import SiteId, Status
from service.domain.decision import Reason
from service.domain.learner import LearnerFigures, LearnerState
from tests.support.judging import NOON, Says, a_comment, shipped
from worker.context import Context
from worker.engine import judge
from worker.learner.correction import (
    PULL_OF_ALL,
    PULL_OF_ONE,
    Correction,
    DamagedLearner,
    log_odds,
    sight_of,
)
from worker.learner.lessons import Lesson, targets_of
from worker.learner.scorer import WithLearners
from worker.learner.simulation import Staff, simulate
from worker.learner.teaching import Teaching, taught
from worker.models.score import Score, Scorer
from worker.ruleset.cases import Case
from worker.signals.comment import Signals
from worker.tools.corpus import Sample

ROUGH = "You absolute muppet, what a shot"
FINE = "The garden looks lovely this spring"


#: Everything reads like abuse to a degree that holds alone.
HARSH = Says(abuse=0.87, spam=0.01)


def signals_of(body: str, models: Scorer = HARSH, **fields: Any) -> Signals:
    return Signals(a_comment(body, **fields), Context(at=NOON, models=models))


def lesson(body: str, *, rejected: bool = False, person: str = "ann", held: bool = True) -> Lesson:
    """Return a decision on a comment that the rules held."""
    signals = signals_of(body)
    verdict = judge(signals.comment, shipped(), signals.context)
    absent = [f"count.{counter.name}" for counter in shipped().counters]
    status = Status.REJECTED if rejected else Status.APPROVED
    return Lesson(
        signals.comment,
        person,
        targets_of(status, ""),
        rejected=rejected,
        held=held,
        kept=verdict.signals,
        absent=(*verdict.absent, *absent),
    )


def pull_on(teaching: Teaching, body: str) -> float:
    return teaching.correction.pull("abuse", sight_of("abuse", signals_of(body)))


def learned(*lessons: Lesson, models: Scorer = HARSH) -> Teaching:
    return taught(lessons, models, shipped())


# --- what is learned -----------------------------------------------------------


def test_what_people_let_stand_is_pulled_down_and_what_they_reject_up() -> None:
    teaching = learned(*[lesson(ROUGH), lesson("Awful xenial droning", rejected=True)] * 10)

    assert pull_on(teaching, ROUGH) < -1
    assert pull_on(teaching, "Awful xenial droning") > 0
    assert abs(pull_on(teaching, FINE)) < abs(pull_on(teaching, ROUGH)) / 2


@pytest.mark.parametrize(
    ("status", "reason", "targets"),
    [
        (Status.APPROVED, Reason.FINE, {"spam": 0.0, "abuse": 0.0}),
        (Status.SPAM, "", {"spam": 1.0}),
        (Status.REJECTED, "", {"abuse": 1.0}),
        (Status.REJECTED, Reason.HATE, {"abuse": 1.0}),
        (Status.REJECTED, Reason.ADVERTISING, {"spam": 1.0}),
        (Status.REJECTED, Reason.OFF_TOPIC, {}),
        (Status.REJECTED, Reason.PERSONAL_DATA, {}),
    ],
)
def test_a_decision_speaks_of_what_it_is_about(
    status: Status, reason: str, targets: dict[str, float]
) -> None:
    assert targets_of(status, reason) == targets


def test_without_a_model_there_is_nothing_to_correct() -> None:
    teaching = learned(*[lesson(ROUGH)] * 30, models=Says())

    assert teaching.figures.decisions == 0
    assert pull_on(teaching, ROUGH) == 0


def test_a_model_that_fails_on_a_comment_stops_no_other_lesson() -> None:
    class Fails(Says):
        def score(self, name: str, signals: Signals) -> Score | None:
            if "zebra" in signals.comment.body:
                raise ValueError("broken")
            return super().score(name, signals)

    teaching = learned(lesson("A zebra"), *[lesson(ROUGH)] * 5, models=Fails(abuse=0.87))

    assert teaching.figures.decisions == 5


def test_learning_the_same_again_gives_the_same() -> None:
    lessons = [lesson(ROUGH), lesson(FINE, rejected=True), lesson("Ha, nonsense", person="bea")] * 9

    one, other = learned(*lessons), learned(*lessons)

    assert one.correction.hash == other.correction.hash
    assert one.figures == other.figures
    assert learned(*lessons[:-1]).correction.hash != one.correction.hash


# --- bounds --------------------------------------------------------------------


def test_one_person_pulls_only_so_far_however_much_they_decide() -> None:
    teaching = learned(*[lesson(ROUGH)] * 300)

    assert pull_on(teaching, ROUGH) >= -PULL_OF_ONE


def test_all_together_pull_only_so_far() -> None:
    people = [f"person {number}" for number in range(12)]
    lessons = [lesson(ROUGH, person=person) for _ in range(60) for person in people]

    assert -PULL_OF_ALL <= pull_on(learned(*lessons), ROUGH) < -PULL_OF_ONE


def test_one_who_inverts_everything_does_not_turn_what_two_others_say() -> None:
    honest = [lesson(ROUGH, person="ann"), lesson(ROUGH, person="bea")]
    hostile = [lesson(ROUGH, person="eve", rejected=True)] * 4

    teaching = learned(*[*honest, *hostile] * 60)

    assert pull_on(teaching, ROUGH) <= 0


def test_a_crowd_of_hostile_decisions_on_words_of_their_own_moves_one_persons_share() -> None:
    praise = [lesson("Cheap xanthic replicas here", person="eve")] * 500
    others = [lesson(FINE, person="ann"), lesson(ROUGH, person="bea", rejected=True)] * 50

    teaching = learned(*others, *praise)

    assert pull_on(teaching, "Cheap xanthic replicas here") >= -PULL_OF_ONE - 0.5


# --- what rules hear -----------------------------------------------------------


def beside(teaching: Teaching, models: Scorer = HARSH) -> WithLearners:
    return WithLearners(models, {SiteId(1): ("abc123", teaching.correction)})


def wise() -> Teaching:
    """Return what two people taught who let rough words stand."""
    return learned(*[lesson(ROUGH, person=person) for _ in range(40) for person in ("ann", "bea")])


def test_a_learner_that_is_on_spares_what_the_model_alone_holds_and_says_why() -> None:
    comment = a_comment(ROUGH)
    without = judge(comment, shipped(), Context(at=NOON, models=HARSH))
    verdict = judge(comment, shipped(), Context(at=NOON, models=beside(wise())))

    assert without.status is Status.HELD
    assert verdict.status is Status.APPROVED
    [hit] = [hit for hit in verdict.hits if hit.rule == "site-lets-abuse"]
    assert hit.points == -3
    assert "“muppet”" in hit.why
    assert hit.spans
    assert verdict.signals["model.site"] == "news abc123"
    assert verdict.signals["score.site.abuse"] < 0.4
    assert verdict.signals["score.abuse"] == 0.87


def test_it_spares_no_threat_and_nothing_that_a_rule_holds() -> None:
    models = Says(abuse=0.87, **{"abuse.threat": 0.9})
    verdict = judge(
        a_comment(ROUGH), shipped(), Context(at=NOON, models=beside(wise(), models))
    )  # fmt: skip
    kill = judge(
        a_comment(f"{ROUGH}. I will kill you"), shipped(), Context(at=NOON, models=beside(wise()))
    )

    assert verdict.status is Status.HELD
    assert kill.status is Status.HELD


def test_it_spares_nothing_that_reads_like_hatred() -> None:
    models = Says(abuse=0.87, **{"abuse.hate": 0.6})

    verdict = judge(a_comment(ROUGH), shipped(), Context(at=NOON, models=beside(wise(), models)))

    assert verdict.status is Status.HELD


def test_alone_it_holds_nothing() -> None:
    strict = learned(
        *[
            lesson(FINE, person=person, rejected=True)
            for _ in range(60)
            for person in ("ann", "bea", "cid")
        ],
        models=Says(abuse=0.4, spam=0.01),
    )
    verdict = judge(
        a_comment(FINE),
        shipped(),
        Context(at=NOON, models=beside(strict, Says(abuse=0.4, spam=0.01))),
    )

    assert {hit.rule for hit in verdict.hits if hit.points} == {"site-refuses-abuse"}
    assert verdict.status is Status.APPROVED


def test_other_sites_and_comments_it_knows_nothing_of_hear_nothing() -> None:
    models = beside(wise())

    assert models.score("site.abuse", signals_of(ROUGH, models, site_id=SiteId(2))) is None
    assert models.version("site", signals_of(ROUGH, models, site_id=SiteId(2))) is None
    silent = beside(learned())
    verdict = judge(a_comment(FINE), shipped(), Context(at=NOON, models=silent))
    assert "score.site.abuse" in verdict.absent
    without = judge(a_comment(FINE), shipped(), Context(at=NOON, models=HARSH))
    assert "score.site.abuse" not in without.absent


def test_a_learner_that_breaks_holds_with_a_reason() -> None:
    broken = Teaching(HARSH, None)
    broken.correction.score = None  # type: ignore[assignment,method-assign]  # broken on purpose

    verdict = judge(a_comment(FINE), shipped(), Context(at=NOON, models=beside(broken)))

    assert verdict.status is Status.HELD
    assert "Rule site-lets-abuse could not run" in {hit.why for hit in verdict.hits}


# --- what is kept --------------------------------------------------------------


def test_what_is_kept_says_the_same_again_and_has_no_words() -> None:
    teaching = wise()
    kept = teaching.correction.dump()
    again = Correction.load(kept)
    sight = sight_of("abuse", signals_of(ROUGH))

    assert again.hash == teaching.correction.hash
    assert again.pull("abuse", sight) == pytest.approx(
        teaching.correction.pull("abuse", sight), abs=0.01
    )
    assert "muppet" not in kept


@pytest.mark.parametrize("kept", ["", "nonsense", "bm9uc2Vuc2U=", "%%%"])
def test_what_cannot_be_read_is_told(kept: str) -> None:
    with pytest.raises(DamagedLearner):
        Correction.load(kept)


def test_a_model_is_taken_for_no_surer_than_a_bound() -> None:
    assert log_odds(1.0) == -log_odds(0.0) == 4.0
    assert log_odds(0.5) == 0


# --- how well it does ----------------------------------------------------------


def test_each_decision_is_compared_with_what_was_learned_before_it() -> None:
    lessons = [lesson(ROUGH, person=who) for _ in range(60) for who in "ab"]
    figures = learned(*lessons).figures

    assert (figures.decisions, figures.people, figures.judged, figures.judges) == (120, 2, 100, 2)
    assert figures.wrong_holds == 100
    assert 0 < figures.spared <= 100
    assert figures.missed == figures.caught == figures.delayed == 0
    assert sum(each.spared for each in figures.course) == figures.spared
    assert figures.obstacle == "Only 0 of 20 of those were rightly held."


def test_what_it_would_have_missed_is_counted() -> None:
    spared = [lesson(ROUGH, person=who) for _ in range(60) for who in "ab"]
    figures = learned(*spared, *[lesson(ROUGH, person="c", rejected=True)] * 3).figures

    assert (figures.right_holds, figures.missed) == (3, 3)
    assert figures.state is LearnerState.SHADOW
    assert "missed more than 1 %" in figures.obstacle
    assert figures.decline


GOOD = LearnerFigures(
    decisions=200, people=2, judged=150, judges=2, wrong_holds=40, spared=31, right_holds=110
)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, LearnerState.PROVEN),
        ({"judged": 0}, LearnerState.LEARNING),
        ({"judged": 99}, LearnerState.SHADOW),
        ({"judges": 1}, LearnerState.SHADOW),
        ({"judges": 1, "judged": 200}, LearnerState.PROVEN),
        ({"right_holds": 19}, LearnerState.SHADOW),
        ({"missed": 1}, LearnerState.PROVEN),
        ({"missed": 2}, LearnerState.SHADOW),
        ({"spared": 4}, LearnerState.SHADOW),
        ({"spared": 0, "caught": 6, "slipped": 9}, LearnerState.PROVEN),
        ({"delayed": 16}, LearnerState.SHADOW),
    ],
)
def test_what_proves_a_learner(changes: dict[str, Any], state: LearnerState) -> None:
    figures = replace(GOOD, **changes)

    assert figures.state is state
    assert bool(figures.obstacle) is (state is not LearnerState.PROVEN)


def test_figures_are_told_in_a_sentence_and_survive_being_kept() -> None:
    assert GOOD.sentence == (
        "Would have spared 31 of 40 wrong holds; would have missed 0 of 110 right ones."
    )
    assert LearnerFigures.from_dict(GOOD.as_dict()) == GOOD
    assert replace(GOOD, missed=3).decline
    assert not replace(GOOD, missed=2).decline


def test_a_simulation_is_the_same_every_time() -> None:
    samples = [
        Sample(Case(f"{ROUGH} number {number}"), hold=number % 4 == 0, group="")
        for number in range(60)
    ]

    one = simulate(samples, shipped(), HARSH, Staff(people=2, hostile=1))
    other = simulate(samples, shipped(), HARSH, Staff(people=2, hostile=1))

    assert one == other
    assert one.course[-1][0] == 60
