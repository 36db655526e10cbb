"""What was kept long enough is forgotten, on every database."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.comment import Author, CommentId, Status
from service.domain.decision import Decision, EventKind
from service.domain.errors import DecisionConflict
from service.moderation import RetentionResult
from service.storage import people, upkeep
from service.storage.tables import claims
from tests.contract.desk import Desk

ANN = Author("Ann", "ann@mail.example", ip="203.0.113.7", user_agent="A browser")


def aged(desk: Desk, days: float, status: Status = Status.APPROVED, **submitted: Any) -> CommentId:
    """Return a comment that came, and was decided on, so many days ago."""
    comment_id = desk.submit(**({"author": ANN} | submitted))
    desk.judge(comment_id, Status.HELD)
    time = desk.long_ago(days=days)
    desk.set(comment_id, created_at=time, status=status, decided_at=time)
    return comment_id


def test_address_and_browser_are_deleted_after_thirty_days(desk: Desk) -> None:
    old, recent = aged(desk, 30.1), aged(desk, 29.9)

    assert desk.moderation.retain() == RetentionResult(addresses=1)

    row = desk.row(old)
    assert (row.author_ip, row.author_ip_hash, row.author_user_agent) == (None, None, "")
    assert (row.author_email, row.author_name) == ("ann@mail.example", "Ann")
    assert desk.get(recent).author == ANN


def test_the_address_of_an_author_is_deleted_after_a_year(desk: Desk) -> None:
    old, recent = aged(desk, 365.1), aged(desk, 364.9)

    assert desk.moderation.retain().emails == 1

    assert (desk.row(old).author_email, desk.row(old).author_email_hash) == ("", None)
    assert desk.row(recent).author_email == "ann@mail.example"


@pytest.mark.parametrize("status", [Status.REJECTED, Status.SPAM])
def test_the_text_of_what_was_refused_is_deleted_after_ninety_days(
    desk: Desk, status: Status
) -> None:
    old, recent = aged(desk, 90.1, status), aged(desk, 89.9, status)

    assert desk.moderation.retain().texts == 1

    assert (desk.get(old).body, desk.get(recent).body) == ("", "A calm remark.")
    last = desk.events(old)[-1]
    assert (last.kind, last.actor, last.version) == (EventKind.RETENTION, "system", 3)
    assert (last.from_status, last.to_status) == (status, status)
    assert desk.evidence(old)["hits"][0]["why"] == ""


def test_published_text_is_kept(desk: Desk) -> None:
    comment_id = aged(desk, 5_000, Status.APPROVED)

    assert desk.moderation.retain().texts == 0

    assert desk.get(comment_id).body == "A calm remark."


def test_what_was_forgotten_is_not_forgotten_again(desk: Desk) -> None:
    aged(desk, 400, Status.SPAM)
    desk.moderation.retain()

    assert desk.moderation.retain() == RetentionResult()


def test_a_comment_without_its_text_can_be_published_no_more(desk: Desk) -> None:
    comment_id = aged(desk, 91, Status.SPAM)
    desk.moderation.retain()

    with pytest.raises(DecisionConflict):
        desk.decide(comment_id, Decision.APPROVE)

    bulk = desk.moderation.decide_many([comment_id], Decision.APPROVE, moderator=desk.moderator)
    assert bulk.unchanged == {comment_id: "Its text was deleted."}


def test_a_text_approved_since_it_was_found_is_kept(desk: Desk) -> None:
    comment_id = aged(desk, 91, Status.SPAM)
    limit = desk.long_ago(days=90)
    with desk.store.read() as db:
        found = upkeep.refused_before(db, limit, 10)
    desk.decide(comment_id, Decision.APPROVE)

    with desk.store.write() as db:
        assert upkeep.locked_refused(db, found, limit) == []


def test_more_than_fits_one_transaction_is_forgotten_in_several(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.moderation.retention._BATCH", 2)
    for _ in range(5):
        aged(desk, 31)

    assert desk.moderation.retain().addresses == 5


def test_one_run_has_a_bound_and_the_next_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.moderation.retention._BATCH", 2)
    monkeypatch.setattr("service.moderation.retention._MOST_BATCHES", 1)
    for _ in range(3):
        aged(desk, 31)

    assert [desk.moderation.retain().addresses for _ in range(3)] == [2, 1, 0]


def test_claims_and_sessions_that_ended_are_forgotten(desk: Desk) -> None:
    comment_id = desk.submit(external_id="42")
    with desk.store.write() as db:
        ended = sa.update(claims).where(claims.c.kind == "duplicate")
        db.execute(ended.values(expires_at=desk.long_ago(seconds=1)))
        for kind, expires_at in (("session", desk.long_ago(seconds=1)), ("token", None)):
            people.add_token(
                db, desk.moderator.id, kind, "token", now=desk.now, expires_at=expires_at
            )

    assert desk.moderation.retain() == RetentionResult(claims=1, sessions=1)

    with desk.store.read() as db:
        left = db.execute(sa.select(claims.c.kind, claims.c.comment_id)).all()
        assert people.moderator_by_token(db, "token", desk.now) == desk.moderator
    assert left == [("external", comment_id)]


def test_one_process_at_a_time_forgets(desk: Desk) -> None:
    with desk.store.write() as db:
        upkeep.take_lease(db, "retention", "somebody else", seconds=60)

    assert desk.moderation.retain().skipped == "another process is at work"
