"""The sweep finds what was lost and counts only what was tried, on every database."""

import pytest

from service.domain.comment import CommentId, Status
from service.domain.decision import EventKind
from service.jobs import JobQueue
from service.moderation import SweepResult
from service.storage import upkeep
from tests.contract.desk import NO_REDIS, Desk, at_once


def lost(desk: Desk, attempts: int = 0) -> CommentId:
    """Return a comment that has waited a minute since its last job, which is gone."""
    comment_id = desk.submit()
    desk.set(comment_id, pending_since=desk.long_ago(minutes=1), attempts=attempts)
    return comment_id


def test_a_comment_whose_job_was_lost_gets_another(desk: Desk) -> None:
    comment_id = lost(desk)

    assert desk.moderation.sweep() == SweepResult(requeued=1)

    assert desk.jobs_waiting() == [[comment_id]]
    assert desk.get(comment_id).attempts == 1


def test_a_comment_that_waits_no_longer_than_usual_is_left_alone(desk: Desk) -> None:
    comment_id = desk.submit()

    assert desk.moderation.sweep() == SweepResult()

    assert desk.get(comment_id).attempts == 0


def test_only_pending_comments_are_swept(desk: Desk) -> None:
    comment_id = lost(desk)
    desk.judge(comment_id)

    assert desk.moderation.sweep() == SweepResult()


def test_the_waiting_time_begins_anew_with_each_job(desk: Desk) -> None:
    comment_id = lost(desk)
    desk.moderation.sweep()
    desk.lose_jobs()

    assert desk.moderation.sweep() == SweepResult()

    assert desk.get(comment_id).attempts == 1


def test_many_comments_share_jobs_those_waiting_longest_first(desk: Desk) -> None:
    ids = [desk.submit() for _ in range(70)]
    for number, comment_id in enumerate(ids):
        desk.set(comment_id, pending_since=desk.long_ago(minutes=60 - number / 2))

    assert desk.moderation.sweep() == SweepResult(requeued=70)

    assert desk.jobs_waiting() == [ids[:64], ids[64:]]


def test_the_sweep_holds_back_while_jobs_wait(desk: Desk) -> None:
    comment_id = lost(desk)
    desk.jobs.moderate([desk.submit()])

    assert desk.moderation.sweep() == SweepResult(skipped="1 jobs wait already")

    assert desk.get(comment_id).attempts == 0


def test_from_its_third_attempt_a_comment_has_a_job_of_its_own(desk: Desk) -> None:
    second, third, fifth = lost(desk, 1), lost(desk, 2), lost(desk, 4)

    assert desk.moderation.sweep() == SweepResult(requeued=1, alone=2)

    assert desk.jobs_waiting() == [[second], [third], [fifth]]
    assert [desk.get(each).attempts for each in (second, third, fifth)] == [2, 3, 5]


def test_after_its_fifth_attempt_a_comment_is_held_for_a_person(desk: Desk) -> None:
    comment_id = lost(desk, 5)

    assert desk.moderation.sweep() == SweepResult(given_up=1)

    assert desk.status(comment_id) is Status.HELD
    assert desk.kinds(comment_id) == [EventKind.VERDICT]
    (hit,) = desk.evidence(comment_id)["hits"]
    assert hit["rule"] == "could-not-be-judged"
    assert desk.jobs_waiting() == []


def test_while_redis_is_away_no_attempt_is_counted(desk_without_redis: Desk) -> None:
    desk = desk_without_redis
    ids = [lost(desk), lost(desk, 2), lost(desk, 5)]

    assert desk.moderation.sweep() == SweepResult(skipped="the job queue is away")

    assert [desk.get(each).attempts for each in ids] == [0, 2, 5]
    assert {desk.status(each) for each in ids} == {Status.PENDING}


def test_redis_that_goes_away_amid_the_sweep_costs_no_attempt(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [lost(desk), lost(desk, 2)]
    away = JobQueue(NO_REDIS)
    monkeypatch.setattr(desk.jobs, "moderate", away.moderate)
    monkeypatch.setattr(desk.jobs, "moderate_alone", away.moderate_alone)

    assert desk.moderation.sweep() == SweepResult()

    assert [desk.get(each).attempts for each in ids] == [0, 2]


def test_a_sweep_leaves_the_work_to_one_that_is_at_it(desk: Desk) -> None:
    comment_id = lost(desk)
    with desk.store.write() as db:
        assert upkeep.take_lease(db, "sweep", "somebody else", seconds=60)

    assert desk.moderation.sweep() == SweepResult(skipped="another sweep is at work")

    assert desk.get(comment_id).attempts == 0


def test_a_sweep_that_died_at_work_keeps_nobody_for_long(desk: Desk) -> None:
    lost(desk)
    with desk.store.write() as db:
        upkeep.take_lease(db, "sweep", "a dead process", seconds=-1)

    assert desk.moderation.sweep() == SweepResult(requeued=1)


def test_a_lease_is_given_back_only_by_its_holder(desk: Desk) -> None:
    with desk.store.write() as db:
        assert upkeep.take_lease(db, "work", "first", seconds=60)
        upkeep.give_back_lease(db, "work", "second")
        assert not upkeep.take_lease(db, "work", "second", seconds=60)
        upkeep.give_back_lease(db, "work", "first")
        assert upkeep.take_lease(db, "work", "second", seconds=60)


def test_many_sweeps_at_once_count_one_attempt(desk: Desk) -> None:
    ids = [lost(desk) for _ in range(10)]

    results = at_once([desk.moderation.sweep] * 8)

    assert all(isinstance(result, SweepResult) for result in results), results
    assert [desk.get(each).attempts for each in ids] == [1] * 10
    assert desk.jobs_waiting() == [ids]
