"""The Akismet face: exact answers by the same engine, and nothing passes unchecked."""

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import MagicMock, patch
from uuid import UUID

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from service.domain.clock import utc_now
from service.domain.comment import CommentId, Status
from service.domain.decision import Decision, EventKind, Reason
from service.domain.errors import CheckUnavailable
from service.domain.site import Caller, KeyKind
from service.jobs import CHECK, WEBHOOKS
from service.keyring import Keyring, new_key
from service.storage import akismet, open_store, outbox
from service.storage.comments import events_of
from service.storage.sites import add_key, update_site
from service.storage.tables import akismet_checks, comments, threads
from service.web import akismet as akismet_face
from service.web.schemas import MAX_REQUEST_BYTES
from service.webhooks import callbacks
from service.webhooks.callbacks import tell_callbacks
from service.webhooks.dispatch import dispatch
from service.webhooks.postman import Postman
from tests.support.akismet import FORM, SPAM, THANKS, as_wordpress_sends, form
from tests.support.http_service import Answer
from tests.support.installation import Installation
from tests.support.raw_http import exchange
from tests.support.receiver import Receiver
from tests.support.waiting import wait_until
from tests.support.world import World, bearer, comment_json
from worker import delivery

_numbers = count(1)

SQLITE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])


def unique() -> str:
    """Return a calm text that was said nowhere before."""
    return f"A name that nobody wrote down before, number {next(_numbers)}."


def call(live: Installation, path: str, body: bytes, **headers: str) -> Answer:
    """Make one call to the running service."""
    return live.request_raw("POST", path, body, {"Content-Type": FORM, **headers})


def judged(ask: Callable[[], Answer]) -> Answer:
    """Ask until there is a verdict, which on a busy machine may be late, as clients do."""
    said: list[Answer] = []

    def has_verdict() -> bool:
        said.append(ask())
        return said[-1].body != b"hold"

    wait_until(has_verdict, 60, "there is a verdict")
    return said[-1]


def check(live: Installation, **fields: Any) -> Answer:
    """Have a comment checked with the first site's key."""
    fields.setdefault("comment_content", unique())
    # Whoever writes that much within an hour is noticed for it.
    number = next(_numbers)
    fields.setdefault("user_ip", f"10.9.{number >> 8}.{number & 255}")
    fields.setdefault("comment_author_email", f"visitor{number}@mail.example")
    key = fields.pop("api_key", live.credentials["akismet_key"])
    return judged(lambda: call(live, "/1.1/comment-check", form(key, **fields)))


def post(world: World, path: str, **fields: Any) -> TestResponse:
    """Make one call to the application in this process."""
    return world.app.test_client().post(
        path, data=form(world.akismet_key, **fields), content_type=FORM
    )


def checked(world: World, **fields: Any) -> tuple[TestResponse, CommentId]:
    """Have a comment checked by a worker in this process; return the answer and its id.

    What is asked here is what the verdict leads to: the time for it is generous.
    """
    with (
        patch.object(akismet_face, "_ANSWER_SECONDS", 15.0),
        ThreadPoolExecutor(1) as threads_,
    ):
        waiting = threads_.submit(post, world, "/1.1/comment-check", **fields)
        wait_until(lambda: (world.jobs.depths() or {})[CHECK] or waiting.done(), 30, "it waits")
        world.run_worker_once(CHECK)
        answer = waiting.result(30)
    return answer, CommentId(answer.headers["X-akismet-guid"])


# --- exact answers -------------------------------------------------------------


def test_a_key_is_valid_or_not(live: Installation) -> None:
    key = live.credentials["akismet_key"]
    for body, said in (
        (f"key={key}&blog=https%3A%2F%2Fblog.example", b"valid"),
        (f"api_key={key}&blog=https%3A%2F%2Fblog.example", b"valid"),
        ("key=0123456789ab&blog=https%3A%2F%2Fblog.example", b"invalid"),
        ("", b"invalid"),
    ):
        answer = call(live, "/1.1/verify-key", body.encode())
        assert (answer.status, answer.body) == (200, said)


@pytest.mark.parametrize("kind", ["server_key", "public_key", "api_token"])
def test_no_other_secret_is_an_akismet_key(live: Installation, kind: str) -> None:
    assert check(live, api_key=live.credentials[kind]).body == b"invalid"


def test_ham_is_false_and_spam_is_true(live: Installation) -> None:
    for text, said in ((unique(), b"false"), (SPAM, b"true")):
        answer = check(live, comment_content=text)
        assert (answer.status, answer.body) == (200, said)
        assert UUID(answer.headers["X-akismet-guid"])
        assert "X-akismet-debug-help" not in answer.headers
        assert "X-akismet-pro-tip" not in answer.headers


def test_a_bad_key_is_told_with_the_header_that_clients_look_for(live: Installation) -> None:
    for path in ("comment-check", "submit-spam", "submit-ham", "get-stats", "get-subscription"):
        answer = call(live, f"/1.1/{path}", form("0" * 12))
        assert (answer.status, answer.body) == (200, b"invalid")
        assert answer.headers["X-akismet-debug-help"]


@pytest.mark.parametrize("name", ["blog", "user_ip"])
def test_a_missing_field_is_named(live: Installation, name: str) -> None:
    for value in (None, " "):
        answer = check(live, **{name: value})
        assert answer.status == 200
        assert answer.body not in (b"true", b"false", b"invalid")
        assert answer.headers["X-akismet-debug-help"] == f"Missing required field: {name}."


@pytest.mark.parametrize("path", ["submit-spam", "submit-ham"])
def test_submissions_are_thanked_for_byte_for_byte(live: Installation, path: str) -> None:
    key = live.credentials["akismet_key"]
    answer = call(live, f"/1.1/{path}", form(key, comment_content=unique()))
    assert (answer.status, answer.body) == (200, THANKS)
    assert "X-akismet-debug-help" not in answer.headers


def test_the_other_calls_answer_what_wordpress_wants(live: Installation) -> None:
    key = live.credentials["akismet_key"]
    assert live.request("GET", "/1.1/test").body == b"connected"
    assert call(live, "/1.1/deactivate", form(key)).body == b"deactivated"
    assert call(live, "/1.1/get-subscription", form(key)).json()["status"] == "active"
    stats = call(live, "/1.1/get-stats", form(key, **{"from": "all"})).json()
    assert {"spam", "ham", "missed_spam", "false_positives", "accuracy"} <= stats.keys()
    assert call(live, "/1.1/token", form(key)).status == 200


def test_usage_has_no_limit(live: Installation) -> None:
    key = live.credentials["akismet_key"]
    check(live)
    for method in ("GET", "POST"):
        usage = live.request(method, f"/1.2/usage-limit?api_key={key}").json()
        assert (usage["limit"], usage["throttled"]) == ("none", False)
        assert usage["usage"] >= 1
    listed = live.request("GET", f"/1.2/key-sites?api_key={key}").json()
    [month] = [name for name in listed if re.fullmatch(r"\d{4}-\d\d", name)]
    assert int(listed[month][0]["api_calls"]) >= 1
    as_csv = live.request("GET", f"/1.2/key-sites?api_key={key}&format=csv").body.decode()
    assert as_csv.splitlines()[0].startswith("site,api_calls,")


# --- what real clients send ----------------------------------------------------


def test_the_key_may_stand_in_the_host_and_any_host_will_do(live: Installation) -> None:
    key = live.credentials["akismet_key"]
    for host in (f"{key}.rest.akismet.com", f"{key}.comments.example:8000"):
        body = form(None, comment_content=unique())
        assert said_at(live, host, body) == b"false"
    assert said_at(live, "rest.akismet.com", form(key)) == b"false"
    assert call(live, "/1.1/comment-check", form(None)).body == b"invalid"


def said_at(live: Installation, host: str, body: bytes) -> bytes:
    """Return what a check is answered under that name of ours."""
    return judged(lambda: call(live, "/1.1/comment-check", body, Host=host)).body


def test_empty_fields_may_come_as_bare_names(live: Installation) -> None:
    body = form(
        live.credentials["akismet_key"], comment_author_url="", comment_content=unique(),
        comment_author_email="", POST_ak_hp_textarea="",
    )  # fmt: skip
    sent = as_wordpress_sends(body)
    assert b"&comment_author_url&" in sent
    assert judged(lambda: call(live, "/1.1/comment-check", sent)).body == b"false"


@SQLITE_IS_ENOUGH
def test_a_long_comment_may_come_twice_in_one_body(world: World) -> None:
    text = "Sie schrieben jeden Namen auf. " * 2_000
    answer, _ = checked(world, comment_content=text, POST_comment=text, HTTP_ACCEPT="*/*")
    assert answer.data == b"false"


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "/1.1/comment-check") for method in ("GET", "PUT", "DELETE", "PATCH")),
        ("GET", "/1.1/submit-spam"), ("PUT", "/1.1/verify-key"), ("DELETE", "/1.1/test"),
        ("POST", "/1.1/unknown"), ("GET", "/1.1/"), ("POST", "/1.1/comment-check/"),
    ],
)  # fmt: skip
def test_a_call_that_is_none_is_no_verdict_but_status_200(
    world: World, method: str, path: str
) -> None:
    sent = form(world.akismet_key)
    answer = world.client.open(path, method=method, data=sent, content_type=FORM)
    assert (answer.status_code, answer.data) == (200, b"error")
    assert answer.headers["X-akismet-debug-help"]
    assert world.count() == 0


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("path", ["comment-check", "submit-spam", "verify-key"])
@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"comment_content=" + b"x" * MAX_REQUEST_BYTES, {}, "exceeds the capacity limit"),
        (b"packed", {"Content-Encoding": "gzip"}, "Content-Encoding is not supported"),
        (b"&".join([b"field=1"] * 2_001), {}, "more than 2000 fields"),
    ],
    ids=["too large", "packed", "too many fields"],
)
def test_a_body_that_cannot_be_read_is_told_plainly(
    world: World, path: str, body: bytes, headers: dict[str, str], why: str
) -> None:
    with capture_logs() as lines:
        answer = world.client.post(f"/1.1/{path}", data=body, content_type=FORM, headers=headers)
    assert (answer.status_code, answer.data) == (200, b"error")
    assert why in answer.headers["X-akismet-debug-help"]
    told = [line for line in lines if line["log_level"] in ("warning", "error")]
    assert [line["log_level"] for line in told] == ["warning"]
    assert "exc_info" not in told[0]


def test_old_http_is_spoken(live: Installation) -> None:
    body = form(live.credentials["akismet_key"], comment_content=unique())
    sent = (
        b"POST /1.1/comment-check HTTP/1.0\r\nHost: rest.akismet.com\r\n"
        b"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        b"User-Agent: WordPress/6.1.9 | Akismet/5.0.2\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )

    def is_judged() -> bool:
        said.append(exchange(live.port, sent))
        return not said[-1].endswith(b"\r\n\r\nhold")

    said: list[bytes] = []
    wait_until(is_judged, 60, "there is a verdict")
    assert said[-1].endswith(b"\r\n\r\nfalse")


def test_the_website_s_own_encoding_is_read(live: Installation) -> None:
    key = live.credentials["akismet_key"].encode()
    body = b"api_key=%b&blog=https://blog.example&user_ip=192.0.2.1&comment_content=caf%%E9" % key
    for charset in ("iso-8859-1", "no-such-encoding"):
        kind = f"application/x-www-form-urlencoded; charset={charset}"
        headers = {"Content-Type": kind}
        ask = partial(live.request_raw, "POST", "/1.1/comment-check", body, headers)
        assert judged(ask).body == b"false"


@pytest.mark.parametrize(
    "fields",
    [
        {"comment_author_email": "no address", "user_ip": "nowhere", "comment_author_url": "::"},
        {"comment_content": "a\x00b\x07c\ud800".encode("utf-8", "surrogatepass")},
        {"comment_author": "N" * 5_000, "permalink": "https://blog.example/" + "p" * 5_000},
        {"comment_context[0]": "x", "blog_lang": "en, fr", "comment_date_gmt": "2026-01-01Z"},
    ],
)
def test_whatever_a_website_shows_is_judged_not_refused(
    live: Installation, fields: dict[str, Any]
) -> None:
    assert check(live, **fields).body in (b"true", b"false")


def test_a_filled_trap_is_noticed_under_the_client_s_own_name(live: Installation) -> None:
    assert check(live, honeypot_field_name="trap", trap="filled").body == b"true"
    assert check(live, POST_ak_hp_textarea="filled").body == b"true"
    assert check(live, honeypot_field_name="trap", trap="").body == b"false"


# --- trying it out -------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"comment_author": "akismet-guaranteed-spam"},
        {"comment_author": "viagra-test-123"},
        {"comment_author_email": "akismet-guaranteed-spam@example.com"},
    ],
)
def test_the_documented_names_are_spam_and_carry_the_tip_only_if_asked_for(
    live: Installation, fields: dict[str, Any]
) -> None:
    answer = check(live, **fields)
    assert answer.body == b"true"
    assert "X-akismet-pro-tip" not in answer.headers
    answer = check(live, test_discard="1", **fields)
    assert answer.headers["X-akismet-pro-tip"] == "discard"


def test_administrators_are_never_spam(live: Installation) -> None:
    assert check(live, user_role="administrator", comment_content=SPAM).body == b"false"
    assert check(live, user_role="editor,administrator").body == b"false"
    assert check(live, user_role="editor", comment_content=SPAM).body == b"true"


# --- one process and a worker in it --------------------------------------------


def test_a_check_is_kept_with_its_whole_evidence(world: World) -> None:
    answer, comment_id = checked(world, comment_content=SPAM, comment_author='A \\"B\\"')
    assert answer.data == b"true"
    row = world.row(comment_id)
    assert (row.status, row.version, row.author_name) == ("held", 2, 'A "B"')
    assert [hit["rule"] for hit in world.verdict(comment_id)["hits"]]
    assert [event.kind for event in world.events(comment_id)] == [EventKind.VERDICT]
    listed = world.client.get("/v1/review/comments?status=held", headers=bearer(world.token))
    assert [comment["id"] for comment in listed.get_json()["comments"]] == [comment_id]


def test_the_public_never_sees_what_was_only_checked(world: World) -> None:
    answer, comment_id = checked(world)
    assert (answer.data, world.status(comment_id)) == (b"false", "approved")
    with world.store.read() as db:
        key = db.execute(sa.select(threads.c.key)).scalar_one()
    page = world.client.get(f"/v1/sites/news/threads/{key}/comments").get_json()
    assert (page["comments"], page["count"]) == ([], 0)
    counts = world.client.post("/v1/sites/news/counts", json={"threads": [key]}).get_json()
    assert counts["counts"][key] == 0


@SQLITE_IS_ENOUGH
def test_slashed_and_unslashed_calls_speak_of_one_comment(world: World) -> None:
    text = 'He said \\"no\\" and it\\\'s written in C:\\\\files.'
    _, comment_id = checked(world, comment_content=text)
    assert world.row(comment_id).body == 'He said "no" and it\'s written in C:\\files.'
    plain = 'He said "no"  and it\'s\r\nwritten in C:\\files.'
    assert post(world, "/1.1/submit-spam", comment_content=plain, comment_ID="7").data == THANKS
    _, decision = world.events(comment_id)
    assert (decision.kind, decision.actor) == (EventKind.DECISION, "site:news")
    assert (decision.to_status, decision.reason) == (Status.SPAM, Reason.ADVERTISING)
    assert world.count() == 1


@SQLITE_IS_ENOUGH
def test_ham_is_a_decision_that_can_be_seen_and_undone(world: World) -> None:
    _, comment_id = checked(world, comment_content=SPAM)
    post(world, "/1.1/submit-ham", comment_content=SPAM)
    assert world.status(comment_id) == "approved"
    event = world.events(comment_id)[-1]
    world.moderation.undo(event=event.id, moderator=world.moderator)
    assert world.status(comment_id) == "held"


@SQLITE_IS_ENOUGH
def test_what_was_never_checked_is_decided_all_the_same(world: World) -> None:
    post(world, "/1.1/submit-spam", comment_content="Nobody asked about this before.")
    with world.store.read() as db:
        [comment_id] = db.scalars(sa.select(akismet_checks.c.comment_id)).all()
        [event] = events_of(db, CommentId(comment_id))
    assert (event.from_status, event.to_status) == (Status.PENDING, Status.SPAM)


@SQLITE_IS_ENOUGH
def test_another_site_s_word_changes_nothing(world: World) -> None:
    _, comment_id = checked(world)
    other, _ = world.second_site()
    key = new_key(KeyKind.AKISMET)
    with world.store.write() as db:
        add_key(db, other.id, KeyKind.AKISMET, key, keyring=world.services.keyring, now=utc_now())
    for sent in (form(key), form(key, guid=comment_id)):
        answer = world.client.post("/1.1/submit-spam", data=sent, content_type=FORM)
        assert answer.data == THANKS
    assert world.status(comment_id) == "approved"


@SQLITE_IS_ENOUGH
def test_tests_are_neither_kept_nor_counted(world: World) -> None:
    answer, _ = checked(world, is_test="1")
    assert answer.data == b"false"
    assert world.count() == 0
    post(world, "/1.1/submit-spam", is_test="True")
    assert world.count() == 0
    verdicts = [checked(world, comment_content="Said again.")[1] for _ in range(2)]
    assert world.verdict(verdicts[1])["signals"]["count.text.1h"] == 1


@SQLITE_IS_ENOUGH
def test_a_site_may_have_nothing_kept(world: World) -> None:
    with world.store.write() as db:
        update_site(db, world.site.id, akismet_keep_days=0)
    assert checked(world)[0].data == b"false"
    assert world.count() == 0


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("wanted", "tip"), [(False, None), (True, "discard")])
def test_blatant_spam_is_thrown_away_only_where_the_site_wants_it(
    build_world: Callable[..., World], wanted: bool, tip: str | None
) -> None:
    world = build_world(akismet_discard=wanted)
    links = " ".join(f"http://shop-{number}.com/" for number in range(9))
    answer, _ = checked(world, comment_content=f"{links} {_GTUBE}", POST_ak_hp_textarea="x")
    assert (answer.data, answer.headers.get("X-akismet-pro-tip")) == (b"true", tip)


_GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


@SQLITE_IS_ENOUGH
def test_where_a_person_looks_at_everything_nothing_passes(
    build_world: Callable[..., World],
) -> None:
    world = build_world(moderation="all")
    answer, comment_id = checked(world)
    assert answer.data == b"hold"
    assert answer.headers["X-akismet-debug-help"]
    world.moderation.decide(comment_id, Decision.APPROVE, moderator=world.moderator, version=2)
    again = post(world, "/1.1/comment-check", recheck_reason="retry")
    assert again.data == b"false", "what a person decided meanwhile is the answer"
    assert world.count() == 1


# --- in time -------------------------------------------------------------------


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("fields", "left"), [({}, 0.25), ({"is_test": "1"}, 0.4)])
def test_the_time_for_a_verdict_is_what_the_request_has_not_used_up(
    world: World, fields: dict[str, str], left: float
) -> None:
    given: list[float] = []

    def ask(_payload: object, seconds: float) -> None:
        given.append(seconds)
        raise CheckUnavailable("nobody is there")

    with slow_look_up(world, 0.4), patch.object(world.services.checks, "ask", ask):
        assert post(world, "/1.1/comment-check", **fields).data == b"hold"
    assert given[0] <= left


@SQLITE_IS_ENOUGH
def test_where_no_time_is_left_no_worker_is_asked(world: World) -> None:
    jobs = MagicMock(wraps=world.jobs)
    with slow_look_up(world, 0.8), patch.object(world.services.checks, "_jobs", jobs):
        assert post(world, "/1.1/comment-check").data == b"hold"
    assert jobs.check.mock_calls == []
    assert world.count() == 1


@contextmanager
def slow_look_up(world: World, seconds: float) -> Iterator[None]:
    """Let it take so long until it is known whose key a request carries."""
    keys, caller = world.services.keys, world.services.keys.caller

    def look_up(key: str) -> Caller | None:
        time.sleep(seconds)
        return caller(key)

    with patch.object(keys, "caller", look_up):
        yield


# --- late verdicts -------------------------------------------------------------


def test_without_a_verdict_in_time_nothing_passes_and_the_comment_is_judged_later(
    world: World,
) -> None:
    answer = post(world, "/1.1/comment-check")
    assert (answer.status_code, answer.data) == (200, b"hold")
    assert answer.headers["X-akismet-debug-help"]
    comment_id = CommentId(answer.headers["X-akismet-guid"])
    assert world.status(comment_id) == "pending"
    wait_until(lambda: (world.jobs.depths() or {})[CHECK] == 0, 10, "nobody waits for it any more")

    world.run_worker_once()

    assert world.status(comment_id) == "approved"
    again = post(world, "/1.1/comment-check", recheck_reason="retry")
    assert (again.data, again.headers["X-akismet-guid"]) == (b"false", comment_id)


@SQLITE_IS_ENOUGH
def test_whoever_asks_again_gets_the_verdict_then(world: World) -> None:
    first = post(world, "/1.1/comment-check", comment_content=SPAM)
    assert first.data == b"hold"
    answer, comment_id = checked(world, comment_content=SPAM, recheck_reason="retry")
    assert (answer.data, comment_id) == (b"true", first.headers["X-akismet-guid"])
    assert world.status(comment_id) == "held"
    world.run_worker_once()
    assert [event.kind for event in world.events(comment_id)] == [EventKind.VERDICT]


@SQLITE_IS_ENOUGH
def test_without_redis_nothing_passes(build_world: Callable[..., World]) -> None:
    world = build_world({"REDIS_URL": "unix:///nowhere/redis.sock"})
    answer = post(world, "/1.1/comment-check")
    assert (answer.status_code, answer.data) == (200, b"hold")
    assert world.count() == 1


@SQLITE_IS_ENOUGH
def test_without_the_database_nothing_passes(build_world: Callable[..., World]) -> None:
    world = build_world({"DATABASE_URL": "sqlite:////nowhere/at.db"})
    answer = post(world, "/1.1/comment-check")
    assert (answer.status_code, answer.data) == (200, b"error")
    assert answer.headers["X-akismet-debug-help"]


@SQLITE_IS_ENOUGH
def test_at_most_half_of_the_threads_wait(build_world: Callable[..., World]) -> None:
    world = build_world({"WEB_THREADS": "4"})
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, world, "/1.1/comment-check") for _ in range(4)]
        seats = world.app.extensions["anteroom.check_seats"]
        wait_until(lambda: seats._value == 0, 5, "two wait")
        assert world.post(comment_json()).status_code == 202
        assert [answer.result(5).data for answer in waiting] == [b"hold"] * 4


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("text", "result"), [(SPAM, "true"), ("A calm remark.", "false")])
def test_a_late_verdict_is_posted_to_whoever_waits_for_it(
    build_world: Callable[..., World], text: str, result: str
) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"})
    with Receiver(lambda _request: 500 if len(receiver.received) == 1 else 200) as receiver:
        answer = post(world, "/1.1/comment-check", comment_content=text, callback=receiver.url)
        guid = answer.headers["X-akismet-guid"]
        now = utc_now()
        assert (
            tell_callbacks(world.store, world.services.keyring, world.settings, lambda: now) == 0
        ), "no verdict yet"
        world.run_worker_once()
        assert (
            tell_callbacks(world.store, world.services.keyring, world.settings, lambda: now) == 0
        ), "it failed"
        later = now + timedelta(seconds=5)
        assert (
            tell_callbacks(world.store, world.services.keyring, world.settings, lambda: later) == 1
        )
        assert (
            tell_callbacks(world.store, world.services.keyring, world.settings, lambda: later) == 0
        )

    request = receiver.received[1]
    assert request.headers["x-akismet-webhook"]
    assert request.form() == {
        "key": world.akismet_key,
        "endpoint": "comment-check",
        "comments[0][guid]": guid,
        "comments[0][result]": result,
    }
    with world.store.read() as db:
        row = db.execute(sa.select(akismet_checks)).one()
    assert (row.callback, row.sealed_key, row.next_at) == (None, None, None)


@SQLITE_IS_ENOUGH
def test_the_key_of_who_waits_can_be_read_with_the_secret_only(world: World) -> None:
    post(world, "/1.1/comment-check", callback="https://blog.example/")
    with world.store.read() as db:
        row = db.execute(sa.select(akismet_checks)).one()
    assert world.akismet_key not in str(row)
    assert world.services.keyring.open_sealed(akismet.SEAL, row.sealed_key) == world.akismet_key
    assert Keyring("another secret").open_sealed(akismet.SEAL, row.sealed_key) is None


@SQLITE_IS_ENOUGH
def test_who_waits_is_forgotten_where_the_secret_is_another(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"})
    with Receiver() as receiver:
        post(world, "/1.1/comment-check", callback=receiver.url)
        world.run_worker_once()
        another = Keyring("another secret")
        assert tell_callbacks(world.store, another, world.settings, utc_now) == 0
        assert told(world) == 0
    assert receiver.received == []


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize(
    ("decision", "result"), [(Decision.APPROVE, "false"), (Decision.SPAM, "true")]
)
def test_what_is_left_to_a_person_is_told_when_one_has_decided(
    build_world: Callable[..., World], late: bool, decision: Decision, result: str
) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"}, moderation="all")
    with Receiver() as receiver:
        comment_id = left_to_a_person(world, receiver.url, late=late)
        assert [told(world) for _ in range(3)] == [0] * 3
        assert receiver.received == []
        world.moderation.decide(comment_id, decision, moderator=world.moderator, version=2)
        assert [told(world) for _ in range(2)] == [1, 0]
    assert receiver.received[0].form()["comments[0][result]"] == result
    assert receiver.received[0].form()["key"] == world.akismet_key


@SQLITE_IS_ENOUGH
def test_nothing_is_told_of_a_comment_that_is_no_more(build_world: Callable[..., World]) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"})
    with Receiver() as receiver:
        answer = post(world, "/1.1/comment-check", callback=receiver.url)
        comment_id = CommentId(answer.headers["X-akismet-guid"])
        world.run_worker_once()
        world.moderation.erase(comment_id, site_id=world.site.id, actor="site:news")
        assert [told(world) for _ in range(2)] == [0, 0]
    assert receiver.received == []
    with world.store.read() as db:
        rows = db.execute(sa.select(akismet_checks)).all()
    assert all((row.callback, row.sealed_key, row.next_at) == (None,) * 3 for row in rows)


@SQLITE_IS_ENOUGH
def test_whoever_waits_for_a_person_keeps_nobody_else_waiting(
    build_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"}, moderation="all")
    monkeypatch.setattr(callbacks, "_BATCH", 1)
    with Receiver() as receiver:
        left_to_a_person(world, receiver.url, late=True)
        told(world)
        with world.store.write() as db:
            update_site(db, world.site.id, moderation="rules")
        post(world, "/1.1/comment-check", callback=receiver.url, comment_content="Another one.")
        world.run_worker_once()
        assert told(world) == 1


@SQLITE_IS_ENOUGH
def test_who_waits_for_a_person_is_kept_no_longer_than_the_check(
    build_world: Callable[..., World],
) -> None:
    world = build_world(moderation="all")
    comment_id = left_to_a_person(world, "https://blog.example/", late=True)
    told(world)
    with world.store.write() as db:
        update_site(db, world.site.id, akismet_keep_days=1)
        change(db, comment_id, hours=25)
    assert world.moderation.retain().checks == 1


def left_to_a_person(world: World, callback: str, *, late: bool) -> CommentId:
    """Have a comment checked on a site where a person decides; return its id."""
    if not late:
        answer, comment_id = checked(world, callback=callback)
        assert answer.data == b"hold"
        return comment_id
    answer = post(world, "/1.1/comment-check", callback=callback)
    world.run_worker_once()
    return CommentId(answer.headers["X-akismet-guid"])


def told(world: World) -> int:
    """Tell whoever waits; return how many heard it."""
    return tell_callbacks(world.store, world.services.keyring, world.settings, utc_now)


@SQLITE_IS_ENOUGH
def test_a_late_verdict_finds_its_way_by_the_job_queue(build_world: Callable[..., World]) -> None:
    world = build_world({"WEBHOOK_NETWORKS": "127.0.0.0/8"})
    postman = Postman(open_store(world.settings.database_url), world.services.keyring,
                      world.settings)  # fmt: skip
    with Receiver() as receiver, patch.object(delivery, "current", lambda: postman):
        post(world, "/1.1/comment-check", callback=receiver.url)
        dispatch(world.store, world.jobs)
        assert (world.jobs.depths() or {})[WEBHOOKS] == 0, "there is no verdict yet"
        world.run_worker_once()
        dispatch(world.store, world.jobs)
        world.run_worker_once(WEBHOOKS)
        wait_until(lambda: receiver.received, 10, "the client is told")
    postman.close()


@SQLITE_IS_ENOUGH
def test_a_callback_to_a_private_address_is_not_made(world: World) -> None:
    with Receiver() as receiver:
        post(world, "/1.1/comment-check", callback=receiver.url)
        world.run_worker_once()
        assert tell_callbacks(world.store, world.services.keyring, world.settings, utc_now) == 0
        assert receiver.received == []


# --- keeping -------------------------------------------------------------------


def test_what_was_checked_is_deleted_when_the_site_wants(world: World) -> None:
    _, old = checked(world)
    with world.store.write() as db:
        outbox.add_endpoint(db, world.site.id, "https://news.example/", seed="s", now=utc_now())
    post(world, "/1.1/submit-spam")
    _, recent = checked(world, comment_content="Another one.")
    with world.store.read() as db:
        assert outbox.list_messages(db) == [], "the site decided on it itself"
    native = world.approved_comment()
    with world.store.write() as db:
        update_site(db, world.site.id, akismet_keep_days=1)
        for comment_id, hours in ((old, 25), (recent, 23), (native, 25)):
            change(db, comment_id, hours)

    assert world.moderation.retain().checks == 1

    assert world.count() == 2
    assert world.status(recent) == world.status(native) == "approved"


def test_statistics_tell_how_often_the_rules_were_wrong(world: World) -> None:
    checked(world, comment_content="A calm remark.")
    checked(world, comment_content=SPAM)
    post(world, "/1.1/submit-spam", comment_content="A calm remark.")
    post(world, "/1.1/submit-ham", comment_content=SPAM)
    stats = json.loads(post(world, "/1.1/get-stats", **{"from": "6-months"}).data)
    assert (stats["spam"], stats["ham"]) == (1, 1)
    assert (stats["missed_spam"], stats["false_positives"]) == (1, 1)
    assert stats["accuracy"] == 0
    with world.store.read() as db:
        assert {count.month for count in akismet.counts(db, world.site.id)} == {
            utc_now().strftime("%Y-%m")
        }


def change(db: sa.Connection, comment_id: CommentId, hours: float) -> None:
    """Let a comment have come so many hours ago."""
    moment = utc_now() - timedelta(hours=hours)
    db.execute(sa.update(comments).where(comments.c.id == comment_id).values(created_at=moment))
