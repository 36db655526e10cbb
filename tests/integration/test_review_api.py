"""The review API: listing, deciding, undoing, by token and by session."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from service.domain.decision import Role
from tests.support.signing_in import signed_in
from tests.support.world import World, bearer

UNKNOWN = "01900000-0000-7000-8000-000000000000"

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

LIST = "/v1/review/comments"


def ask(world: World, path: str = LIST, token: str = "", **query: Any) -> Any:
    answer = world.client.get(path, query_string=query, headers=bearer(token or world.token))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def ids(page: Any) -> list[str]:
    return [comment["id"] for comment in page["comments"]]


def send(world: World, path: str, payload: Any, token: str = "") -> TestResponse:
    return world.client.post(path, json=payload, headers=bearer(token or world.token))


def decide(world: World, comment_id: CommentId, decision: str, **more: Any) -> TestResponse:
    payload = {"decision": decision, "version": world.row(comment_id).version} | more
    return send(world, f"{LIST}/{comment_id}/decision", payload)


# --- listing -------------------------------------------------------------------


def test_the_queue_lists_held_comments_with_their_evidence(world: World) -> None:
    held = world.held_comment()
    world.approved_comment()

    page = ask(world, status="held")

    (comment,) = page["comments"]
    assert comment["id"] == held
    assert comment["site"] == "news"
    assert comment["severity"] >= 1
    assert comment["verdict"] == world.verdict(held)
    assert page["next"] is None


def test_pages_of_the_queue_follow_one_another(world: World) -> None:
    held = [world.held_comment() for _ in range(3)]

    first = ask(world, status="held", limit=2)
    second = ask(world, status="held", limit=2, after=first["next"])

    assert ids(first) + ids(second) == held
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param({"status": "approved"}, "calm", id="status"),
        pytest.param({"category": "spam"}, "links", id="category"),
        pytest.param({"category": "abuse"}, "", id="other category"),
        pytest.param({"rule": "several-links"}, "links", id="rule"),
        pytest.param({"site": "news"}, "calm links", id="site"),
        pytest.param({"site": "nobody"}, "", id="unknown site"),
        pytest.param({"thread": "second"}, "links", id="thread"),
        pytest.param({"author": "ida"}, "calm", id="part of a name"),
        pytest.param({"author": "IDA@mail.example"}, "calm", id="address"),
        pytest.param({"min_age": 3600}, "", id="older than an hour"),
        pytest.param({"max_age": 3600}, "calm links", id="younger than an hour"),
        pytest.param({"q": "CALM"}, "calm", id="text"),
        pytest.param({"q": "%"}, "", id="wildcards are plain text"),
        pytest.param({"q": "' OR 1=1 --"}, "", id="no SQL"),
        pytest.param({"status": "held", "q": "calm"}, "", id="filters add up"),
    ],
)
def test_filters_narrow_the_list(world: World, query: dict[str, Any], found: str) -> None:
    author = {"name": "Ida Berg", "email": "ida@mail.example"}
    known = {
        "calm": world.approved_comment(body="A calm remark.", author=author),
        "links": world.held_comment(thread={"id": "second"}),
    }

    listed = ids(ask(world, **query))

    assert sorted(listed) == sorted(known[name] for name in found.split())


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ({"status": "lost"}, ["/status"]),
        ({"limit": "0"}, ["/limit"]),
        ({"limit": "101"}, ["/limit"]),
        ({"after": "x"}, ["/after"]),
        ({"min_age": "-1"}, ["/min_age"]),
        ({"max_age": "9" * 30}, ["/max_age"]),
        ({"q": "a\x00b"}, ["/q"]),
        ({"color": "red", "status": "lost"}, ["/status", "/color"]),
    ],
)
def test_wrong_filters_are_refused_by_name(
    world: World, query: dict[str, str], pointers: list[str]
) -> None:
    answer = world.client.get(LIST, query_string=query, headers=bearer(world.token))

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == pointers


# --- one comment ---------------------------------------------------------------


def test_one_comment_comes_with_its_story_and_its_author_s_history(world: World) -> None:
    author = {"name": "Ida", "email": "ida@mail.example"}
    world.approved_comment(author=author)
    comment_id = world.held_comment(author=author)

    told = ask(world, f"{LIST}/{comment_id}")

    assert told["verdict"]["hits"]
    assert [event["kind"] for event in told["events"]] == ["verdict"]
    assert told["events"][0]["actor"] == "rules"
    assert told["history"]["proven"] is None
    assert told["history"]["claimed"]["total"] == 2
    assert told["history"]["claimed"]["by_status"] == {"approved": 1, "held": 1}
    assert told["reports"] == []


def test_an_unknown_comment_is_404(world: World) -> None:
    answer = world.client.get(f"{LIST}/{UNKNOWN}", headers=bearer(world.token))

    assert answer.status_code == 404


@pytest.mark.parametrize("role", Role)
def test_addresses_are_shown_to_senior_moderators_only(world: World, role: Role) -> None:
    _, token = world.second_moderator(role=role)
    author = {"name": "Ida", "email": "ida@mail.example", "ip": "10.9.8.7"}
    comment_id = world.held_comment(author=author)

    told = ask(world, f"{LIST}/{comment_id}", token=token)
    by_address = ask(world, token=token, author="ida@mail.example")

    seen = (told["author"]["email"], told["author"]["ip"])
    assert seen == ((None, None) if role is Role.MODERATOR else ("ida@mail.example", "10.9.8.7"))
    assert ids(by_address) == ([] if role is Role.MODERATOR else [comment_id])


# --- deciding ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "status"), [("approve", "approved"), ("reject", "rejected"), ("spam", "spam")]
)
def test_a_decision_changes_the_status_and_is_an_event(
    world: World, decision: str, status: str
) -> None:
    comment_id = world.held_comment()

    answer = decide(world, comment_id, decision, reason="other", note="Seen before.")

    assert answer.status_code == 200
    event = answer.get_json()
    assert event["actor"] == "moderator:mod"
    assert (event["from_status"], event["to_status"]) == ("held", status)
    assert (event["reason"], event["note"]) == ("other", "Seen before.")
    assert event["version"] == world.row(comment_id).version
    assert world.status(comment_id) == status


def test_whoever_comes_second_learns_of_the_other_decision(world: World) -> None:
    _, other = world.second_moderator("anna")
    comment_id = world.held_comment()
    version = world.row(comment_id).version
    path = f"{LIST}/{comment_id}/decision"
    send(world, path, {"decision": "spam", "version": version}, other)

    answer = send(world, path, {"decision": "approve", "version": version})

    assert answer.status_code == 409
    problem = answer.get_json()
    assert problem["decided_by"] == "moderator:anna"
    assert problem["current_status"] == "spam"
    assert problem["current_version"] == version + 1
    assert world.status(comment_id) == "spam"


@pytest.mark.parametrize(
    ("payload", "pointers"),
    [
        ({}, ["/decision", "/version"]),
        ({"decision": "burn", "version": "1"}, ["/decision", "/version"]),
        ({"decision": "approve", "version": 0}, ["/version"]),
        ({"decision": "approve", "version": 2**40}, ["/version"]),
        ({"decision": "approve", "version": True}, ["/version"]),
        ({"decision": "approve", "version": 2, "reason": "whim"}, ["/reason"]),
        ({"decision": "approve", "version": 2, "note": "\x00"}, ["/note"]),
        ({"decision": "approve", "version": 2, "status": "approved"}, ["/status"]),
    ],
)
def test_everything_wrong_with_a_decision_is_said_at_once(
    world: World, payload: Any, pointers: list[str]
) -> None:
    comment_id = world.held_comment()

    answer = send(world, f"{LIST}/{comment_id}/decision", payload)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == pointers
    assert world.status(comment_id) == "held"


def test_many_comments_are_decided_under_one_batch_and_undone_at_once(world: World) -> None:
    held = [world.held_comment() for _ in range(3)]
    done = world.held_comment()
    decide(world, done, "spam")

    answer = send(
        world, "/v1/review/decisions",
        {"ids": [*held, done, UNKNOWN], "decision": "spam", "reason": "advertising"},
    )  # fmt: skip
    result = answer.get_json()
    undone = send(world, "/v1/review/undo", {"batch": result["batch"]})

    assert answer.status_code == 200
    assert result["decided"] == held
    assert set(result["unchanged"]) == {done, UNKNOWN}
    assert undone.get_json()["decided"] == held
    assert [world.status(comment_id) for comment_id in held] == ["held"] * 3
    assert world.status(done) == "spam"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ids": []}, id="none"),
        pytest.param({"ids": ["x"]}, id="no id"),
        pytest.param({"ids": [UNKNOWN] * 501}, id="too many"),
        pytest.param({"version": 1}, id="unknown field"),
    ],
)
def test_a_wrong_bulk_decision_is_refused(world: World, changes: dict[str, Any]) -> None:
    payload = {"ids": [UNKNOWN], "decision": "spam"} | changes

    assert send(world, "/v1/review/decisions", payload).status_code == 422


def test_one_decision_is_taken_back(world: World) -> None:
    comment_id = world.held_comment()
    event = decide(world, comment_id, "reject").get_json()

    answer = send(world, "/v1/review/undo", {"event": event["id"]})

    assert answer.status_code == 200
    assert answer.get_json()["decided"] == [comment_id]
    assert world.status(comment_id) == "held"


def test_what_moved_on_is_not_undone(world: World) -> None:
    comment_id = world.held_comment()
    event = decide(world, comment_id, "reject").get_json()
    decide(world, comment_id, "approve")

    answer = send(world, "/v1/review/undo", {"event": event["id"]})

    assert answer.status_code == 409
    assert world.status(comment_id) == "approved"


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({}, 422),
        ({"event": 1, "batch": UNKNOWN}, 422),
        ({"event": "1"}, 422),
        ({"event": 2**63}, 422),
        ({"batch": "x"}, 422),
        ({"event": 999_999}, 404),
        ({"batch": UNKNOWN}, 404),
    ],
)
def test_only_one_known_thing_can_be_undone(world: World, payload: Any, status: int) -> None:
    assert send(world, "/v1/review/undo", payload).status_code == status


# --- who may -------------------------------------------------------------------

CALLS = [
    ("GET", LIST),
    ("GET", f"{LIST}/{UNKNOWN}"),
    ("POST", f"{LIST}/{UNKNOWN}/decision"),
    ("POST", "/v1/review/decisions"),
    ("POST", "/v1/review/undo"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("key", ["none", "made up", "server", "public"])
def test_only_moderators_review(world: World, method: str, path: str, key: str) -> None:
    keys = {"made up": "mt_made_up", "server": world.server_key, "public": world.public_key}
    headers = bearer(keys[key]) if key in keys else {}

    answer = world.client.open(path, method=method, headers=headers, json={})

    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert "WWW-Authenticate" in answer.headers


def test_a_session_reads_without_and_decides_with_its_csrf_token(world: World) -> None:
    comment_id = world.held_comment()
    person = signed_in(world)
    decision = {"decision": "approve", "version": world.row(comment_id).version}
    path = f"{LIST}/{comment_id}/decision"

    listed = person.client.get(LIST)
    forged = person.client.post(path, json=decision)
    meant = person.client.post(path, json=decision, headers={"X-CSRFToken": person.csrf_token()})

    assert listed.status_code == 200
    assert forged.status_code == 400
    assert forged.mimetype == "application/problem+json"
    assert meant.status_code == 200
    assert world.status(comment_id) == "approved"


def test_a_session_s_secret_is_no_bearer_token_and_the_reverse(world: World) -> None:
    person = signed_in(world)
    with person.client.session_transaction() as session:
        secret = session["signed_in"]
        session["signed_in"] = world.token

    as_bearer = world.client.get(LIST, headers=bearer(secret))
    as_session = person.client.get(LIST)

    assert as_bearer.status_code == 401
    assert as_session.status_code == 401
