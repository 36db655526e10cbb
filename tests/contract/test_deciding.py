"""Decisions and taking them back, on every database."""

import pytest

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, EventKind, Reason
from service.domain.errors import CommentNotFound, DecisionConflict
from service.moderation import MAX_BATCH
from tests.contract.desk import Desk

UNKNOWN = CommentId("00000000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        (Decision.APPROVE, Status.APPROVED),
        (Decision.REJECT, Status.REJECTED),
        (Decision.SPAM, Status.SPAM),
    ],
)
def test_a_decision_gives_its_status_and_leaves_an_event(
    desk: Desk, decision: Decision, status: Status
) -> None:
    comment_id = desk.held()

    event = desk.decide(comment_id, decision, reason=Reason.OTHER, note="after a look")

    comment = desk.get(comment_id)
    assert (comment.status, comment.version, comment.decided_at) == (status, 3, event.at)
    assert desk.events(comment_id)[-1] == event
    assert (event.kind, event.actor) == (EventKind.DECISION, "moderator:mod")
    assert (event.from_status, event.to_status, event.version) == (Status.HELD, status, 3)
    assert (event.reason, event.note) == ("other", "after a look")


def test_a_decision_on_an_unknown_comment_is_refused(desk: Desk) -> None:
    with pytest.raises(CommentNotFound):
        desk.decide(UNKNOWN, version=1)


def test_a_second_decision_at_the_same_version_learns_of_the_first(desk: Desk) -> None:
    comment_id = desk.held()
    desk.decide(comment_id, Decision.APPROVE, version=2)
    other = desk.add_moderator("other")

    with pytest.raises(DecisionConflict) as conflict:
        desk.decide(comment_id, Decision.SPAM, version=2, moderator=other)

    assert conflict.value.status is Status.APPROVED
    assert (conflict.value.version, conflict.value.decided_by) == (3, "moderator:mod")
    assert desk.kinds(comment_id) == [EventKind.VERDICT, EventKind.DECISION]


@pytest.mark.parametrize("version", [-1, 0, 1, 3, 99])
def test_a_version_that_nobody_can_have_seen_last_is_a_conflict(desk: Desk, version: int) -> None:
    comment_id = desk.held()
    desk.decide(comment_id, Decision.APPROVE)
    desk.decide(comment_id, Decision.REJECT)

    with pytest.raises(DecisionConflict):
        desk.decide(comment_id, Decision.SPAM, version=version)

    assert desk.status(comment_id) is Status.REJECTED


def test_a_decision_prevails_over_the_verdict_that_came_before_it(desk: Desk) -> None:
    comment_id = desk.submit()
    assert desk.judge(comment_id, Status.APPROVED)

    desk.decide(comment_id, Decision.REJECT, version=1)

    assert desk.status(comment_id) is Status.REJECTED


def test_a_decision_survives_the_verdict_that_comes_after_it(desk: Desk) -> None:
    comment_id = desk.submit()
    desk.decide(comment_id, Decision.REJECT, version=1)

    assert not desk.judge(comment_id, Status.APPROVED, version=1)

    assert desk.status(comment_id) is Status.REJECTED
    assert desk.kinds(comment_id) == [EventKind.DECISION]


def test_a_moderator_may_confirm_what_the_rules_approved(desk: Desk) -> None:
    comment_id = desk.approved()

    event = desk.decide(comment_id, Decision.APPROVE)

    assert (event.from_status, event.to_status) == (Status.APPROVED, Status.APPROVED)


@pytest.mark.parametrize("gone", ["withdrawn", "erased"])
def test_nobody_decides_on_a_comment_that_was_taken_back(desk: Desk, gone: str) -> None:
    comment_id = desk.held()
    if gone == "withdrawn":
        desk.moderation.withdraw(comment_id)
    else:
        desk.moderation.erase(comment_id, actor="site:news")

    with pytest.raises(DecisionConflict) as conflict:
        desk.decide(comment_id, Decision.APPROVE)

    assert conflict.value.status == gone


def test_a_bulk_decision_has_one_batch_and_says_what_it_left_alone(desk: Desk) -> None:
    held, pending = desk.held(), desk.submit()
    spam, withdrawn = desk.held(), desk.held()
    desk.decide(spam, Decision.SPAM)
    desk.moderation.withdraw(withdrawn)

    result = desk.moderation.decide_many(
        [held, pending, held, spam, withdrawn, UNKNOWN], Decision.SPAM, moderator=desk.moderator
    )

    assert result.decided == [held, pending]
    assert result.unchanged == {
        spam: "It is spam already.",
        withdrawn: "It was withdrawn.",
        UNKNOWN: "There is no such comment.",
    }
    assert {desk.events(each)[-1].batch for each in result.decided} == {result.batch}


def test_a_bulk_decision_has_a_bound(desk: Desk) -> None:
    too_many = [CommentId(str(number)) for number in range(MAX_BATCH + 1)]

    with pytest.raises(ValueError, match="at most 500"):
        desk.moderation.decide_many(too_many, Decision.SPAM, moderator=desk.moderator)


def test_an_undo_leads_back_by_a_new_event(desk: Desk) -> None:
    comment_id = desk.held()
    decision = desk.decide(comment_id, Decision.REJECT)

    result = desk.moderation.undo(event=decision.id, moderator=desk.moderator)

    comment = desk.get(comment_id)
    assert (comment.status, comment.version, comment.decided_at) == (Status.HELD, 4, None)
    assert result.decided == [comment_id]
    *_, kept, undo = desk.events(comment_id)
    assert kept == decision
    assert (undo.kind, undo.from_status, undo.to_status) == (
        EventKind.UNDO,
        Status.REJECTED,
        Status.HELD,
    )


def test_an_undo_can_be_undone(desk: Desk) -> None:
    comment_id = desk.held()
    decision = desk.decide(comment_id, Decision.REJECT)
    desk.moderation.undo(event=decision.id, moderator=desk.moderator)

    undo = desk.events(comment_id)[-1]
    desk.moderation.undo(event=undo.id, moderator=desk.moderator)

    assert desk.status(comment_id) is Status.REJECTED
    assert desk.get(comment_id).decided_at is not None


def test_a_decision_that_was_followed_by_another_cannot_be_undone(desk: Desk) -> None:
    comment_id = desk.held()
    first = desk.decide(comment_id, Decision.REJECT)
    other = desk.add_moderator("other")
    desk.decide(comment_id, Decision.APPROVE, moderator=other)

    with pytest.raises(DecisionConflict) as conflict:
        desk.moderation.undo(event=first.id, moderator=desk.moderator)

    assert conflict.value.decided_by == "moderator:other"
    assert desk.status(comment_id) is Status.APPROVED


def test_a_verdict_cannot_be_undone(desk: Desk) -> None:
    comment_id = desk.held()
    (verdict,) = desk.events(comment_id)

    with pytest.raises(DecisionConflict):
        desk.moderation.undo(event=verdict.id, moderator=desk.moderator)


def test_an_undo_of_what_never_happened_is_refused(desk: Desk) -> None:
    with pytest.raises(CommentNotFound):
        desk.moderation.undo(event=123_456, moderator=desk.moderator)
    with pytest.raises(CommentNotFound):
        desk.moderation.undo(batch="no such batch", moderator=desk.moderator)


def test_an_undo_to_pending_gives_the_comment_a_job(desk: Desk) -> None:
    comment_id = desk.submit()
    decision = desk.decide(comment_id, Decision.REJECT)

    desk.moderation.undo(event=decision.id, moderator=desk.moderator)

    assert desk.status(comment_id) is Status.PENDING
    assert desk.row(comment_id).pending_since is not None
    assert desk.jobs_waiting() == [[comment_id]]
    assert desk.judge(comment_id, Status.APPROVED, version=3)


def test_a_batch_is_undone_at_once_except_for_what_moved_on(desk: Desk) -> None:
    stays, moved = desk.held(), desk.held()
    batch = desk.moderation.decide_many(
        [stays, moved], Decision.SPAM, moderator=desk.moderator
    ).batch
    desk.decide(moved, Decision.APPROVE)

    result = desk.moderation.undo(batch=batch, moderator=desk.moderator)

    assert result.decided == [stays]
    assert result.unchanged == {moved: "It is approved since, by moderator:mod."}
    assert (desk.status(stays), desk.status(moved)) == (Status.HELD, Status.APPROVED)


def test_a_batch_undone_twice_changes_nothing_more(desk: Desk) -> None:
    comment_id = desk.held()
    batch = desk.moderation.decide_many([comment_id], Decision.SPAM, moderator=desk.moderator).batch
    desk.moderation.undo(batch=batch, moderator=desk.moderator)

    again = desk.moderation.undo(batch=batch, moderator=desk.moderator)

    assert again.decided == []
    assert desk.status(comment_id) is Status.HELD


def test_the_undo_of_a_batch_is_a_batch_of_its_own(desk: Desk) -> None:
    ids = [desk.held(), desk.held()]
    batch = desk.moderation.decide_many(ids, Decision.SPAM, moderator=desk.moderator).batch
    undone = desk.moderation.undo(batch=batch, moderator=desk.moderator)

    redone = desk.moderation.undo(batch=undone.batch, moderator=desk.moderator)

    assert redone.decided == ids
    assert {desk.status(each) for each in ids} == {Status.SPAM}
