"""Authors who are trusted or muted, and likely spam that is called by its name."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.comment import CommentId
from service.domain.decision import EventKind, Role
from service.storage.tables import comments
from tests.support.signing_in import Person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

PROVEN = {"verified_id": "user-7", "email": "ida@mail.example", "email_verified": True}


@pytest.fixture
def person(world: World) -> Person:
    """A moderator at the console."""
    return signed_in(world, "anna", Role.ADMIN)


def give(person: Person, comment_id: CommentId, standing: str, days: int = 7) -> Any:
    path = f"/review/authors/{comment_id}"
    return person.send(f"{path}/standing", onto=path, standing=standing, days=days)


def links(world: World, **author: Any) -> CommentId:
    """Return a comment that rules hold for its links alone, once it is judged."""
    return world.judged_comment(
        author=author, body="See http://one-shop.com and http://two-shop.com for the documents."
    )


def test_a_muted_author_waits_for_a_person_and_is_never_rejected(
    world: World, person: Person
) -> None:
    first = world.approved_comment(author=PROVEN)
    give(person, first, "muted")

    later = world.judged_comment(author=PROVEN, body="Another calm remark.")

    assert world.status(later) == "held"
    event = world.events(later)[-1]
    assert (event.kind, event.actor) == (EventKind.STANDING, "moderator:anna")
    assert event.note == "Its author is muted"
    assert str(later) in person.page()


def test_a_trusted_author_is_not_held_for_links(world: World, person: Person) -> None:
    first = links(world, **PROVEN)
    held = world.status(first)
    give(person, first, "trusted")

    assert held == "held"
    assert world.status(links(world, **PROVEN | {"name": "Ida again"})) == "approved"


def test_trust_passes_over_nothing_but_spam(world: World, person: Person) -> None:
    first = links(world, **PROVEN)
    give(person, first, "trusted")
    with world.store.write() as db:
        db.execute(sa.text("UPDATE sites SET moderation = 'all'"))

    assert world.status(links(world, **PROVEN)) == "held"


@pytest.mark.parametrize("standing", ["trusted", "muted"])
def test_nobody_is_trusted_or_muted_by_what_anybody_can_type(
    world: World, person: Person, standing: str
) -> None:
    unproven = world.approved_comment(author={"email": "ida@mail.example", "name": "Ida"})
    give(person, world.approved_comment(author=PROVEN), standing)

    answer = give(person, unproven, standing)
    impostor = world.judged_comment(author={"email": "ida@mail.example"}, body="Calm as ever.")

    assert answer.status_code == 422
    assert "does not vouch" in person.page(f"/review/authors/{unproven}")
    assert world.status(impostor) == "approved"
    assert world.status(links(world, email="ida@mail.example")) == "held"


def test_a_standing_is_of_one_site(world: World, person: Person) -> None:
    _, key = world.second_site("other")
    give(person, world.approved_comment(author=PROVEN), "muted")

    answer = world.post(
        {"thread": {"id": "x"}, "author": PROVEN | {"name": "Ida"}, "body": "Calm."}, key=key
    )
    world.run_worker_once()

    assert world.status(CommentId(answer.get_json()["id"])) == "approved"


def test_a_standing_ends_by_itself(world: World, person: Person) -> None:
    give(person, world.approved_comment(author=PROVEN), "muted", days=1)
    with world.store.write() as db:
        db.execute(sa.text("UPDATE standings SET ends_at = ends_at - 86400000"))

    later = world.judged_comment(author=PROVEN, body="Another calm remark.")

    assert world.status(later) == "approved"


def test_a_standing_is_taken_back_on_the_author_s_page(world: World, person: Person) -> None:
    first = world.approved_comment(author=PROVEN)
    give(person, first, "muted")
    path = f"/review/authors/{first}"
    shown = person.page(path)

    person.send(f"{path}/standing/take-back", onto=path)
    later = world.judged_comment(author=PROVEN, body="Another calm remark.")

    assert "<strong>Muted</strong> by <bdi>anna</bdi>" in shown
    assert world.status(later) == "approved"


def test_undo_takes_a_mute_back_before_the_decision_that_came_first(
    world: World, person: Person
) -> None:
    first = links(world, **PROVEN)
    person.send(f"/review/{first}/decision", decision="spam", version=2)
    give(person, first, "muted")

    told = []
    for _ in range(2):
        answer = person.send("/review/undo")
        told.append(unescape(person.page(answer.headers["Location"])))

    assert "The author is not muted any more." in told[0]
    assert "1 comment put back" in told[1]


class TestLikelySpam:
    """The switch that marks what is likely spam anyway."""

    @pytest.fixture
    def old(self, world: World) -> list[CommentId]:
        """A comment that is likely spam, and one that needs review, both of last month."""
        ids = [links(world), links(world)]
        month = timedelta(days=31)
        with world.store.write() as db:
            for comment_id in ids:
                row = world.row(comment_id)
                change = sa.update(comments).where(comments.c.id == comment_id)
                db.execute(change.values(created_at=row.created_at - month, severity=2))
            of_other = comments.c.id == ids[1]
            db.execute(sa.update(comments).where(of_other).values(spam_only=False))
        return ids

    def test_it_is_off_as_shipped(self, world: World, old: list[CommentId]) -> None:
        assert world.moderation.clear_likely_spam() == 0
        assert [world.status(each) for each in old] == ["held", "held"]

    def test_only_likely_spam_is_marked_and_the_event_names_the_switch(
        self, world: World, person: Person, old: list[CommentId]
    ) -> None:
        fresh = links(world)
        with world.store.write() as db:
            db.execute(sa.update(comments).values(severity=2))
        person.send("/review/likely-spam", days=7)

        assert world.moderation.clear_likely_spam() == 1
        assert [world.status(each) for each in (*old, fresh)] == ["spam", "held", "held"]
        event = world.events(old[0])[-1]
        assert event.actor == "switch:anna"
        assert "likely_spam_days" in event.note
        answer = person.send("/review/undo", batch=event.batch)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        assert world.status(old[0]) == "held"

    def test_it_can_be_switched_off(
        self, world: World, person: Person, old: list[CommentId]
    ) -> None:
        person.send("/review/likely-spam", days=7)
        shown = person.page("/review?lane=likely_spam")
        person.send("/review/likely-spam", days=0)

        assert "<bdi>anna</bdi> switched that on" in shown
        assert world.moderation.clear_likely_spam() == 0

    def test_only_admins_turn_it(self, world: World, old: list[CommentId]) -> None:
        person = signed_in(world, "otto", Role.SENIOR)

        assert person.send("/review/likely-spam", days=7).status_code == 403
        assert world.moderation.clear_likely_spam() == 0
