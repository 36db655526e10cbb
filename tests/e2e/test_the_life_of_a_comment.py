"""The main job from end to end: websites post, workers judge, people review, readers read."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.support.http_service import Answer
from tests.support.installation import Installation
from tests.support.waiting import wait_until
from tests.support.world import bearer, comment_json

LINKS = "See http://example.com/a and http://example.org/b and http://example.net/c."


@pytest.fixture
def thread(request: pytest.FixtureRequest) -> str:
    """A thread of this test's own."""
    return str(request.node.name)


def posted(live: Installation, thread: str, **changes: Any) -> dict[str, Any]:
    """Post a comment and return the answer's members."""
    answer = live.post(comment_json(thread={"id": thread}, **changes))
    assert answer.status == 202, answer.body
    found: dict[str, Any] = answer.json()
    return found


def public(live: Installation, thread: str, **headers: str) -> Answer:
    """Read the thread as anybody may."""
    site = live.credentials["site"]
    return live.request("GET", f"/v1/sites/{site}/threads/{quote(thread)}/comments", None, headers)


def published(live: Installation, thread: str) -> list[str]:
    """Return the texts under the article."""
    return [comment["body"] for comment in public(live, thread).json()["comments"]]


def as_moderator(live: Installation, method: str, path: str, payload: Any = None) -> Answer:
    """Ask the review API as the first moderator."""
    return live.request(method, path, payload, bearer(live.credentials["api_token"]))


def receipt(live: Installation, url: str, method: str = "GET", action: str = "") -> Answer:
    """Open a receipt as a program."""
    path = urlsplit(url).path + action
    return live.request(method, path, None, {"Accept": "application/json"})


def test_an_approved_comment_is_published_with_nothing_private(
    live: Installation, thread: str
) -> None:
    sent = posted(live, thread, body="Plain **words**.", author={"email": "hidden@mail.example"})
    assert live.judged(sent["id"])["status"] == "approved"
    page = public(live, thread)
    [comment] = page.json()["comments"]
    assert (comment["id"], comment["body"]) == (sent["id"], "Plain **words**.")
    assert b"hidden@mail" not in page.body
    assert live.comment(sent["id"])["author"]["ip"].encode() not in page.body


def test_readers_are_told_when_nothing_changed(live: Installation, thread: str) -> None:
    live.judged(posted(live, thread)["id"])
    tag = public(live, thread).headers["etag"]
    assert public(live, thread, **{"If-None-Match": tag}).status == 304
    live.judged(posted(live, thread)["id"])
    assert public(live, thread, **{"If-None-Match": tag}).status == 200


def test_a_held_comment_waits_for_a_person_who_sees_every_reason(
    live: Installation, thread: str
) -> None:
    comment_id = posted(live, thread, body=LINKS)["id"]
    verdict = live.judged(comment_id)["verdict"]
    assert verdict["status"] == "held"
    assert published(live, thread) == []

    listed = as_moderator(live, "GET", f"/v1/review/comments?thread={quote(thread)}").json()
    assert [comment["id"] for comment in listed["comments"]] == [comment_id]
    seen = as_moderator(live, "GET", f"/v1/review/comments/{comment_id}").json()
    assert [hit["why"] for hit in seen["verdict"]["hits"]] == [h["why"] for h in verdict["hits"]]

    decided = live.decide(comment_id, "approve", seen["version"])
    assert decided.status == 200, decided.body
    assert published(live, thread) == [LINKS]
    events = as_moderator(live, "GET", f"/v1/review/comments/{comment_id}").json()["events"]
    moderator = live.credentials["moderator"]
    assert [event["actor"] for event in events] == ["rules", f"moderator:{moderator}"]


def test_a_second_moderator_learns_what_the_first_decided(live: Installation, thread: str) -> None:
    comment_id = posted(live, thread, body=LINKS)["id"]
    version = live.judged(comment_id)["version"]
    assert live.decide(comment_id, "spam", version).status == 200
    late = live.decide(comment_id, "approve", version)
    assert late.status == 409
    assert late.json()["current_status"] == "spam"
    assert published(live, thread) == []


def test_many_decisions_are_taken_back_at_once(live: Installation, thread: str) -> None:
    ids = [posted(live, thread, body=f"{LINKS} {n}")["id"] for n in range(5)]
    for comment_id in ids:
        live.judged(comment_id)
    batch = as_moderator(
        live, "POST", "/v1/review/decisions", {"ids": ids, "decision": "approve"}
    ).json()["batch"]
    assert len(published(live, thread)) == 5
    assert as_moderator(live, "POST", "/v1/review/undo", {"batch": batch}).status == 200
    assert published(live, thread) == []
    assert {live.comment(comment_id)["status"] for comment_id in ids} == {"held"}


def test_an_author_follows_and_takes_back_what_waits(live: Installation, thread: str) -> None:
    sent = posted(live, thread, body=LINKS)
    live.judged(sent["id"])
    told = receipt(live, sent["receipt_url"]).json()
    assert (told["status"], told["can_withdraw"]) == ("held", True)
    assert receipt(live, sent["receipt_url"], "POST", "/withdraw").status in (200, 303)
    assert receipt(live, sent["receipt_url"]).json()["status"] == "withdrawn"
    assert live.comment(sent["id"])["status"] == "withdrawn"


def test_enough_reports_bring_a_comment_back_to_review(live: Installation, thread: str) -> None:
    comment_id = posted(live, thread)["id"]
    live.judged(comment_id)
    for reader in ("one", "two", "three"):
        reported = live.request(
            "POST",
            f"/v1/comments/{comment_id}/report",
            {"reason": "abuse", "reader": reader},
            bearer(live.credentials["server_key"]),
        )
        assert reported.status == 202, reported.body
    assert live.comment(comment_id)["status"] == "held"
    assert published(live, thread) == []


def test_a_website_erases_a_comment_and_its_story_remains(live: Installation, thread: str) -> None:
    comment_id = posted(live, thread, body="To be forgotten.")["id"]
    live.judged(comment_id)
    key = bearer(live.credentials["server_key"])
    assert live.request("DELETE", f"/v1/comments/{comment_id}", None, key).status in (200, 204)
    gone = live.comment(comment_id)
    assert (gone["status"], gone["body"], gone["author"]["email"]) == ("erased", "", "")
    assert published(live, thread) == []
    events = as_moderator(live, "GET", f"/v1/review/comments/{comment_id}").json()["events"]
    assert [event["to_status"] for event in events] == ["approved", "erased"]


def test_a_reply_stands_under_its_parent(live: Installation, thread: str) -> None:
    parent = posted(live, thread, body="Parent.")["id"]
    live.judged(parent)
    reply = posted(live, thread, body="Reply.", parent_id=parent)["id"]
    live.judged(reply)
    [top] = public(live, thread).json()["comments"]
    assert [answer["body"] for answer in top["replies"]] == ["Reply."]
    assert public(live, thread).json()["count"] == 2


def test_operators_see_that_it_works(live: Installation) -> None:
    assert live.request("GET", "/healthz").status == 200
    ready = live.request("GET", "/readyz")
    assert ready.status == 200
    before = _metric(live, "anteroom_comments_accepted_total")
    live.judged(live.post(comment_json()).json()["id"])
    wait_until(
        lambda: _metric(live, "anteroom_comments_accepted_total") > before, 5, "it is counted"
    )


def test_many_visitors_at_once_are_all_served_and_judged(live: Installation, thread: str) -> None:
    ids = _pipeline(live, [comment_json(thread={"id": thread}) for _ in range(200)])
    assert len(set(ids)) == 200
    wait_until(
        lambda: public(live, thread).json()["count"] == 200, 30, "all are published", every=0.2
    )


def _pipeline(live: Installation, payloads: list[dict[str, Any]]) -> list[str]:
    """Post over one kept-open connection; return the ids."""
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)
    headers = bearer(live.credentials["server_key"]) | {"Content-Type": "application/json"}
    ids = []
    for payload in payloads:
        connection.request("POST", "/v1/comments", json.dumps(payload), headers)
        response = connection.getresponse()
        assert response.status == 202
        ids.append(json.loads(response.read())["id"])
    connection.close()
    return ids


def _metric(live: Installation, name: str) -> float:
    text = live.request("GET", "/metrics").body.decode()
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
