"""Websites close their threads, and have every comment of some looked at first."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support.world import World, bearer


def _change(world: World, change: dict[str, Any], key: str | None = None) -> TestResponse:
    return world.client.patch(
        "/v1/threads/article-7", json=change, headers=bearer(key or world.server_key)
    )


def test_a_closed_thread_takes_no_comments_until_it_is_opened_again(world: World) -> None:
    world.post_comment(thread={"id": "article-7"})

    assert _change(world, {"closed": True}).get_json()["closed"] is True
    refused = world.post({"thread": {"id": "article-7"}, **_written("One more.")})
    assert _change(world, {"closed": False}).get_json()["closed"] is False
    taken = world.post({"thread": {"id": "article-7"}, **_written("One more.")})

    assert refused.status_code == 403
    assert refused.get_json()["type"] == "/docs#thread-closed"
    assert taken.status_code == 202


def test_a_thread_of_which_every_comment_is_reviewed_holds_a_harmless_one(world: World) -> None:
    world.post_comment(thread={"id": "article-7"})
    _change(world, {"moderation": "all"})

    held = world.post_comment(thread={"id": "article-7"}, body="Thank you for this report.")
    world.run_worker_once()

    assert world.status(held) == "held"
    assert "site-reviews-every-comment" in world.rules_hit(held)


def test_following_the_site_again_ends_a_threads_own_setting(world: World) -> None:
    world.post_comment(thread={"id": "article-7"})
    _change(world, {"moderation": "all"})

    assert _change(world, {"moderation": "site"}).get_json()["moderation"] is None


def test_threads_of_other_sites_cannot_be_changed(world: World) -> None:
    world.post_comment(thread={"id": "article-7"})
    _, foreign_key = world.second_site()

    assert _change(world, {"closed": True}, foreign_key).status_code == 404
    assert _change(world, {"closed": True}, world.public_key).status_code == 403


def _written(body: str) -> dict[str, Any]:
    return {"author": {"name": "Ana", "email": "ana@example.org"}, "body": body}
