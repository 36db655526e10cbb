"""Receipts: what an author learns, and taking a comment back."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from service.domain.decision import Decision
from service.storage.sites import thread_by_key, update_site, update_thread
from tests.support.world import World, bearer

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def path_of(world: World, comment_id: CommentId) -> str:
    return f"/v1/receipts/{world.services.keyring.receipt(comment_id)}"


def receipt(world: World, comment_id: CommentId) -> dict[str, Any]:
    answer = world.client.get(path_of(world, comment_id))
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def decide(world: World, comment_id: CommentId, decision: Decision) -> None:
    world.moderation.decide(
        comment_id, decision, moderator=world.moderator, version=world.row(comment_id).version
    )


def withdraw(world: World, comment_id: CommentId, **headers: str) -> TestResponse:
    return world.client.post(f"{path_of(world, comment_id)}/withdraw", headers=headers)


def review_everything_in(world: World, thread_key: str) -> None:
    with world.store.write() as db:
        thread = thread_by_key(db, world.site.id, thread_key)
        assert thread is not None
        update_thread(db, thread.id, moderation="all")


def test_the_link_given_at_the_door_leads_to_the_receipt(world: World) -> None:
    answer = world.post()
    link = answer.get_json()["receipt_url"].removeprefix(world.settings.base_url)

    told = world.client.get(link).get_json()

    assert told["id"] == answer.get_json()["id"]
    assert told["status"] == "pending"
    assert "awaits moderation" in told["message"]
    assert told["house_rule"] is None
    assert told["can_withdraw"] is True


def test_a_held_comment_tells_the_kind_of_comment_that_waits_but_no_rule(world: World) -> None:
    comment_id = world.held_comment()

    told = receipt(world, comment_id)

    assert told["status"] == "held"
    assert "links from new writers, are read by a person first" in told["house_rule"]
    rules = {hit["rule"] for hit in world.verdict(comment_id)["hits"]}
    assert rules
    assert not any(rule in str(told) for rule in rules)


def test_a_site_that_reviews_everything_says_so(world: World) -> None:
    key = "closely-watched"
    world.approved_comment(thread={"id": key})
    review_everything_in(world, key)

    comment_id = world.judged_comment(thread={"id": key})

    assert receipt(world, comment_id)["house_rule"] == (
        "On this site a person reads every comment before it appears."
    )


@pytest.mark.parametrize(
    ("decision", "status", "words"),
    [
        (Decision.APPROVE, "approved", "is published"),
        (Decision.REJECT, "rejected", "decided not to publish"),
        (Decision.SPAM, "spam", "took it for advertising"),
    ],
)
def test_a_decision_is_told_in_plain_words(
    world: World, decision: Decision, status: str, words: str
) -> None:
    comment_id = world.held_comment()

    decide(world, comment_id, decision)

    told = receipt(world, comment_id)
    assert told["status"] == status
    assert words in told["message"]
    assert told["house_rule"] is None
    assert told["can_withdraw"] is False


@pytest.mark.parametrize("state", ["pending", "held"])
def test_an_author_takes_a_comment_back(world: World, state: str) -> None:
    comment_id = world.post_comment() if state == "pending" else world.held_comment()

    answer = withdraw(world, comment_id)
    again = withdraw(world, comment_id)

    assert answer.status_code == again.status_code == 200
    assert answer.get_json()["status"] == "withdrawn"
    assert answer.get_json()["can_withdraw"] is False
    assert world.events(comment_id)[-1].actor == "author"


def test_a_published_comment_cannot_be_taken_back(world: World) -> None:
    comment_id = world.approved_comment()

    answer = withdraw(world, comment_id)

    assert answer.status_code == 409
    assert answer.get_json()["current_status"] == "approved"
    assert world.status(comment_id) == "approved"


def test_browsers_get_a_page_with_a_button(world: World) -> None:
    comment_id = world.held_comment(author={"name": "<b>Ida</b>"})

    answer = world.client.get(path_of(world, comment_id), headers=BROWSER)

    page = answer.get_data(as_text=True)
    assert answer.mimetype == "text/html"
    assert "Waiting for a person" in page
    assert "links from new writers, are read by a person first" in page
    assert f'action="{path_of(world, comment_id)}/withdraw"' in page


def test_the_button_leads_back_to_the_receipt(world: World) -> None:
    comment_id = world.held_comment()

    answer = withdraw(world, comment_id, **BROWSER)
    page = world.client.get(answer.headers["Location"], headers=BROWSER).get_data(as_text=True)

    assert answer.status_code == 303
    assert "You took this comment back" in page
    assert "Take the comment back" not in page


def test_an_author_who_comes_too_late_is_told_on_a_page(world: World) -> None:
    comment_id = world.approved_comment()

    answer = withdraw(world, comment_id, **BROWSER)

    assert answer.status_code == 409
    assert answer.mimetype == "text/html"
    assert "too late" in answer.get_data(as_text=True)


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/plain"])
def test_everybody_but_browsers_gets_json(world: World, accept: str) -> None:
    path = path_of(world, world.post_comment())

    assert world.client.get(path, headers={"Accept": accept}).mimetype == "application/json"


@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_receipts_are_kept_by_nobody_and_told_to_nobody(
    world: World, headers: dict[str, str]
) -> None:
    answer = world.client.get(path_of(world, world.post_comment()), headers=headers)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Accept" in answer.headers["Vary"]


def test_the_page_shows_the_site_s_house_rules(world: World) -> None:
    with world.store.write() as db:
        update_site(db, world.site.id, house_rules="Be kind.\nNo <adverts>.")

    page = world.client.get(path_of(world, world.post_comment()), headers=BROWSER)

    assert "Be kind.\nNo &lt;adverts&gt;." in page.get_data(as_text=True)


@pytest.mark.parametrize("change", ["made up", "one letter", "padding", "other comment's id"])
def test_only_the_genuine_token_opens_a_receipt(world: World, change: str) -> None:
    token = world.services.keyring.receipt(world.post_comment())
    forged = {
        "made up": "x" * 43,
        "one letter": token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        "padding": token + "=",
        "other comment's id": "A" + token[1:] if token[0] != "A" else "B" + token[1:],
    }[change]

    for path in (f"/v1/receipts/{forged}", f"/v1/receipts/{forged}/withdraw"):
        method = "POST" if path.endswith("withdraw") else "GET"
        assert world.client.open(path, method=method).status_code == 404


def test_a_receipt_of_an_erased_comment_still_says_so(world: World) -> None:
    comment_id = world.approved_comment()
    world.client.delete(f"/v1/comments/{comment_id}", headers=bearer(world.server_key))

    assert receipt(world, comment_id)["status"] == "erased"
