"""What everybody may read: threads, pages, counts."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from service.domain.comment import CommentId
from service.domain.decision import Decision
from tests.support.world import World

THREAD = "/v1/sites/news/threads/an-article/comments"
COUNTS = "/v1/sites/news/counts"

#: For what does not depend on the database.
on_one_database = pytest.mark.parametrize("dialect", ["sqlite"])


def read(world: World, path: str = THREAD, **query: str) -> dict[str, Any]:
    answer = world.client.get(path, query_string=query)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    page: dict[str, Any] = answer.get_json()
    return page


def reject(world: World, comment_id: CommentId) -> None:
    world.moderation.decide(
        comment_id,
        Decision.REJECT,
        moderator=world.moderator,
        version=world.row(comment_id).version,
    )


def approved(world: World, count: int, **changes: Any) -> list[CommentId]:
    ids = [world.post_comment(**changes) for _ in range(count)]
    world.run_worker_once()
    assert {world.status(comment_id) for comment_id in ids} == {"approved"}
    return ids


def every_comment(comments: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for comment in comments:
        yield comment
        yield from every_comment(comment.get("replies", []))


def test_only_approved_comments_are_read_oldest_first(world: World) -> None:
    first, second = approved(world, 2)
    held = world.held_comment()
    pending = world.post_comment()

    page = read(world)

    assert [comment["id"] for comment in page["comments"]] == [first, second]
    assert page["count"] == 2
    assert page["next"] is None
    assert world.status(held) == "held"
    assert world.status(pending) == "pending"


@on_one_database
def test_a_comment_comes_as_text_and_as_safe_html(world: World) -> None:
    world.approved_comment(body="<b>Bold</b>\nnext")

    (comment,) = read(world)["comments"]

    assert comment["body"] == "<b>Bold</b>\nnext"
    assert comment["html"] == "<p>&lt;b&gt;Bold&lt;/b&gt;<br>next</p>"


@pytest.mark.parametrize("view", ["tree", "flat"])
def test_nothing_but_the_public_members_is_told(world: World, view: str) -> None:
    world.approved_comment(author={"name": "Ida", "email": "ida@secret.example", "ip": "10.9.8.7"})

    page = read(world, view=view)

    (comment,) = page["comments"]
    public = {"id", "parent_id", "depth", "author", "body", "html", "created_at"}
    assert set(comment) - {"replies"} == public
    assert comment["author"] == {"name": "Ida", "url": ""}
    assert comment["created_at"].endswith("Z")
    assert "secret.example" not in str(page)
    assert "10.9.8.7" not in str(page)


def test_replies_are_nested_or_all_in_a_row(world: World) -> None:
    root = world.approved_comment()
    other = world.approved_comment()
    reply = world.approved_comment(parent_id=root)
    deeper = world.approved_comment(parent_id=reply)

    tree, flat = read(world), read(world, view="flat")

    first, second = tree["comments"]
    assert (first["id"], second["id"]) == (root, other)
    assert first["replies"][0]["id"] == reply
    assert first["replies"][0]["replies"][0]["id"] == deeper
    assert [comment["id"] for comment in flat["comments"]] == [root, other, reply, deeper]
    assert [comment["parent_id"] for comment in flat["comments"]] == [None, None, root, reply]
    assert [comment["depth"] for comment in flat["comments"]] == [1, 1, 2, 3]


@pytest.mark.parametrize("view", ["tree", "flat"])
def test_a_reply_moves_up_to_the_nearest_approved_comment(world: World, view: str) -> None:
    root = world.approved_comment()
    middle = world.approved_comment(parent_id=root)
    lowest = world.approved_comment(parent_id=middle)
    deepest = world.approved_comment(parent_id=lowest)

    reject(world, middle)
    reject(world, lowest)

    shown = {
        comment["id"]: comment for comment in every_comment(read(world, view=view)["comments"])
    }
    assert set(shown) == {root, deepest}
    assert shown[deepest]["parent_id"] == root


def test_a_conversation_outlives_its_root(world: World) -> None:
    root = world.approved_comment()
    reply = world.approved_comment(parent_id=root)

    reject(world, root)

    (comment,) = read(world)["comments"]
    assert comment["id"] == reply
    assert comment["parent_id"] is None


@pytest.mark.parametrize("view", ["tree", "flat"])
def test_pages_of_fifty_follow_one_another_without_gap_or_repetition(
    world: World, view: str
) -> None:
    ids = approved(world, 101)

    seen: list[str] = []
    query: dict[str, str] = {"view": view}
    sizes = []
    while True:
        page = read(world, **query)
        seen += [comment["id"] for comment in page["comments"]]
        sizes.append(len(page["comments"]))
        assert page["count"] == 101
        if page["next"] is None:
            break
        query["after"] = page["next"]

    assert seen == ids
    assert sizes == [50, 50, 1]


def test_a_page_of_the_tree_keeps_conversations_whole(world: World) -> None:
    roots = approved(world, 51)
    late = world.approved_comment(parent_id=roots[0])

    first = read(world)
    second = read(world, after=first["next"])

    assert [comment["id"] for comment in first["comments"]] == roots[:50]
    assert first["comments"][0]["replies"][0]["id"] == late
    assert [comment["id"] for comment in second["comments"]] == roots[50:]


def test_a_reader_who_has_the_page_gets_304_until_it_changes(world: World) -> None:
    comment_id = world.approved_comment()
    tag = world.client.get(THREAD).headers["ETag"]

    unchanged = world.client.get(THREAD, headers={"If-None-Match": tag})
    reject(world, comment_id)
    changed = world.client.get(THREAD, headers={"If-None-Match": tag})

    assert unchanged.status_code == 304
    assert unchanged.data == b""
    assert unchanged.headers["ETag"] == tag
    assert unchanged.headers["Cache-Control"] == "public, max-age=5"
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


@on_one_database
def test_both_views_of_a_thread_have_tags_of_their_own(world: World) -> None:
    world.approved_comment()

    tags = {world.client.get(THREAD, query_string={"view": view}).headers["ETag"]
            for view in ("tree", "flat")}  # fmt: skip

    assert len(tags) == 2


@on_one_database
def test_answers_may_be_cached_and_read_from_any_origin(world: World) -> None:
    answer = world.client.get(THREAD, headers={"Origin": "https://anywhere.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=5"
    assert "Set-Cookie" not in answer.headers


def test_an_unknown_site_is_404_and_an_unknown_thread_is_empty(world: World) -> None:
    unknown_site = world.client.get("/v1/sites/nobody/threads/an-article/comments")
    unknown_thread = read(world, "/v1/sites/news/threads/nothing/comments")

    assert unknown_site.status_code == 404
    assert unknown_site.mimetype == "application/problem+json"
    assert unknown_thread == {"comments": [], "next": None, "count": 0}


@pytest.mark.parametrize(
    "key",
    [
        "https://news.example/2026/a?b=c&d=e",
        "/starts/with/a/slash",
        "ends/with/comments",
        "space and 100% ümlaut",
        "emoji 😀",
        "..",
    ],
)
def test_any_key_finds_its_thread(world: World, key: str) -> None:
    comment_id = world.approved_comment(thread={"id": key})

    page = read(world, f"/v1/sites/news/threads/{quote(key, safe='')}/comments")

    assert [comment["id"] for comment in page["comments"]] == [comment_id]


@on_one_database
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"view": "circle"}, "/view"),
        ({"after": "not a cursor"}, "/after"),
        ({"page": "2"}, "/page"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    world: World, query: dict[str, str], pointer: str
) -> None:
    answer = world.client.get(THREAD, query_string=query)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize("path", ["/v1/sites/a%00b/threads/x/comments",
                                  "/v1/sites/news/threads/a%00b/comments"])  # fmt: skip
def test_a_key_that_no_database_can_hold_is_404(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 404


def test_another_sites_thread_of_the_same_name_stays_apart(world: World) -> None:
    world.second_site("other")
    world.approved_comment()

    assert read(world, "/v1/sites/other/threads/an-article/comments")["count"] == 0


def test_many_threads_are_counted_at_once(world: World) -> None:
    approved(world, 2)
    world.approved_comment(thread={"id": "another"})
    world.held_comment(thread={"id": "another"})

    answer = world.client.post(COUNTS, json={"threads": ["an-article", "another", "nothing"]})

    assert answer.status_code == 200
    assert answer.get_json() == {"counts": {"an-article": 2, "another": 1, "nothing": 0}}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@on_one_database
@pytest.mark.parametrize(
    "question",
    [
        pytest.param({"threads": ["x"] * 201}, id="too many"),
        pytest.param({"threads": [1]}, id="no text"),
        pytest.param({"threads": ["a\x00b"]}, id="NUL"),
        pytest.param({"threads": ["\ud800"]}, id="half a character"),
        pytest.param({"threads": [], "more": 1}, id="unknown field"),
        pytest.param({}, id="nothing asked"),
        pytest.param([], id="no object"),
    ],
)
def test_a_wrong_question_for_counts_is_refused(world: World, question: object) -> None:
    assert world.client.post(COUNTS, json=question).status_code == 422


@on_one_database
def test_browsers_may_ask_for_counts_from_any_origin(world: World) -> None:
    answer = world.client.options(
        COUNTS,
        headers={
            "Origin": "https://anywhere.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()


@on_one_database
def test_reading_works_while_the_job_queue_is_away(build_world: Callable[..., World]) -> None:
    world = build_world({"REDIS_URL": "redis://127.0.0.1:1/0"})

    assert read(world)["count"] == 0
