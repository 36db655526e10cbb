"""What the service does about live rules: it watches them, samples, measures and mends."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.clock import utc_now
from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, EventKind
from service.domain.lane import Lane
from service.domain.ruleset import SHIPPED_BY, Hindrance, RuleOutline, RulesetSource, RuleState
from service.domain.verdict import ENGINE, Hit, Mode, Total, Verdict
from service.jobs import JobQueue
from service.moderation.mending import Mending
from service.storage import judging, quality, rulesets, samples
from service.storage.mending import PAUSES
from service.storage.reviewing import ReviewFilter, review_list
from service.storage.tables import events
from service.storage.tables import samples as sample_table
from service.storage.takeback import Doing
from tests.contract.desk import NO_REDIS, Desk

WHY = "Because"


def hit(rule: str, *, needed: bool = False, mode: Mode = "live", category: str = "spam") -> Hit:
    """Return a hit of ten points."""
    return Hit(rule, category, 10, WHY, mode=mode, needed=needed)


def judged(desk: Desk, *hits: Hit, **submitted: Any) -> CommentId:
    """Return a comment with these hits, held by the live ones."""
    comment_id = desk.submit(**submitted)
    judge(desk, comment_id, hits)
    return comment_id


def judge(desk: Desk, comment_id: CommentId, hits: Sequence[Hit], version: int = 1) -> None:
    """Record a verdict with these hits."""
    live = [hit for hit in hits if hit.mode == "live"]
    result = Verdict(
        status=Status.HELD if live else Status.APPROVED,
        ruleset="any",
        at=utc_now(),
        took_ms=1.0,
        totals={hit.category: Total(10, 10) for hit in live},
        hits=tuple(hits),
    )
    with desk.store.write() as db:
        won = judging.record_verdicts(db, [judging.Judged(comment_id, version, result)], utc_now())
    assert won == {comment_id}


def many(desk: Desk, count: int, *hits: Hit) -> list[CommentId]:
    """Return so many comments with these hits."""
    return [judged(desk, *hits) for _ in range(count)]


def outline(rule: str, digest: str = "a", mode: str = "live") -> RuleOutline:
    """Return a rule in brief."""
    return RuleOutline(rule, "spam", 10, mode, WHY, digest)


def publish(
    desk: Desk, text: str, *rules: RuleOutline, author: str = "moderator:ann", hours_ago: float = 1
) -> int:
    """Publish a ruleset; return its number."""
    source, now = RulesetSource(text), utc_now() - timedelta(hours=hours_ago)
    with desk.store.write() as db:
        rulesets.keep(db, source, rules, now)
        live = rulesets.live_version(db)
        version = rulesets.publish(
            db, source.hash, base=live.number if live else None, author=author, note="", now=now
        )
    return version.number


def put_aside(desk: Desk) -> list[tuple[str, Hindrance, str]]:
    """Run the watch and return what it did."""
    return [(state.rule, state.state, state.why) for state in desk.moderation.watch()]


# --- the brake -----------------------------------------------------------------


def test_a_new_rule_that_holds_too_much_by_itself_is_braked_once(desk: Desk) -> None:
    publish(desk, "one", outline("greedy"), outline("modest"))
    many(desk, 95)
    many(desk, 6, hit("greedy", needed=True))
    many(desk, 5, hit("modest", needed=True))

    why = "Held 6 of 106 comments within an hour by itself"
    assert put_aside(desk) == [("greedy", Hindrance.BRAKED, why)]
    assert put_aside(desk) == []

    with desk.store.read() as db:
        assert rulesets.live_with_states(db) == (
            1,
            RulesetSource("one").hash,
            frozenset({"greedy"}),
        )


@pytest.mark.parametrize(
    ("calm", "hits"),
    [
        pytest.param(92, [hit("greedy", needed=True)], id="too few comments"),
        pytest.param(95, [hit("greedy"), hit("other")], id="never alone"),
        pytest.param(95, [hit("greedy", mode="shadow", needed=True)], id="in the shadow"),
    ],
)
def test_the_brake_waits_for_its_conditions(desk: Desk, calm: int, hits: list[Hit]) -> None:
    publish(desk, "one", outline("greedy"))
    many(desk, calm)
    many(desk, 7, *hits)

    assert put_aside(desk) == []


def test_the_brake_leaves_alone_what_is_not_new(desk: Desk) -> None:
    publish(desk, "one", outline("shipped"), author=SHIPPED_BY)
    publish(desk, "two", outline("shipped"), outline("old"), hours_ago=25)
    publish(desk, "three", outline("shipped"), outline("old"), outline("new"))
    many(desk, 60)
    for rule in ("shipped", "old", "new"):
        many(desk, 20, hit(rule, needed=True))

    assert [rule for rule, _, _ in put_aside(desk)] == ["new"]


def test_a_rule_that_was_confirmed_is_not_braked_again(desk: Desk) -> None:
    publish(desk, "one", outline("greedy"))
    many(desk, 90)
    many(desk, 20, hit("greedy", needed=True))
    assert put_aside(desk)

    publish(desk, "one", outline("greedy"), hours_ago=0)

    assert put_aside(desk) == []


# --- rules that fail -----------------------------------------------------------


def test_a_rule_that_keeps_failing_is_switched_off(desk: Desk) -> None:
    publish(desk, "one", outline("broken"), outline("fine"), author=SHIPPED_BY)
    many(desk, 196)
    many(desk, 3, hit("broken", category=ENGINE))
    assert put_aside(desk) == [], "too few comments"
    many(desk, 2, hit("fine", category=ENGINE))

    why = "Could not run on 3 of 201 comments"
    assert put_aside(desk) == [("broken", Hindrance.SWITCHED_OFF, why)]


def test_nothing_is_watched_before_there_are_rules(desk: Desk) -> None:
    many(desk, 1, hit("broken", category=ENGINE))

    assert put_aside(desk) == []


# --- samples -------------------------------------------------------------------


def sampled(desk: Desk) -> dict[CommentId, str]:
    """Return what waits to be looked at, and for the sake of which rule."""
    with desk.store.read() as db:
        page = review_list(db, ReviewFilter(lane=Lane.SAMPLE), limit=100)
        return samples.sampled_for(db, [item.comment.id for item in page.items])


def test_approvals_are_sampled_for_each_shadow_rule_and_in_general(desk: Desk) -> None:
    shadow = many(desk, 25, hit("trial", mode="shadow"))
    calm = many(desk, 5)
    held = many(desk, 3, hit("spam", needed=True), hit("trial", mode="shadow"))
    looked_at = desk.approved()
    desk.decide(looked_at, Decision.APPROVE)

    assert desk.moderation.sample() == 30

    found = sampled(desk)
    assert sum(rule == "trial" for rule in found.values()) == 20
    assert set(found) == {*shadow, *calm}, "all others are approved and in the general sample"
    assert not set(found) & {*held, looked_at}
    assert desk.moderation.sample() == 0


def test_the_sample_is_filled_up_a_day_later(desk: Desk) -> None:
    many(desk, 50)
    assert desk.moderation.sample() == 20
    assert desk.moderation.sample() == 0

    with desk.store.write() as db:
        db.execute(sa.update(sample_table).values(at=utc_now() - timedelta(hours=25)))

    assert desk.moderation.sample() == 20


@pytest.mark.parametrize("decision", [Decision.APPROVE, Decision.REJECT])
def test_looking_at_a_sample_is_recorded(desk: Desk, decision: Decision) -> None:
    [comment_id] = many(desk, 1, hit("trial", mode="shadow"))
    desk.moderation.sample()

    event = desk.decide(comment_id, decision)

    assert (event.from_status, event.to_status) == (Status.APPROVED, decision.status)
    assert desk.status(comment_id) is decision.status
    assert sampled(desk) == {}


def test_samples_can_be_approved_together(desk: Desk) -> None:
    ids = many(desk, 3)
    desk.moderation.sample()

    result = desk.moderation.decide_many(ids, Decision.APPROVE, moderator=desk.moderator)

    assert result.decided == ids
    assert sampled(desk) == {}


def test_the_time_people_take_is_told_by_the_rule_that_held(desk: Desk) -> None:
    begun = desk.now
    for seconds in (0, 10, 40, 5_000, 5_020):
        desk.now = begun + timedelta(seconds=seconds)
        desk.decide(judged(desk, hit("links", needed=True), hit("other")))

    with desk.store.read() as db:
        taken = quality.decision_seconds(db, begun, begun + timedelta(days=1))

    assert taken == {"links": 20.0}, "of 10, 30 and 20; after hours nobody was at it"


# --- quality -------------------------------------------------------------------


def figures(desk: Desk, rule: str) -> quality.RuleFigures:
    """Return what a rule did within the hour."""
    now = utc_now()
    with desk.store.read() as db:
        assert quality.judged_between(db, now - timedelta(hours=1), now + timedelta(seconds=1))
        return quality.rule_figures(db, now - timedelta(hours=1), now + timedelta(seconds=1))[rule]


def test_a_rules_figures_follow_what_people_decide(desk: Desk) -> None:
    alone = many(desk, 4, hit("links", needed=True))
    together = many(desk, 3, hit("links"), hit("words"))
    shadow = many(desk, 2, hit("links", mode="shadow"))
    for comment_id in (*alone[:2], together[0]):
        desk.decide(comment_id, Decision.SPAM)
    for comment_id in (alone[2], together[1], shadow[0]):
        desk.decide(comment_id, Decision.APPROVE)

    found = figures(desk, "links")

    assert (found.hits, found.decisive, found.shadow, found.overlap) == (9, 4, 2, 3)
    assert (found.all.judged, found.all.rejected) == (6, 3)
    assert (found.when_decisive.judged, found.when_decisive.rejected) == (3, 2)
    assert found.overturned == 1
    assert (figures(desk, "words").hits, figures(desk, "words").overlap) == (3, 3)


def test_a_rejection_for_another_reason_can_be_told(desk: Desk) -> None:
    [comment_id] = many(desk, 1, hit("links", needed=True))
    desk.decide(comment_id, Decision.REJECT)
    said = {"kind": EventKind.RULE_WRONG, "note": "links", "actor": "moderator:mod", "reason": ""}
    with desk.store.write() as db:
        db.execute(
            sa.insert(events).values(
                comment_id=comment_id,
                at=utc_now(),
                from_status="rejected",
                to_status="rejected",
                version=3,
                **said,
            )
        )

    found = figures(desk, "links")

    assert (found.all.judged, found.all.rejected, found.wrong) == (1, 0, 1)


@pytest.mark.parametrize("way", ["undo", "take back"])
def test_calling_a_rule_wrong_is_taken_back_with_the_decision(desk: Desk, way: str) -> None:
    stands, undone = many(desk, 2, hit("links", needed=True))
    desk.decide(stands, Decision.APPROVE, rule="links")
    event = desk.decide(undone, Decision.APPROVE, rule="links")
    before = figures(desk, "links").wrong

    if way == "undo":
        desk.moderation.undo(event=event.id, moderator=desk.moderator)
    else:
        desk.moderation.take_back([Doing(undone, event.id)], desk.moderator, rule="")

    assert (before, figures(desk, "links").wrong) == (2, 1)

    desk.decide(undone, Decision.APPROVE, rule="links")
    assert figures(desk, "links").wrong == 2


def test_comments_outside_the_period_and_broken_rules_do_not_count(desk: Desk) -> None:
    many(desk, 1, hit("links"), hit("broken", category=ENGINE))
    now = utc_now()

    with desk.store.read() as db:
        later = now + timedelta(hours=1), now + timedelta(hours=2)
        assert quality.rule_figures(db, *later) == {}
        assert quality.judged_between(db, *later) == 0
        assert set(quality.hit_counts(db, now - timedelta(hours=1), later[0])) == {"links"}
        assert set(quality.last_hits(db, now - timedelta(hours=1))) == {"links"}


# --- mending -------------------------------------------------------------------

BROKEN = hit("flood", category=ENGINE)


def broken(desk: Desk, *others: Hit, hours_ago: float = 0) -> CommentId:
    """Return a comment that is held because a rule could not run."""
    comment_id = judged(desk, BROKEN, *others)
    desk.set(comment_id, judged_at=utc_now() - timedelta(hours=hours_ago))
    return comment_id


def test_a_new_ruleset_has_broken_comments_judged_again_at_once(desk: Desk) -> None:
    comment_id = broken(desk)
    held_for_spam = broken(desk, hit("links"))
    assert desk.moderation.mend() == 0, "nothing changed yet"

    publish(desk, "mended", hours_ago=-0.001)

    assert desk.moderation.mend() == 1
    assert desk.status(comment_id) is Status.PENDING
    assert desk.jobs_waiting() == [[comment_id]]
    event = desk.events(comment_id)[-1]
    assert (event.kind, event.actor, event.version) == (EventKind.RETRIED, "system", 3)
    assert desk.status(held_for_spam) is Status.HELD


def test_a_rule_put_aside_has_its_comments_judged_again(desk: Desk) -> None:
    version = publish(desk, "one", outline("flood"))
    comment_id = broken(desk)
    state = RuleState("flood", Hindrance.SWITCHED_OFF, WHY, utc_now() + timedelta(seconds=1))

    with desk.store.write() as db:
        rulesets.add_state(db, version, state)

    assert desk.moderation.mend() == 1
    assert desk.status(comment_id) is Status.PENDING


def test_without_a_change_it_is_tried_again_ever_more_rarely(desk: Desk) -> None:
    comment_id = broken(desk)
    for number, pause in enumerate(PAUSES):
        desk.set(comment_id, judged_at=utc_now() - pause + timedelta(seconds=30))
        assert desk.moderation.mend() == 0
        desk.set(comment_id, judged_at=utc_now() - pause - timedelta(seconds=1))
        assert desk.moderation.mend() == 1
        desk.lose_jobs()
        judge(desk, comment_id, [BROKEN], version=3 + 2 * number)

    desk.set(comment_id, judged_at=utc_now() - timedelta(days=365))
    assert desk.moderation.mend() == 0


@pytest.mark.parametrize("touch", ["undo", "report", "decide"])
def test_what_people_touched_is_left_to_people(desk: Desk, touch: str) -> None:
    comment_id = broken(desk, hours_ago=1)
    if touch == "report":
        desk.decide(comment_id, Decision.APPROVE)
        for reader in "abc":
            desk.report(comment_id, reader)
        desk.set(comment_id, decided_at=None)
    else:
        event = desk.decide(comment_id)
        if touch == "undo":
            desk.moderation.undo(event=event.id, moderator=desk.moderator)
    status = desk.status(comment_id)

    assert desk.moderation.mend() == 0
    assert desk.status(comment_id) is status


def test_one_that_killed_its_worker_is_tried_alone(desk: Desk) -> None:
    poison, calm = broken(desk, hours_ago=1), broken(desk, hours_ago=1)
    desk.set(poison, attempts=5)

    assert desk.moderation.mend() == 2

    assert desk.jobs_waiting() == [[calm], [poison]]


def test_nothing_is_sent_back_while_jobs_wait_or_redis_is_away(desk: Desk) -> None:
    comment_id = broken(desk, hours_ago=1)
    desk.jobs.moderate([comment_id])

    assert desk.moderation.mend() == 0
    assert Mending(desk.store, JobQueue(NO_REDIS)).run() == 0
    assert desk.status(comment_id) is Status.HELD


def test_many_are_sent_back_in_jobs_of_64(desk: Desk) -> None:
    ids = [broken(desk, hours_ago=1) for _ in range(70)]

    assert desk.moderation.mend() == 70

    assert [len(job) for job in desk.jobs_waiting()] == [64, 6]
    assert {desk.status(comment_id) for comment_id in ids} == {Status.PENDING}
