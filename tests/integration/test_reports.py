"""Readers' reports of published comments."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from tests.support.world import ORIGIN, World, bearer

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def report(
    world: World, comment_id: CommentId, payload: Any = None, *, public: bool = True, **options: Any
) -> TestResponse:
    key = bearer(world.public_key) | {"Origin": ORIGIN} if public else bearer(world.server_key)
    return world.client.post(
        f"/v1/comments/{comment_id}/report",
        json={"reason": "abuse"} if payload is None else payload,
        headers=key,
        **options,
    )


def from_address(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_a_reader_reports_an_approved_comment(world: World) -> None:
    comment_id = world.approved_comment()

    answer = report(world, comment_id, {"reason": "abuse", "note": "He means my sister."})

    assert answer.status_code == 202
    assert answer.get_json() == {"status": "received"}
    assert world.row(comment_id).report_count == 1
    assert world.status(comment_id) == "approved"


def test_three_readers_send_a_comment_back_to_review(world: World) -> None:
    comment_id = world.approved_comment()

    for number in range(3):
        report(world, comment_id, **from_address(f"192.0.2.{number}"))

    assert world.status(comment_id) == "held"
    assert world.events(comment_id)[-1].kind == "reopened"


def test_one_reader_counts_once(world: World) -> None:
    comment_id = world.approved_comment()

    answers = [report(world, comment_id) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {202}
    assert world.row(comment_id).report_count == 1
    assert world.status(comment_id) == "approved"


def test_a_website_tells_its_readers_apart(world: World) -> None:
    comment_id = world.approved_comment()

    for reader in ("anna", "bert", "bert"):
        report(world, comment_id, {"reason": "spam", "reader": reader}, public=False)

    assert world.row(comment_id).report_count == 2


def test_a_website_that_does_not_is_one_reader(world: World) -> None:
    comment_id = world.approved_comment()

    for _ in range(3):
        report(world, comment_id, public=False)

    assert world.row(comment_id).report_count == 1


def test_a_reader_s_browser_cannot_say_who_reports(world: World) -> None:
    answer = report(world, world.approved_comment(), {"reason": "spam", "reader": "somebody"})

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/reader"


def test_reports_are_limited_by_reader(world: World) -> None:
    comment_id = world.approved_comment()

    answers = [report(world, comment_id) for _ in range(world.settings.reports_per_minute + 1)]

    assert answers[-2].status_code == 202
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"]
    assert report(world, comment_id, **from_address("192.0.2.9")).status_code == 202


@pytest.mark.parametrize("state", ["pending", "held", "of another site", "unknown"])
def test_what_the_public_cannot_read_cannot_be_reported(world: World, state: str) -> None:
    comment_id = CommentId("01900000-0000-7000-8000-000000000000")
    if state == "pending":
        comment_id = world.post_comment()
    elif state == "held":
        comment_id = world.held_comment()
    elif state == "of another site":
        _, key = world.second_site()
        comment_id = CommentId(world.post(key=key).get_json()["id"])
        world.run_worker_once()

    assert report(world, comment_id).status_code == 404


@pytest.mark.parametrize(
    ("payload", "pointers"),
    [
        ({}, ["/reason"]),
        ({"reason": "ugly"}, ["/reason"]),
        ({"reason": 1, "note": 2, "more": 3}, ["/reason", "/note", "/more"]),
        ({"reason": "spam", "note": "x" * 1_001}, ["/note"]),
        ({"reason": "spam", "note": "\x00"}, ["/note"]),
        ({"reason": "spam", "note": "\ud800"}, ["/note"]),
    ],
)
def test_everything_wrong_with_a_report_is_said_at_once(
    world: World, payload: Any, pointers: list[str]
) -> None:
    answer = report(world, world.approved_comment(), payload)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == pointers


def test_reports_need_a_key_and_the_site_s_own_pages(world: World) -> None:
    path = f"/v1/comments/{world.approved_comment()}/report"
    elsewhere = bearer(world.public_key) | {"Origin": "https://elsewhere.example"}

    assert world.client.post(path, json={"reason": "spam"}).status_code == 401
    assert world.client.post(path, json={"reason": "spam"}, headers=elsewhere).status_code == 403
