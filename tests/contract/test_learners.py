"""Site learners over the record: what they learn from, keep, forget, and when they speak."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, Moderator, Reason
from service.domain.learner import LearnerFigures, LearnerState, SiteLearner
from service.jobs import TRIALS
from service.moderation.learning import Learning
from service.storage import database_now, learners
from service.storage.acts import recent_acts
from service.storage.learners import Due, Taught
from service.storage.tables import learner_versions
from tests.contract.desk import Desk
from tests.support.judging import FixedRules, Says, shipped
from worker.context import Context
from worker.learner.correction import Correction, sight_of
from worker.learner.learning import learn
from worker.learner.scorer import LiveLearners
from worker.signals.comment import Signals

GOOD = LearnerFigures(
    decisions=200, people=2, judged=150, judges=2, wrong_holds=40, spared=31, right_holds=110
)
BAD = replace(GOOD, missed=9)


def learned(desk: Desk) -> SiteLearner | None:
    """Let the site's learner learn."""
    return learn(desk.store, desk.site.id, Says(abuse=0.87), FixedRules(desk.store, shipped()))


def now_is(desk: Desk) -> SiteLearner:
    """Return the learner as it stands."""
    with desk.store.read() as db:
        return learners.learner_of(db, desk.site.id)


def lessons(desk: Desk) -> list[Taught]:
    """Return what there is to learn from."""
    return list(learners.taught(desk.store, desk.site.id, 0, 100))


def kept(desk: Desk, figures: LearnerFigures, hash_: str = "aa") -> SiteLearner:
    """Store what a learner learned, whatever it was."""
    correction = Correction.empty()
    with desk.store.write() as db:
        row = Due(desk.site.id, 0, 10)
        return learners.keep(db, row, hash_, correction.dump(), figures, database_now(db))


def switched(desk: Desk, state: LearnerState) -> None:
    """Let an admin switch the learner."""
    with desk.store.write() as db:
        learners.switch(db, desk.site.id, state, "moderator:ada", database_now(db))


@pytest.fixture
def other(desk: Desk) -> Moderator:
    """A second person."""
    return desk.add_moderator("bea")


# --- what it learns from -------------------------------------------------------


def test_standing_decisions_of_people_are_told_in_their_order(desk: Desk, other: Moderator) -> None:
    first, second, third = desk.held("One"), desk.held("Two"), desk.approved("Three")
    desk.held("Nobody decided this")
    desk.decide(second, Decision.REJECT, reason=Reason.HATE)
    desk.decide(first, Decision.APPROVE, moderator=other, rule="two-links")
    desk.decide(third, Decision.SPAM)
    elsewhere = desk.held("Four", caller=desk.add_site("other"))
    desk.decide(elsewhere, Decision.REJECT)

    found = lessons(desk)

    assert [each.comment.id for each in found] == [second, first, third]
    assert [each.actor for each in found] == ["moderator:mod", "moderator:bea", "moderator:mod"]
    assert [each.reason for each in found] == ["hate", "", ""]
    assert found[1].wrong_rules == ("two-links",)
    assert [each.evidence and each.evidence["status"] for each in found] == [
        "held", "held", "approved",
    ]  # fmt: skip


def test_what_was_taken_back_changed_or_erased_is_learned_from_no_more(
    desk: Desk, other: Moderator
) -> None:
    undone, changed, erased = desk.held("One"), desk.held("Two"), desk.held("Three")
    event = desk.decide(undone, Decision.REJECT)
    desk.decide(changed, Decision.REJECT)
    desk.decide(erased, Decision.REJECT)
    learned(desk)
    desk.moderation.undo(event=event.id, moderator=desk.moderator)
    later = desk.decide(changed, Decision.APPROVE, moderator=other)
    desk.moderation.erase(erased, site_id=desk.site.id, actor="site:news")

    assert [each.actor for each in lessons(desk)] == ["moderator:bea"]

    desk.moderation.undo(event=later.id, moderator=other)
    [left] = lessons(desk)

    assert (left.comment.status, left.actor) == (Status.REJECTED, "moderator:mod")


def test_a_rule_called_wrong_teaches_no_more_once_that_was_taken_back(desk: Desk) -> None:
    comment_id = desk.held("One")
    said = desk.decide(comment_id, Decision.APPROVE, rule="two-links")
    desk.moderation.undo(event=said.id, moderator=desk.moderator)
    desk.decide(comment_id, Decision.APPROVE)

    [left] = lessons(desk)

    assert left.wrong_rules == ()


def test_a_look_ends_where_it_was_said_to(desk: Desk) -> None:
    other = desk.add_site("other")
    with desk.store.read() as db:
        before = learners.newest_event(db)
    desk.decide(desk.held("One"), Decision.APPROVE)
    with desk.store.read() as db:
        after = learners.newest_event(db)
        assert learners.due(db, before) == []
        assert learners.due(db, after) == [Due(desk.site.id, 0, after)]
        assert learners.due(db, after, other.site.id) == []


def test_the_newest_decisions_are_enough(desk: Desk) -> None:
    ids = [desk.held(f"Comment {number}") for number in range(4)]
    for comment_id in ids:
        desk.decide(comment_id)

    found = learners.taught(desk.store, desk.site.id, 0, 2)

    assert [each.comment.id for each in found] == ids[2:]


def test_it_learns_once_of_each_change(desk: Desk) -> None:
    desk.decide(desk.held("Rough words"), Decision.APPROVE)

    first, second = learned(desk), learned(desk)
    desk.held("Nobody decided this")

    assert first is not None
    assert (first.version, first.figures.decisions) == (1, 1)
    assert second is None
    assert learned(desk) is None


def test_forgetting_a_decision_leaves_nothing_of_it(desk: Desk) -> None:
    erased: CommentId = desk.held("Rough words of Erika")
    desk.decide(erased, Decision.APPROVE)
    learned(desk)
    desk.moderation.erase(erased, site_id=desk.site.id, actor="site:news")
    learned(desk)

    with desk.store.read() as db:
        rows = db.execute(sa.select(learner_versions).order_by(learner_versions.c.number)).all()
    assert [row.weights is None for row in rows] == [True, False]
    assert rows[1].hash == Correction.empty().hash
    assert now_is(desk).figures.decisions == 0


def test_taking_the_same_in_again_makes_no_new_version(desk: Desk) -> None:
    comment_id = desk.held("Rough words")
    event = desk.decide(comment_id, Decision.APPROVE)
    learned(desk)
    undo = desk.moderation.undo(event=event.id, moderator=desk.moderator)
    desk.moderation.undo(event=desk.events(comment_id)[-1].id, moderator=desk.moderator)

    again = learned(desk)

    assert undo.decided == [comment_id]
    assert again is not None
    assert again.version == 1


# --- how far it is -------------------------------------------------------------


def test_a_learner_speaks_only_once_somebody_switched_it_on(desk: Desk) -> None:
    live = LiveLearners()
    assert kept(desk, GOOD).state is LearnerState.PROVEN
    with desk.store.read() as db:
        assert learners.speaking(db) == {}

    switched(desk, LearnerState.ON)

    assert kept(desk, GOOD, "bb").state is LearnerState.ON
    with desk.store.read() as db:
        assert learners.speaking(db) == {desk.site.id: "bb"}
        live.refresh(db)
    models = Says(abuse=0.87)
    assert live.beside(models) is not models
    found = now_is(desk)
    assert (found.switched_by, found.version) == ("moderator:ada", 2)

    switched(desk, LearnerState.SHADOW)
    with desk.store.read() as db:
        live.refresh(db)
    assert live.beside(models) is models


def test_one_that_gets_worse_goes_back_by_itself_and_that_is_told(desk: Desk) -> None:
    kept(desk, GOOD)
    switched(desk, LearnerState.ON)

    assert kept(desk, BAD, "bb").state is LearnerState.SHADOW
    assert kept(desk, GOOD, "cc").state is LearnerState.PROVEN

    with desk.store.read() as db:
        told = [(act.actor, act.subject, act.detail) for act in recent_acts(db, 2)]
    assert told == [
        (
            "learner", "news",
            "Back in the shadow: It missed more than 2 % of what was rightly held",
        ),
        ("moderator:ada", "news", "Now on"),
    ]  # fmt: skip


def test_it_switches_itself_on_only_where_that_is_wanted(desk: Desk) -> None:
    with desk.store.write() as db:
        learners.let_by_itself(db, desk.site.id, True, "moderator:ada", database_now(db))

    assert kept(desk, BAD).state is LearnerState.SHADOW
    assert kept(desk, GOOD, "bb").state is LearnerState.ON
    assert now_is(desk).switched_by == "learner"


def test_a_reset_forgets_everything_and_learns_from_what_comes(desk: Desk) -> None:
    desk.decide(desk.held("Rough words"), Decision.APPROVE)
    learned(desk)
    with desk.store.write() as db:
        learners.reset(db, desk.site.id, "moderator:ada", database_now(db))

    found = now_is(desk)
    assert (found.state, found.version, found.figures) == (
        LearnerState.LEARNING, 0, LearnerFigures(),
    )  # fmt: skip
    assert learned(desk) is None
    # Whoever was still learning when it was reset comes too late.
    assert kept(desk, GOOD).version == 0

    desk.decide(desk.held("Other words"), Decision.APPROVE)
    again = learned(desk)
    assert again is not None
    assert again.figures.decisions == 1


def test_a_learner_that_cannot_be_loaded_is_absent(desk: Desk) -> None:
    kept(desk, GOOD)
    switched(desk, LearnerState.ON)
    with desk.store.write() as db:
        db.execute(sa.update(learner_versions).values(weights="nonsense"))
    live, models = LiveLearners(), Says(abuse=0.87)

    with desk.store.read() as db:
        live.refresh(db)
        live.refresh(db)

    assert live.beside(models) is models


def test_sites_with_something_new_are_queued(desk: Desk) -> None:
    learning = Learning(desk.store, desk.jobs)
    assert learning.run() == 0

    desk.decide(desk.held(), Decision.APPROVE)

    assert learning.run() == 1
    assert desk.jobs.depths() == {"moderation": 0, "check": 0, "webhooks": 0, TRIALS: 1}


def test_what_is_kept_of_a_learner_is_what_was_learned(desk: Desk) -> None:
    for number in range(30):
        desk.decide(desk.held(f"Rough words {number}"), Decision.APPROVE)
    learned(desk)

    with desk.store.read() as db:
        weights = learners.weights_of(db, desk.site.id)
    assert weights
    signals = Signals(desk.get(desk.held("Rough words")), Context(at=desk.now))
    assert Correction.load(weights).pull("abuse", sight_of("abuse", signals)) < -0.5
