"""Deciding on many at once, campaigns, and taking much back."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from service.domain.comment import CommentId
from service.domain.decision import Decision, EventKind, Role
from service.storage.tables import comments
from service.storage.takeback import Doing
from tests.support.signing_in import Person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

SHOP = "Cheap watches at http://watch-shop.com and http://clock-shop.com"


@pytest.fixture
def person(world: World) -> Person:
    """An admin at the console."""
    return signed_in(world)


def ids_on(page: str) -> list[str]:
    return re.findall(r'name="ids"[^>]* value="([^"]+)"', page)


def in_campaign(world: World, *ids: CommentId, name: str = "c0ffee") -> str:
    """Put comments into one campaign, unless judging did so already; return its name."""
    with world.store.write() as db:
        db.execute(sa.update(comments).where(comments.c.id.in_(ids)).values(campaign=name))
    return name


def spam_wave(world: World, count: int = 3) -> list[CommentId]:
    return [world.held_comment(body=f"{SHOP} {number}") for number in range(count)]


class TestBulk:
    """Same author, text, rule or domain."""

    @pytest.fixture
    def wave(self, world: World) -> list[CommentId]:
        """Three alike by one proven author, the first two with one text, and one stranger."""
        author = {"verified_id": "u-1", "email": "seller@mail.example"}
        texts = (SHOP, SHOP, f"{SHOP} again")
        threads = ("a", "b", "c")
        ids = [
            world.held_comment(body=text, author=author, thread={"id": thread})
            for text, thread in zip(texts, threads, strict=True)
        ]
        return [*ids, world.held_comment(author={"email": "seller@mail.example"})]

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("by={0}", [0, 1, 2]),
            ("by={3}", [0, 1, 2, 3]),
            ("like={0}", [0, 1]),
            ("domain=watch-shop.com", [0, 1, 2]),
            ("rule=several-links", [0, 1, 2, 3]),
            ("domain=shop.com", []),
        ],
    )
    def test_the_count_and_samples_come_before_the_decision(
        self, world: World, person: Person, wave: list[CommentId], asked: str, found: list[int]
    ) -> None:
        page = person.page(f"/review/bulk?{asked.format(*wave)}")

        assert set(ids_on(page)) == {wave[index] for index in found}
        assert f"<h1>{len(found)} comment" in page
        assert all(world.status(comment_id) == "held" for comment_id in wave)

    def test_one_decision_and_one_undo_are_for_all(
        self, world: World, person: Person, wave: list[CommentId]
    ) -> None:
        shown = ids_on(person.page(f"/review/bulk?like={wave[0]}"))

        person.send("/review/decisions", decision="spam", reason="advertising", ids=shown)
        decided = [world.status(comment_id) for comment_id in wave]
        person.send("/review/undo")

        assert decided == ["spam", "spam", "held", "held"]
        assert [world.status(comment_id) for comment_id in wave] == ["held"] * 4

    def test_the_open_comment_offers_what_is_like_it(
        self, world: World, person: Person, wave: list[CommentId]
    ) -> None:
        page = unescape(person.page(f"/review?open={wave[0]}"))

        for query in (f"by={wave[0]}", f"like={wave[0]}", "rule=", "domain=watch-shop.com"):
            assert f"/review/bulk?lane=review&{query}" in page


class TestCampaigns:
    """Nearly the same comments, decided once."""

    def test_groups_that_wait_are_listed_across_sites(self, world: World, person: Person) -> None:
        ids = spam_wave(world)
        lonely = world.held_comment()
        name = in_campaign(world, *ids)
        in_campaign(world, lonely, name="1dea")

        page = person.page("/review/campaigns")

        assert "3 wait" in page
        assert f"/review/campaigns/{name}" in page
        assert "1dea" not in page

    def test_one_decision_is_for_the_group_and_one_may_be_left_out(
        self, world: World, person: Person
    ) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)
        page = person.page(f"/review/campaigns/{name}")

        person.send(f"/review/campaigns/{name}", decision="spam", ids=ids[:2])

        assert set(ids_on(page)) == set(ids)
        assert [world.status(each) for each in ids] == ["spam", "spam", "held"]

    @pytest.mark.parametrize("decision", ["reject", "spam"])
    def test_new_members_follow_a_rejection_that_links_to_the_same_domains(
        self, world: World, person: Person, decision: str
    ) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)
        person.send(f"/review/campaigns/{name}", decision=decision, ids=ids, follow="on")

        later = follower(world, name, f"{SHOP} later")
        elsewhere = follower(world, name, "Cheap watches at http://other-shop.com and http://b.com")

        assert world.status(later) == {"reject": "rejected", "spam": "spam"}[decision]
        assert world.status(elsewhere) == "held"
        event = world.events(later)[-1]
        assert (event.kind, event.actor) == (EventKind.DECISION, "campaign:anna")
        shown = person.page(f"/review/{later}")
        assert "anna’s decision on the campaign" in shown
        assert "watch-shop.com" in person.page("/review/campaigns")

    def test_undoing_the_decision_frees_the_followers_and_ends_the_following(
        self, world: World, person: Person
    ) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)
        person.send(f"/review/campaigns/{name}", decision="spam", ids=ids, follow="on")
        follower_id = follower(world, name, f"{SHOP} later")

        person.send("/review/undo")
        latest = follower(world, name, f"{SHOP} latest")

        assert world.status(follower_id) == "held"
        assert world.status(latest) == "held"
        assert [world.status(each) for each in ids] == ["held"] * 3

    def test_approvals_are_never_followed(self, world: World, person: Person) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)

        person.send(f"/review/campaigns/{name}", decision="approve", ids=ids, follow="on")

        assert world.status(follower(world, name, f"{SHOP} later")) == "held"

    def test_nothing_is_followed_without_links_or_unasked(
        self, world: World, person: Person
    ) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)
        person.send(f"/review/campaigns/{name}", decision="spam", ids=ids)
        plain = [world.approved_comment(body=f"A calm remark of some length, {n}") for n in (1, 2)]
        other = in_campaign(world, *plain, name="ca1f")
        person.send(f"/review/campaigns/{other}", decision="spam", ids=plain, follow="on")

        assert world.status(follower(world, name, f"{SHOP} later")) == "held"
        assert world.status(follower(world, other, "A calm remark of some length, 3")) == "approved"

    def test_following_ends_after_seven_days(self, world: World, person: Person) -> None:
        ids = spam_wave(world)
        name = in_campaign(world, *ids)
        person.send(f"/review/campaigns/{name}", decision="spam", ids=ids, follow="on")
        with world.store.write() as db:
            db.execute(sa.text("UPDATE followed SET ends_at = ends_at - 7 * 86400000 - 60000"))

        assert world.status(follower(world, name, f"{SHOP} later")) == "held"

    def test_an_unknown_campaign_is_not_found(self, person: Person) -> None:
        assert person.client.get("/review/campaigns/nothing").status_code == 404


def follower(world: World, campaign: str, body: str) -> CommentId:
    """Return a comment of the campaign that was judged after the decision."""
    comment_id = world.post_comment(body=body)
    in_campaign(world, comment_id, name=campaign)
    world.run_worker_once()
    return comment_id


class TestTakeBack:
    """All that a rule or a person did between two times."""

    def ask(self, what: str, **hours: float) -> dict[str, str]:
        now = datetime.now(UTC)
        times = {"since": hours.get("since", -1), "until": hours.get("until", 1)}
        return {"what": what} | {
            name: (now + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M")
            for name, hour in times.items()
        }

    def test_a_dry_run_counts_and_changes_nothing(self, world: World, person: Person) -> None:
        ids = spam_wave(world)

        page = person.client.get(
            "/review/take-back", query_string=self.ask("rule:several-links")
        ).get_data(as_text=True)

        assert "3 comments would change" in page
        assert "Cheap watches" in page
        assert [world.status(each) for each in ids] == ["held"] * 3

    def test_what_a_rule_alone_held_is_approved_and_undone(
        self, world: World, person: Person
    ) -> None:
        ids = spam_wave(world)
        person.send("/review/take-back", **self.ask("rule:several-links"))
        taken = [world.status(each) for each in ids]
        events = [world.events(each)[-1] for each in ids]

        person.send("/review/undo")

        assert taken == ["approved"] * 3
        assert {(e.kind, e.note) for e in events} == {(EventKind.RULE_WRONG, "several-links")}
        assert [world.status(each) for each in ids] == ["held"] * 3

    def test_a_rule_that_was_not_alone_holds_on(self, world: World, person: Person) -> None:
        body = "See http://one-shop.com and http://two-shop.com\x80"
        ids = [world.held_comment(body=f"{body} {number}") for number in range(3)]
        assert "control-characters" in world.rules_hit(ids[0])

        person.send("/review/take-back", **self.ask("rule:control-characters"))

        assert [world.status(each) for each in ids] == ["held"] * 3

    def test_a_person_s_decisions_go_back_where_they_still_stand(
        self, world: World, person: Person
    ) -> None:
        ids = spam_wave(world)
        bert, _ = world.second_moderator("bert")
        for comment_id in ids:
            world.moderation.decide(comment_id, Decision.SPAM, moderator=bert, version=2)
        world.moderation.decide(ids[0], Decision.APPROVE, moderator=world.moderator, version=3)
        asked = self.ask("moderator:bert")
        page = person.client.get("/review/take-back", query_string=asked).get_data(as_text=True)

        person.send("/review/take-back", **asked)

        assert "2 comments would change" in page
        assert "1 more were changed by somebody since" in page
        assert [world.status(each) for each in ids] == ["approved", "held", "held"]

    def test_only_the_time_asked_for_is_taken_back(self, world: World, person: Person) -> None:
        (comment_id,) = spam_wave(world, 1)
        world.moderation.decide(comment_id, Decision.SPAM, moderator=world.moderator, version=2)

        for hours in ({"since": -9, "until": -8}, {"since": 8, "until": 9}):
            person.send("/review/take-back", **self.ask("moderator:mod", **hours))

        assert world.status(comment_id) == "spam"

    def test_more_than_one_transaction_s_worth_is_one_batch(
        self, world: World, person: Person
    ) -> None:
        ids = [world.post_comment(body=f"{SHOP} {number}") for number in range(12)]
        world.run_worker_once()
        result: Any = world.moderation.take_back(
            [
                *(doing(each) for each in ids),
                *(doing(CommentId(f"{n:08}-0000-0000-0000-000000000000")) for n in range(500)),
            ],
            world.moderator,
            rule="several-links",
        )

        assert len(result.decided) == 12
        assert len(result.unchanged) == 500
        assert {world.events(each)[-2].batch for each in ids} == {result.batch}

    @pytest.mark.parametrize(
        "changes",
        [{"what": "nobody"}, {"what": ""}, {"since": "yesterday"}, {"until": "2026-13-01T00:00"}],
    )
    def test_what_makes_no_sense_is_refused(self, person: Person, changes: dict[str, str]) -> None:
        asked = self.ask("moderator:mod") | changes

        assert person.send("/review/take-back", **asked).status_code == 422

    def test_moderators_take_nothing_back_but_their_own_last(self, world: World) -> None:
        person = signed_in(world, "otto", Role.MODERATOR)

        assert person.client.get("/review/take-back").status_code == 403
        answer = person.send("/review/take-back", **self.ask("moderator:mod"))
        assert answer.status_code == 403


def doing(comment_id: CommentId) -> Doing:
    return Doing(comment_id)
