"""Erasure leaves a tombstone and nothing else, on every database."""

import json

import pytest
import sqlalchemy as sa

from service.domain.comment import Author, CommentId, Status
from service.domain.decision import Decision, EventKind
from service.domain.errors import CommentNotFound
from service.storage import Store
from service.storage.tables import claims, metadata
from tests.contract.desk import Desk

#: Stands in every text that somebody wrote, so that none can hide.
CANARY = "kanarienvogel"
AUTHOR = Author(
    name=f"{CANARY} name",
    email=f"{CANARY}@mail.example",
    url=f"https://{CANARY}.example",
    ip="203.0.113.77",
    user_agent=f"{CANARY} browser",
    referrer=f"https://search.example/?q={CANARY}",
    verified_id=f"{CANARY}-17",
    email_verified=True,
)


def everything_stored(store: Store) -> str:
    """Return all rows of all tables as text."""
    with store.read() as db:
        rows = [db.execute(sa.select(table)).all() for table in metadata.sorted_tables]
    return json.dumps(rows, default=str)


@pytest.fixture
def full_life(desk: Desk) -> CommentId:
    """A comment about which everybody wrote something."""
    comment_id = desk.approved(f"{CANARY} body", author=AUTHOR, external_id=f"{CANARY}-external")
    for number in range(3):
        desk.report(comment_id, f"reader-{number}", note=f"{CANARY} complaint")
    desk.decide(comment_id, Decision.REJECT, note=f"{CANARY} note")
    return comment_id


def test_nothing_that_anybody_wrote_survives_erasure(desk: Desk, full_life: CommentId) -> None:
    assert CANARY in everything_stored(desk.store)
    hashes = [
        desk.keyring.hash("email", AUTHOR.email),
        desk.keyring.hash("address", str(AUTHOR.ip)),
        desk.keyring.hash("external", f"{CANARY}-external"),
    ]

    desk.moderation.erase(full_life, site_id=desk.site.id, actor="site:news")

    left = everything_stored(desk.store)
    assert CANARY not in left
    assert str(AUTHOR.ip) not in left
    assert not any(digest in left for digest in hashes)


def test_erasure_leaves_a_tombstone_in_the_audit_log(desk: Desk, full_life: CommentId) -> None:
    before = desk.events(full_life)

    desk.moderation.erase(full_life, site_id=desk.site.id, actor="site:news")

    *kept, tombstone = desk.events(full_life)
    assert [(event.id, event.kind, event.actor) for event in kept] == [
        (event.id, event.kind, event.actor) for event in before
    ]
    assert (tombstone.kind, tombstone.actor) == (EventKind.ERASED, "site:news")
    assert (tombstone.from_status, tombstone.to_status) == (Status.REJECTED, Status.ERASED)
    assert desk.status(full_life) is Status.ERASED


def test_erasure_keeps_which_rules_matched_but_not_what_they_quoted(desk: Desk) -> None:
    comment_id = desk.held("Buy secret words.")

    desk.moderation.erase(comment_id, actor="system")

    evidence = desk.evidence(comment_id)
    (hit,) = evidence["hits"]
    assert (hit["rule"], hit["points"], hit["why"], hit["spans"]) == ("two-links", 10, "", [])
    assert evidence["errors"] == [{"rule": "broken", "detail": ""}]
    assert evidence["signals"] == {}


def test_erasure_twice_is_erasure_once(desk: Desk) -> None:
    comment_id = desk.approved()
    desk.moderation.erase(comment_id, actor="site:news")
    story = desk.events(comment_id)

    desk.moderation.erase(comment_id, actor="site:news")

    assert desk.events(comment_id) == story


def test_a_site_cannot_erase_a_comment_of_another(desk: Desk) -> None:
    other = desk.add_site("other")
    comment_id = desk.approved("Mine.")

    with pytest.raises(CommentNotFound):
        desk.moderation.erase(comment_id, site_id=other.site.id, actor="site:other")

    assert desk.get(comment_id).body == "Mine."


def test_a_verdict_that_comes_after_erasure_is_lost(desk: Desk) -> None:
    comment_id = desk.submit()
    desk.moderation.erase(comment_id, actor="site:news")

    assert not desk.judge(comment_id, Status.APPROVED)

    assert desk.status(comment_id) is Status.ERASED


def test_what_was_erased_may_be_sent_again(desk: Desk) -> None:
    first = desk.submit(external_id="42")
    desk.moderation.erase(first, actor="site:news")

    second = desk.submit(external_id="42")

    assert second != first
    with desk.store.read() as db:
        held_by = db.scalars(sa.select(claims.c.comment_id)).all()
    assert set(held_by) == {second}


def test_all_comments_under_an_address_are_erased_whatever_its_case(desk: Desk) -> None:
    other = desk.add_site("other")
    theirs = [
        desk.approved(author=Author("A", "Ann@mail.example")),
        desk.held(author=Author("B", "ann@mail.example"), caller=other),
    ]
    somebody_else = desk.approved(author=Author("C", "joann@mail.example"))

    assert desk.moderation.erase_email(" ANN@mail.example ") == 2
    assert desk.moderation.erase_email("ann@mail.example") == 0

    assert {desk.status(each) for each in theirs} == {Status.ERASED}
    assert desk.status(somebody_else) is Status.APPROVED


@pytest.mark.parametrize("lost", ["author_email", "author_email_hash"])
def test_an_address_is_found_in_plain_or_by_its_hash(desk: Desk, lost: str) -> None:
    comment_id = desk.approved(author=Author("A", "ann@mail.example"))
    desk.set(comment_id, **{lost: "" if lost == "author_email" else None})

    assert desk.moderation.erase_email("ann@mail.example") == 1


def test_more_comments_than_fit_one_transaction_are_erased(desk: Desk) -> None:
    for _ in range(101):
        desk.submit(author=Author("A", "ann@mail.example"))

    assert desk.moderation.erase_email("ann@mail.example") == 101
