"""A website's own comments: reading one, erasing one."""

import pytest

from tests.support.world import World, bearer

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

UNKNOWN = "01900000-0000-7000-8000-000000000000"


def test_a_site_sees_status_version_and_the_whole_verdict(world: World) -> None:
    comment_id = world.held_comment(
        author={"name": "Ida", "email": "ida@mail.example", "ip": "10.9.8.7"}
    )

    told = world.get(comment_id)

    assert told["status"] == "held"
    assert told["version"] == 2
    assert told["thread"] == {
        "id": "an-article", "url": "https://news.example/an-article", "title": "An article"
    }  # fmt: skip
    assert told["author"]["email"] == "ida@mail.example"
    assert told["author"]["ip"] == "10.9.8.7"
    assert told["verdict"] == world.verdict(comment_id)


def test_there_is_no_verdict_before_the_comment_was_judged(world: World) -> None:
    told = world.get(world.post_comment())

    assert told["status"] == "pending"
    assert told["verdict"] is None
    assert told["judged_at"] is None


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_sites_comment_does_not_exist(world: World, method: str) -> None:
    _, other_key = world.second_site()
    comment_id = world.post_comment()

    answer = world.client.open(
        f"/v1/comments/{comment_id}", method=method, headers=bearer(other_key)
    )

    assert answer.status_code == 404
    assert world.status(comment_id) == "pending"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    ("key", "status"), [("none", 401), ("made up", 401), ("public", 403), ("moderator", 401)]
)
def test_only_a_server_key_opens_a_comment(
    world: World, method: str, key: str, status: int
) -> None:
    keys = {"made up": "sk_made_up", "public": world.public_key, "moderator": world.token}
    headers = bearer(keys[key]) | {"Origin": "https://news.example"} if key in keys else {}

    answer = world.client.open(
        f"/v1/comments/{world.post_comment()}", method=method, headers=headers
    )

    assert answer.status_code == status


@pytest.mark.parametrize("comment_id", [UNKNOWN, "nonsense", "%00"])
def test_an_unknown_comment_is_404(world: World, comment_id: str) -> None:
    answer = world.client.get(f"/v1/comments/{comment_id}", headers=bearer(world.server_key))

    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_an_erased_comment_leaves_a_tombstone(world: World) -> None:
    comment_id = world.approved_comment(author={"name": "Ida", "email": "ida@mail.example"})

    first = world.client.delete(f"/v1/comments/{comment_id}", headers=bearer(world.server_key))
    again = world.client.delete(f"/v1/comments/{comment_id}", headers=bearer(world.server_key))
    told = world.get(comment_id)

    assert (first.status_code, again.status_code) == (204, 204)
    assert told["status"] == "erased"
    assert told["body"] == ""
    assert told["author"]["name"] == told["author"]["email"] == ""
    assert world.events(comment_id)[-1].actor == "site:news"
