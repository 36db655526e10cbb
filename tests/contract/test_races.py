"""Whoever comes at the same moment: one story, without gaps, on every database."""

import random
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, Event, EventKind
from service.domain.errors import DecisionConflict, ModerationError
from service.storage import judging
from service.storage.comments import Cause, change_status
from tests.contract.desk import Desk, at_once, verdict

DECISIONS = list(Decision)


def assert_story_is_whole(desk: Desk, comment_id: CommentId) -> None:
    """Every version was reached once, from the status that the one before had left."""
    changes = [event for event in desk.events(comment_id) if event.kind is not EventKind.REPORT]
    status = Status.PENDING
    for version, event in enumerate(changes, start=2):
        assert (event.version, event.from_status) == (version, status)
        status = event.to_status
    comment = desk.get(comment_id)
    assert (comment.status, comment.version) == (status, len(changes) + 1)


def test_of_fifty_decisions_at_the_same_version_one_wins(desk: Desk) -> None:
    comment_id = desk.held()
    calls = [
        partial(desk.decide, comment_id, DECISIONS[number % 3], version=2) for number in range(50)
    ]

    outcomes = at_once(calls)

    (winner,) = (each for each in outcomes if isinstance(each, Event))
    conflicts = [each for each in outcomes if isinstance(each, DecisionConflict)]
    assert len(conflicts) == 49
    assert {(each.status, each.version) for each in conflicts} == {(winner.to_status, 3)}
    assert desk.events(comment_id)[1:] == [winner]


@pytest.mark.parametrize("seed", range(20))
def test_a_person_prevails_over_the_rules_whoever_comes_first(desk: Desk, seed: int) -> None:
    comment_id = desk.submit()
    calls: list[Callable[[], object]] = [
        partial(desk.judge, comment_id, Status.APPROVED),
        partial(desk.decide, comment_id, Decision.REJECT, version=1),
        partial(desk.judge, comment_id, Status.HELD),
    ]
    random.Random(seed).shuffle(calls)

    outcomes = at_once(calls)

    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert desk.status(comment_id) is Status.REJECTED
    assert desk.kinds(comment_id)[-1] is EventKind.DECISION
    assert_story_is_whole(desk, comment_id)


def test_a_change_to_a_comment_that_moved_on_changes_nothing(desk: Desk) -> None:
    comment_id = desk.held()
    stale = desk.get(comment_id)
    desk.decide(comment_id, Decision.APPROVE)

    with desk.store.write() as db:
        cause = Cause(EventKind.DECISION, "moderator:late", desk.now)
        assert change_status(db, stale, Status.SPAM, cause) is None

    assert desk.status(comment_id) is Status.APPROVED
    assert_story_is_whole(desk, comment_id)


def test_many_workers_with_the_same_comment_record_one_verdict(desk: Desk) -> None:
    comment_id = desk.submit()

    recorded = at_once([partial(desk.judge, comment_id)] * 16)

    assert sorted(map(bool, recorded)) == [False] * 15 + [True]
    assert desk.kinds(comment_id) == [EventKind.VERDICT]


def test_bulk_decisions_and_batches_of_verdicts_do_not_block_each_other(desk: Desk) -> None:
    chance = random.Random(1)
    # Several rounds, since in the first one connections are still being opened.
    for _ in range(5):
        ids = [desk.submit() for _ in range(40)]
        judge, decide = (
            partial(judge_all, desk, ids, chance),
            partial(decide_all, desk, ids, chance),
        )

        outcomes = at_once([judge, decide, judge, judge, decide])

        assert not [each for each in outcomes if isinstance(each, Exception)]
        assert {desk.status(each) for each in ids} == {Status.SPAM}
        for comment_id in ids:
            assert_story_is_whole(desk, comment_id)


def judge_all(desk: Desk, ids: Sequence[CommentId], chance: random.Random) -> int:
    """Record verdicts on all comments in one transaction, in whatever order."""
    mixed = [
        judging.Judged(each, 1, verdict(chance.choice([Status.HELD, Status.APPROVED])))
        for each in chance.sample(ids, len(ids))
    ]
    with desk.store.write() as db:
        return len(judging.record_verdicts(db, mixed, desk.now))


def decide_all(desk: Desk, ids: Sequence[CommentId], chance: random.Random) -> int:
    """Call all comments spam in one transaction, named in whatever order."""
    everything = chance.sample(ids, len(ids))
    said = desk.moderation.decide_many(everything, Decision.SPAM, moderator=desk.moderator)
    return len(said.decided)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_at_once_leaves_a_whole_story(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    ids = [desk.submit() for _ in range(3)]

    def act() -> None:
        comment_id = chance.choice(ids)
        acts: list[Callable[[], object]] = [
            partial(desk.judge, comment_id),
            partial(desk.judge, comment_id, Status.APPROVED),
            partial(desk.decide, comment_id, chance.choice(DECISIONS), version=2),
            partial(desk.moderation.withdraw, comment_id),
            partial(desk.report, comment_id, str(chance.random())),
            partial(desk.moderation.decide_many, ids, Decision.REJECT, moderator=desk.moderator),
            partial(desk.moderation.undo, event=chance.randint(1, 9), moderator=desk.moderator),
            partial(desk.moderation.erase, comment_id, actor="system"),
        ]
        chance.choices(acts, weights=[3, 3, 3, 1, 3, 2, 3, 1])[0]()

    outcomes = at_once([act] * 16)

    unexpected = [each for each in outcomes if each and not isinstance(each, ModerationError)]
    assert not unexpected
    for comment_id in ids:
        assert_story_is_whole(desk, comment_id)


def test_readers_who_report_at_once_reopen_once(desk: Desk) -> None:
    comment_id = desk.approved()

    reopened = at_once([partial(desk.report, comment_id, f"r{number}") for number in range(3)])

    assert sorted(map(bool, reopened)) == [False, False, True]
    assert desk.status(comment_id) is Status.HELD
    assert_story_is_whole(desk, comment_id)


def test_the_same_reader_reporting_twice_at_once_counts_once(desk: Desk) -> None:
    comment_id = desk.approved()

    outcomes = at_once([partial(desk.report, comment_id, "impatient")] * 8)

    assert outcomes == [False] * 8
    assert desk.get(comment_id).report_count == 1


def test_an_erasure_is_final_whatever_else_happens(desk: Desk) -> None:
    comment_id = desk.submit("Secret.")
    decided = desk.decide(comment_id, Decision.REJECT)

    calls: list[Callable[[], object]] = [
        partial(desk.moderation.erase, comment_id, actor="site:news"),
        partial(desk.moderation.undo, event=decided.id, moderator=desk.moderator),
        partial(desk.decide, comment_id, Decision.APPROVE, version=2),
    ]
    at_once(calls)

    assert desk.status(comment_id) is Status.ERASED
    assert desk.get(comment_id).body == ""
    assert_story_is_whole(desk, comment_id)
