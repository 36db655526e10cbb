"""What authors and readers may do, on every database."""

from datetime import timedelta

import pytest

from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, EventKind
from service.domain.errors import CommentNotFound, NotWithdrawable
from service.storage.comments import reports_of
from tests.contract.desk import Desk


def test_an_author_takes_a_pending_comment_back_before_it_is_judged(desk: Desk) -> None:
    comment_id = desk.submit()

    withdrawn = desk.moderation.withdraw(comment_id)

    assert withdrawn == desk.get(comment_id)
    assert (withdrawn.status, withdrawn.version) == (Status.WITHDRAWN, 2)
    assert not desk.judge(comment_id, Status.APPROVED)
    (event,) = desk.events(comment_id)
    assert (event.kind, event.actor) == (EventKind.WITHDRAWN, "author")


def test_an_author_takes_a_held_comment_back_once_or_twice(desk: Desk) -> None:
    comment_id = desk.held()
    desk.moderation.withdraw(comment_id)

    again = desk.moderation.withdraw(comment_id)

    assert again.status is Status.WITHDRAWN
    assert desk.kinds(comment_id) == [EventKind.VERDICT, EventKind.WITHDRAWN]


@pytest.mark.parametrize("decision", list(Decision))
def test_nobody_takes_back_what_was_decided(desk: Desk, decision: Decision) -> None:
    comment_id = desk.held()
    desk.decide(comment_id, decision)

    with pytest.raises(NotWithdrawable) as refusal:
        desk.moderation.withdraw(comment_id)

    assert refusal.value.status is decision.status


def test_nobody_takes_back_what_never_was(desk: Desk) -> None:
    with pytest.raises(CommentNotFound):
        desk.moderation.withdraw(CommentId("00000000-0000-7000-8000-000000000000"))


def test_reports_send_a_comment_back_to_review_at_the_sites_number(desk: Desk) -> None:
    comment_id = desk.approved()

    reopened = [desk.report(comment_id, f"reader-{number}") for number in range(3)]

    assert reopened == [False, False, True]
    row = desk.row(comment_id)
    assert (row.status, row.version, row.severity, row.report_count) == (Status.HELD, 3, 1, 3)
    last = desk.events(comment_id)[-1]
    assert (last.kind, last.actor) == (EventKind.REOPENED, "reader")


def test_one_reader_counts_once_however_often_they_report(desk: Desk) -> None:
    comment_id = desk.approved()

    for _ in range(5):
        assert not desk.report(comment_id, "the same reader", note="again!")

    assert desk.get(comment_id).report_count == 1
    with desk.store.read() as db:
        (report,) = reports_of(db, comment_id)
    assert (report.reason, report.note) == ("abuse", "again!")


def test_a_report_is_told_but_does_not_disturb_a_moderator_at_work(desk: Desk) -> None:
    comment_id = desk.approved()

    desk.report(comment_id, "a reader")

    assert desk.get(comment_id).version == 2
    assert desk.kinds(comment_id) == [EventKind.VERDICT, EventKind.REPORT]
    desk.decide(comment_id, Decision.REJECT, version=2)


def test_reports_from_before_a_decision_count_no_more(desk: Desk) -> None:
    comment_id = desk.approved()
    for number in range(2):
        desk.report(comment_id, f"before-{number}")
    desk.now += timedelta(minutes=1)
    desk.decide(comment_id, Decision.APPROVE)
    desk.now += timedelta(minutes=1)

    reopened = [desk.report(comment_id, f"after-{number}") for number in range(3)]

    assert reopened == [False, False, True]


@pytest.mark.parametrize("status", [Status.PENDING, Status.HELD, Status.REJECTED])
def test_readers_cannot_report_what_they_cannot_read(desk: Desk, status: Status) -> None:
    comment_id = desk.submit()
    if status is not Status.PENDING:
        desk.judge(comment_id)
    if status is Status.REJECTED:
        desk.decide(comment_id, Decision.REJECT)

    with pytest.raises(CommentNotFound):
        desk.report(comment_id, "a reader")


def test_a_report_reaches_only_comments_of_its_own_site(desk: Desk) -> None:
    elsewhere = desk.approved(caller=desk.add_site("other"))

    with pytest.raises(CommentNotFound):
        desk.report(elsewhere, "a reader")
