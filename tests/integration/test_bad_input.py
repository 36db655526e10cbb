"""Bad, odd and hostile input at the door: one answer wanted for each kind.

The kinds are numbered; those about HTTP itself are in test_bad_http.py.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from service.domain.comment import MAX_BODY_BYTES
from service.domain.site import KeyKind
from service.keyring import new_key
from service.storage.sites import add_key, rotate_keys
from tests.integration import test_bad_http
from tests.support.catalogue import ALL, case, covered, row
from tests.support.world import ORIGIN, World, bearer, comment_json

PATH = "/v1/comments"
SQLITE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def send(
    world: World,
    body: bytes | str,
    content_type: str | None = "application/json",
    **headers: str,
) -> TestResponse:
    """Post raw bytes with the server key."""
    sent = bearer(world.server_key) | headers
    return world.client.post(PATH, data=body, content_type=content_type, headers=sent)


def assert_problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """Check that the answer is a problem document with that status; return it."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    document: dict[str, Any] = answer.get_json()
    assert document["status"] == status
    assert document["title"]
    return document


def assert_field_refused(answer: TestResponse, pointer: str) -> None:
    """Check that the answer refuses that field, and says why."""
    errors = {error["pointer"]: error["detail"] for error in assert_problem(answer, 422)["errors"]}
    assert errors.get(pointer), errors


def changed(**changes: Any) -> str:
    """Return a valid comment's JSON with changes."""
    return json.dumps(comment_json(**changes))


def nested(depth: int) -> str:
    """Return a comment whose body is that many lists deep."""
    return changed(body="@").replace('"@"', "[" * depth + "]" * depth)


# --- the request as a whole ----------------------------------------------------

VALID = changed()

NOT_A_COMMENT = [
    case(16, "no content type", VALID, None, 415),
    case(17, "plain text", VALID, "text/plain", 415),
    case(18, "other kind of json", VALID, "application/vnd.api+json", 415),
    case(19, "latin-1", changed(body="caf@").replace("@", "é").encode("latin-1"),
         "application/json; charset=latin-1", 415),
    case(21, "empty", "", "application/json", 400),
    case(22, "truncated", VALID[:-9], "application/json", 400),
    case(23, "a list", "[]", "application/json", 422),
    case(23, "null", "null", "application/json", 422),
    case(23, "a text", '"x"', "application/json", 422),
    case(23, "a number", "1", "application/json", 422),
    case(24, "one byte over 512 KiB", VALID + " " * (512 * 1024 + 1 - len(VALID)),
         "application/json", 413),
    case(30, "30,000 brackets", "[" * 30_000, "application/json", 400),
    case(30, "a body of 30,000 lists", nested(30_000), "application/json", 400),
    case(31, "a body of 900 lists", nested(900), "application/json", 422),
    case(32, "10,000 keys", json.dumps(dict.fromkeys(map(str, range(10_000)), 1)),
         "application/json", 422),
    case(32, "a key of 60 KB", changed(**{"k" * 60_000: 1}), "application/json", 422),
    case(33, "body twice", '{"body": "a", "body": "b"}', "application/json", 400),
    case(33, "name twice", '{"author": {"name": "a", "name": "b"}}', "application/json", 400),
    case(34, "NaN", '{"body": NaN}', "application/json", 400),
    case(34, "Infinity", '{"body": Infinity}', "application/json", 400),
    case(34, "-Infinity", '{"body": -Infinity}', "application/json", 400),
    case(35, "5,000 digits", '{"body": ' + "9" * 5_000 + "}", "application/json", 400),
    *(case(36, f"{number} for a text", '{"body": ' + number + "}", "application/json", 422)
      for number in ("1e400", "-0", "1.0")),
    case(37, "no UTF-8", b'{"body": "\xff"}', "application/json", 400),
    case(38, "UTF-16", VALID.encode("utf-16"), "application/json", 400),
    case(38, "UTF-32", VALID.encode("utf-32"), "application/json", 400),
    case(38, "UTF-8 with a byte order mark", VALID.encode("utf-8-sig"), "application/json", 400),
    case(39, "a key with half a character", changed(**{"\ud800": 1}), "application/json", 422),
    case(41, "overlong UTF-8", b'{"body": "\xc0\xaf"}', "application/json", 400),
    case(45, "100,000 emoji as escapes", changed(body="\N{GRINNING FACE}" * 100_000),
         "application/json", 413),
]  # fmt: skip


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("body", "content_type", "status"), NOT_A_COMMENT)
def test_what_is_no_comment_is_refused(
    world: World, body: bytes | str, content_type: str | None, status: int
) -> None:
    assert_problem(send(world, body, content_type), status)
    assert world.count() == 0


@row(20)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_unread(world: World, encoding: str) -> None:
    assert_problem(send(world, b"\x1f\x8b" + b"\0" * 100, Content_Encoding=encoding), 415)


@row(17)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_forms_are_welcome(world: World, kind: str) -> None:
    fields = {
        "thread_id": "a", "name": "Ann", "email": "ann@mail.example", "comment": "As a form.",
    }  # fmt: skip
    answer = world.client.post(
        PATH, data=fields, content_type=kind, headers=bearer(world.server_key)
    )
    assert answer.status_code == 202
    assert world.row(answer.get_json()["id"]).body == "As a form."


# --- fields --------------------------------------------------------------------

SURROGATE = "\ud800"

FIELDS_REFUSED = [
    case(39, "surrogate in body", {"body": f"a{SURROGATE}b"}, "/body"),
    case(39, "surrogate in name", {"author": {"name": SURROGATE}}, "/author/name"),
    case(39, "surrogate in thread id", {"thread": {"id": SURROGATE}}, "/thread/id"),
    case(39, "surrogate in user agent", {"author": {"user_agent": SURROGATE}},
         "/author/user_agent"),
    case(39, "surrogate in parent", {"parent_id": SURROGATE}, "/parent_id"),
    case(39, "NUL in parent", {"parent_id": "\u0000"}, "/parent_id"),
    case(40, "NUL in body", {"body": "a\0b"}, "/body"),
    case(40, "NUL in name", {"author": {"name": "a\0b"}}, "/author/name"),
    case(40, "NUL in external id", {"external_id": "a\0b"}, "/external_id"),
    case(40, "NUL in thread id", {"thread": {"id": "a\0b"}}, "/thread/id"),
    case(40, "NUL in title", {"thread": {"id": "a", "title": "a\0b"}}, "/thread/title"),
    case(40, "NUL in url", {"author": {"url": "http://a.example/\0"}}, "/author/url"),
    case(40, "escape in body", {"body": "a\x1bb"}, "/body"),
    case(42, "body null", {"body": None}, "/body"),
    case(42, "body a number", {"body": 7}, "/body"),
    case(42, "body a list", {"body": ["a"]}, "/body"),
    case(42, "body an object", {"body": {"a": "b"}}, "/body"),
    case(43, "body empty", {"body": ""}, "/body"),
    case(43, "body of spaces", {"body": " \n\t\u00a0\u3000"}, "/body"),
    case(43, "body invisible", {"body": "\u200b\u200d\ufeff\u2060"}, "/body"),
    case(43, "body of blank letters", {"body": "\u2800\u3164\uffa0"}, "/body"),
    case(43, "name invisible", {"author": {"name": "\u200b\u3164"}}, "/author/name"),
    case(44, "body 65,526 bytes", {"body": "x" * (MAX_BODY_BYTES + 1)}, "/body"),
    case(44, "body 65,528 bytes of emoji", {"body": "\N{GRINNING FACE}" * 16_382}, "/body"),
    case(45, "400 KB of emoji", {"body": "\N{GRINNING FACE}" * 40_000}, "/body"),
    case(52, "javascript", {"author": {"url": "javascript:alert(1)"}}, "/author/url"),
    case(52, "javascript in disguise", {"author": {"url": " jAvAsCrIpT:alert(1)"}}, "/author/url"),
    case(52, "data", {"author": {"url": "data:text/html,<p>"}}, "/author/url"),
    case(52, "vbscript", {"author": {"url": "vbscript:x"}}, "/author/url"),
    case(52, "no scheme but slashes", {"author": {"url": "//evil.example"}}, "/author/url"),
    case(52, "tab in the scheme", {"author": {"url": "java\tscript:alert(1)"}}, "/author/url"),
    case(52, "newline in the scheme", {"author": {"url": "java\nscript:alert(1)"}}, "/author/url"),
    case(52, "file", {"author": {"url": "file:///etc/passwd"}}, "/author/url"),
    case(53, "url too long", {"thread": {"url": "https://a.example/" + "x" * 5_000}},
         "/thread/url"),
    case(53, "url with half an address", {"thread": {"url": "http://[::1"}}, "/thread/url"),
    case(53, "url with port 99999", {"thread": {"url": "http://a.example:99999/"}}, "/thread/url"),
    case(53, "url without host", {"thread": {"url": "http:///x"}}, "/thread/url"),
    case(53, "url of a file", {"thread": {"url": "file:///x"}}, "/thread/url"),
    case(54, "email with a header", {"author": {"email": "a@b.example\r\nBcc: x@y.example"}},
         "/author/email"),
    case(54, "two emails", {"author": {"email": "a@b.example, c@d.example"}}, "/author/email"),
    case(54, "email with a name", {"author": {"email": "Bob <a@b.example>"}}, "/author/email"),
    case(54, "email quoted", {"author": {"email": '"a b"@c.example'}}, "/author/email"),
    case(54, "email too long", {"author": {"email": "a" * 300 + "@b.example"}}, "/author/email"),
    case(54, "email at an address", {"author": {"email": "a@[127.0.0.1]"}}, "/author/email"),
    case(54, "email without a dot", {"author": {"email": "a@localhost"}}, "/author/email"),
    case(55, "two addresses", {"author": {"ip": "1.2.3.4, 5.6.7.8"}}, "/author/ip"),
    case(55, "address with a zone", {"author": {"ip": "fe80::1%eth0"}}, "/author/ip"),
    case(55, "octal address", {"author": {"ip": "0177.0.0.1"}}, "/author/ip"),
    case(55, "address out of range", {"author": {"ip": "999.1.1.1"}}, "/author/ip"),
    case(55, "address as one number", {"author": {"ip": "2130706433"}}, "/author/ip"),
    case(57, "created_at", {"created_at": "2026-01-01T00:00:00Z"}, "/created_at"),
    case(57, "time in year 0", {"form_opened_at": "0000-01-01T00:00:00Z"}, "/form_opened_at"),
    case(57, "time in year 9999", {"form_opened_at": "9999-12-31T23:59:59Z"}, "/form_opened_at"),
    case(57, "time as a number", {"form_opened_at": 292_277_026_596}, "/form_opened_at"),
    case(57, "time without zone", {"form_opened_at": "2026-01-01T00:00:00"}, "/form_opened_at"),
    case(57, "a leap second", {"form_opened_at": "2016-12-31T23:59:60Z"}, "/form_opened_at"),
    case(59, "unknown", {"colour": "red"}, "/colour"),
    case(59, "status", {"status": "approved"}, "/status"),
    case(59, "id", {"id": "1"}, "/id"),
    case(59, "site", {"site_id": 1}, "/site_id"),
    case(59, "score", {"score": 0}, "/score"),
    case(59, "__proto__", {"__proto__": {}}, "/__proto__"),
    case(59, "constructor", {"constructor": 1}, "/constructor"),
    case(59, "status of the author", {"author": {"role": "admin"}}, "/author/role"),
    case(60, "meta", {"meta": {f"k{n}": n for n in range(21)}}, "/meta"),
    case(60, "meta with $ne", {"meta": {"$ne": 1}}, "/meta"),
    case(61, "truth as text", {"author": {"email_verified": "true"}}, "/author/email_verified"),
    case(61, "truth as number", {"author": {"email_verified": 1}}, "/author/email_verified"),
    case(61, "id as number", {"thread": {"id": 1}}, "/thread/id"),
    case(61, "title as truth", {"thread": {"id": "a", "title": True}}, "/thread/title"),
    case(61, "external id as number", {"external_id": 17}, "/external_id"),
    case(62, "slash", {"external_id": "a/b"}, "/external_id"),
    case(62, "space", {"external_id": "a b"}, "/external_id"),
    case(62, "emoji", {"external_id": "\N{GRINNING FACE}"}, "/external_id"),
    case(62, "256 characters", {"external_id": "x" * 256}, "/external_id"),
    case(62, "newline at the end", {"external_id": "abc\n"}, "/external_id"),
    case(62, "empty", {"external_id": ""}, "/external_id"),
    case(64, "newline in name", {"author": {"name": "Bob\n2026-01-01 ERROR"}}, "/author/name"),
    case(64, "escape in name", {"author": {"name": "\x1b[31mBob"}}, "/author/name"),
    case(64, "C1 control in name", {"author": {"name": "Bob\x9b31m"}}, "/author/name"),
    case(64, "newline in title", {"thread": {"id": "a", "title": "a\nb"}}, "/thread/title"),
]  # fmt: skip


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("change", "pointer"), FIELDS_REFUSED)
def test_a_bad_field_is_refused_by_name(world: World, change: dict[str, Any], pointer: str) -> None:
    assert_field_refused(send(world, changed(**change)), pointer)
    assert world.count() == 0


def send_as_browser(
    world: World, headers: dict[str, str] | None = None, **changes: Any
) -> TestResponse:
    """Post as a page of the site does: with the public key, from the site's origin."""
    payload = comment_json(**changes)
    del payload["author"]["ip"]
    return world.post(payload, key=world.public_key, headers={"Origin": ORIGIN} | (headers or {}))


@row(42)
@SQLITE_IS_ENOUGH
def test_all_bad_fields_are_named_at_once(world: World) -> None:
    payload = comment_json(author={"email": "nobody", "url": "javascript:x"}, colour="red")
    del payload["body"]
    errors = assert_problem(world.post(payload), 422)["errors"]
    assert {error["pointer"] for error in errors} == {
        "/author/email", "/author/url", "/body", "/colour",
    }  # fmt: skip


# --- hostile but valid: taken in, kept as sent, and judged ---------------------

HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "{{7*7}} ${7*7} #{7*7}",
    "<!-- ]]> -->",
]
QUERIES = ["' OR 1=1 --", r"\'; DROP TABLE comments; --", "%00", "$where", "100%_of it"]

TAKEN_IN = [
    case(44, "65,525 bytes", "x" * MAX_BODY_BYTES),
    case(44, "65,525 bytes of emoji", "\N{GRINNING FACE}" * 16_381 + "x"),
    case(46, "5,000 combining marks", "a" + "\u0301" * 5_000),
    case(46, "32,000 alternating marks", "a" + "\u0315\u0300" * 16_000),
    case(47, "text that NFKC makes 18 times longer", "\ufdfa" * 3_000),
    case(48, "right-to-left override", "invoice\u202egnp.exe"),
    case(49, "private use and noncharacters", "a\ue000\ufffe\uffff\U0010ffffb"),
    case(49, "unassigned", "a\u0378\U000e0041b"),
    *(case(50, text, text) for text in HOSTILE_TEXTS),
    *(case(51, text, text) for text in QUERIES),
    case(63, "bait for (a+)+$", "a" * 10_000 + "!"),
    case(63, "many at signs", "@" * 20_000),
    case(63, "many spaces", " " * 30_000 + "x"),
    case(63, "nested quotes and brackets", "\"'(" * 10_000 + "[" * 10_000),
    case(63, "10,000 links", "http://a.co " * 5_400),
    case(64, "C1 controls", "a\x85\x9bb"),
    case(65, "formula", "=HYPERLINK(1)"),
    case(67, "EICAR", EICAR),
]


@pytest.mark.parametrize("text", TAKEN_IN)
def test_a_hostile_text_is_kept_as_sent_and_judged_in_time(world: World, text: str) -> None:
    comment_id = world.judged_comment(body=text)
    assert world.row(comment_id).body == text
    assert world.status(comment_id) in ("approved", "held")
    assert world.verdict(comment_id)["errors"] == []
    assert "time-limit" not in world.rules_hit(comment_id)


@row(67)
def test_the_text_that_is_always_spam_is_held(world: World) -> None:
    assert world.status(world.judged_comment(body=f"Look: {GTUBE}")) == "held"


IN_EVERY_FIELD = [
    *(case(50, text, text) for text in HOSTILE_TEXTS),
    *(case(51, text, text) for text in QUERIES),
    case(48, "right-to-left override", "\u202egnp"),
    case(49, "noncharacter", "a\uffff"),
    case(65, "formula", "@SUM(1)"),
    case(65, "minus", "-2+3"),
]


@pytest.mark.parametrize("text", IN_EVERY_FIELD)
def test_a_hostile_text_in_every_field_is_kept_as_sent(world: World, text: str) -> None:
    author = {"name": text, "user_agent": text, "referrer": text, "verified_id": text}
    comment_id = world.judged_comment(author=author, thread={"id": text, "title": text}, body=text)
    found = world.get(comment_id)
    assert {name: found["author"][name] for name in author} == author
    assert (found["thread"]["id"], found["thread"]["title"]) == (text, text)
    assert world.verdict(comment_id)["errors"] == []


@row(51, 50)
@pytest.mark.parametrize("text", [*HOSTILE_TEXTS, *QUERIES])
def test_a_hostile_filter_finds_nothing_and_breaks_nothing(world: World, text: str) -> None:
    world.held_comment()
    for name in ("status", "category", "rule", "site", "thread", "author", "q", "text"):
        answer = world.client.get(
            "/v1/review/comments", query_string={name: text}, headers=bearer(world.token)
        )
        assert answer.status_code in (200, 422), (name, answer.get_data(as_text=True))


NORMALISED = [
    case(53, "credentials", {"thread": {"url": "https://user:pass@a.example/x"}}, "thread", "url",
         "https://a.example/x"),
    case(53, "fragment", {"thread": {"url": "https://A.example:443/x#y"}}, "thread", "url",
         "https://a.example/x"),
    case(53, "homograph", {"thread": {"url": "https://\u0430pple.example/"}}, "thread", "url",
         "https://\u0430pple.example/"),
    case(53, "punycode", {"thread": {"url": "https://xn--80ak6aa92e.example/"}}, "thread", "url",
         "https://xn--80ak6aa92e.example/"),
    case(54, "international email", {"author": {"email": "a@b\u00fccher.example"}},
         "author", "email", "a@b\u00fccher.example"),
    case(55, "mapped address", {"author": {"ip": "::ffff:1.2.3.4"}}, "author", "ip", "1.2.3.4"),
    case(55, "private address", {"author": {"ip": "fe80::1"}}, "author", "ip", "fe80::1"),
    case(61, "null means absent", {"author": {"url": None}}, "author", "url", ""),
    case(64, "line separator in name", {"author": {"name": "a\u2028b"}},
         "author", "name", "a\u2028b"),
    case(64, "escape and newline in user agent", {"author": {"user_agent": "A\x1b[1m\r\nB"}},
         "author", "user_agent", "A[1mB"),
    case(66, "8 KB of user agent", {"author": {"user_agent": "x" * 8_192}}, "author", "user_agent",
         "x" * 512),
    case(66, "8 KB of referrer", {"author": {"referrer": "é" * 8_192}}, "author", "referrer",
         "é" * 512),
    case(66, "no user agent", {"author": {"user_agent": ""}}, "author", "user_agent", ""),
]  # fmt: skip


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(("change", "part", "field", "wanted"), NORMALISED)
def test_an_odd_field_is_taken_in_its_usual_form(
    world: World, change: dict[str, Any], part: str, field: str, wanted: str
) -> None:
    assert world.get(world.post_comment(**change))[part][field] == wanted


@row(62)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("external_id", ["..", "x" * 128, "A.b_c:d-9"])
def test_an_odd_external_id_is_taken(world: World, external_id: str) -> None:
    assert world.get(world.post_comment(external_id=external_id))["external_id"] == external_id


@row(62)
def test_external_ids_differ_by_case(world: World) -> None:
    assert world.post_comment(external_id="Abc") != world.post_comment(external_id="abc")


@row(57)
@SQLITE_IS_ENOUGH
def test_a_form_opened_five_minutes_ahead_of_our_clock_is_refused(world: World) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=6)).isoformat()
    assert_field_refused(world.post(comment_json(form_opened_at=ahead)), "/form_opened_at")
    world.post_comment(form_opened_at=(datetime.now(UTC) + timedelta(minutes=4)).isoformat())


# --- keys, owners, ways in -----------------------------------------------------


@row(1)
def test_a_minimal_comment_is_taken(world: World) -> None:
    answer = world.post(
        {"thread": {"id": "a"}, "author": {"name": "A", "email": "a@b.example"}, "body": "Hi."}
    )
    comment_id = answer.get_json()["id"]
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/comments/{comment_id}"
    assert answer.get_json()["status"] == "pending"


@row(2)
def test_the_same_request_again_gets_the_same_answer(world: World) -> None:
    payload, key = comment_json(), {"Idempotency-Key": '"once"'}
    first, again = world.post(payload, headers=key), world.post(payload, headers=key)
    assert again.status_code == first.status_code == 202
    assert again.get_json() == first.get_json()
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert world.count() == 1


@row(3)
def test_the_same_idempotency_key_with_another_body_is_refused(world: World) -> None:
    key = {"Idempotency-Key": "once"}
    world.post(headers=key)
    assert_problem(world.post(headers=key), 422)
    assert world.count() == 1


@row(4)
def test_a_second_request_waits_for_the_first_with_its_key(world: World) -> None:
    payload, key = comment_json(), {"Idempotency-Key": "once"}
    with ThreadPoolExecutor(2) as threads, world.store.write():
        answers = [
            threads.submit(
                world.app.test_client().post,
                PATH,
                json=payload,
                headers=bearer(world.server_key) | key,
            )
            for _ in range(2)
        ]
    bodies = [answer.result(10) for answer in answers]
    assert [answer.status_code for answer in bodies] == [202, 202]
    assert bodies[0].get_json() == bodies[1].get_json()
    assert world.count() == 1


@row(5)
def test_the_same_external_id_and_content_is_known(world: World) -> None:
    payload = comment_json(external_id="17")
    first, again = world.post(payload), world.post(payload)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.get_json()["id"] == first.get_json()["id"]


@row(6)
def test_the_same_external_id_with_other_content_conflicts(world: World) -> None:
    world.post_comment(external_id="17")
    assert_problem(world.post(comment_json(external_id="17")), 409)


@row(7)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("key", ["x" * 300, "", '""', "a\tb", "\x7f"])
def test_an_odd_idempotency_key_is_refused(world: World, key: str) -> None:
    assert_problem(world.post(headers={"Idempotency-Key": key}), 400)


@row(8)
@SQLITE_IS_ENOUGH
def test_a_request_without_key_is_not_known(world: World) -> None:
    answer = world.client.post(PATH, json=comment_json())
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@row(9)
@SQLITE_IS_ENOUGH
def test_all_wrong_keys_get_the_same_answer(world: World) -> None:
    revoked = _revoked_key(world)
    wrong = ["sk_wrong", revoked, world.server_key[:-1], world.server_key + "x", world.token]
    answers = [world.post(key=key) for key in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.get_data() for answer in answers}) == 1


def _revoked_key(world: World) -> str:
    old, new, now = new_key(KeyKind.PUBLIC), new_key(KeyKind.PUBLIC), datetime.now(UTC)
    with world.store.write() as db:
        add_key(db, world.site.id, KeyKind.PUBLIC, old, keyring=world.services.keyring, now=now)
        rotate_keys(
            db,
            world.site.id,
            KeyKind.PUBLIC,
            new,
            keyring=world.services.keyring,
            now=now,
            overlap=timedelta(0),
        )
    return old


@row(10)
def test_another_sites_server_key_writes_into_its_own_site_only(world: World) -> None:
    other, key = world.second_site()
    answer = world.post(comment_json(thread={"url": f"{ORIGIN}/an-article"}), key=key)
    assert answer.status_code == 202
    assert world.row(answer.get_json()["id"]).site_id == other.id


@row(10)
@SQLITE_IS_ENOUGH
def test_a_public_key_writes_under_pages_of_its_own_site_only(world: World) -> None:
    answer = send_as_browser(world, thread={"url": "https://other.example/x"})
    assert_field_refused(answer, "/thread/url")


@row(11)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("name", ["key", "api_key", "access_token", "site_key", "server_key"])
def test_a_key_in_the_address_means_nothing(world: World, name: str) -> None:
    answer = world.client.post(f"{PATH}?{name}={world.server_key}", json=comment_json())
    assert_problem(answer, 401)


@row(12)
def test_another_sites_comment_does_not_exist(world: World) -> None:
    _, key = world.second_site()
    comment_id = world.post_comment()
    for method in (world.client.get, world.client.delete):
        assert_problem(method(f"{PATH}/{comment_id}", headers=bearer(key)), 404)
    assert world.status(comment_id) == "pending"


@row(13)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "TRACE", "GET"])
def test_other_methods_are_not_allowed(world: World, method: str) -> None:
    answer = world.client.open(PATH, method=method, headers=bearer(world.server_key))
    assert_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


@row(14)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    "path",
    ["/v1/nothing", "/v1/comments/", "/v1//comments", "/v1/../v1/comments", "/v1/./comments"],
)
def test_a_post_is_never_redirected(world: World, path: str) -> None:
    answer = world.client.open(
        environ_overrides={"PATH_INFO": path},
        method="POST",
        json=comment_json(),
        headers=bearer(world.server_key),
    )
    assert answer.status_code in (404, 405)
    assert "Location" not in answer.headers


@row(15)
@SQLITE_IS_ENOUGH
def test_a_visitor_over_the_limit_is_told_when_to_come_back(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"ADDRESS_PER_MINUTE": "2"})
    answers = [world.post(comment_json(author={"ip": "192.0.2.1"})) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    told = assert_problem(answers[-1], 429)
    assert told["violated_policies"] == ["address"]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].headers["RateLimit-Policy"] == '"address";q=2;w=60'
    assert answers[-1].headers["RateLimit"].startswith('"address";r=0;t=')


@row(56)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    "forwarded",
    ["1.2.3.4", ", ".join(f"10.0.{n // 250}.{n % 250}" for n in range(1_000)), "\\o/,,;"],
)
def test_a_forged_forwarding_header_is_ignored(world: World, forwarded: str) -> None:
    answer = send_as_browser(world, {"X-Forwarded-For": forwarded})
    assert world.row(answer.get_json()["id"]).author_ip == "127.0.0.1"


@row(58)
def test_a_parent_that_is_not_there_is_not_found(world: World) -> None:
    _, key = world.second_site()
    elsewhere = world.post(key=key).get_json()["id"]
    other_thread = world.approved_comment(thread={"id": "another"})
    for parent_id in ("nothing", "01a20b39-2f77-7677-89aa-dcac6cc95e12", elsewhere, other_thread):
        assert_problem(world.post(comment_json(parent_id=parent_id)), 404)


@row(58)
def test_a_reply_too_deep_is_refused(build_world: Callable[..., World]) -> None:
    world = build_world(max_depth=2)
    parent = world.approved_comment()
    reply = world.approved_comment(parent_id=parent)
    assert_field_refused(world.post(comment_json(parent_id=reply)), "/parent_id")


@row(68)
@SQLITE_IS_ENOUGH
def test_one_text_from_many_visitors_is_taken_in_and_held(world: World) -> None:
    ids = [world.post_comment(body="Buy now, dear friends, buy now!") for _ in range(100)]
    world.run_worker_once()
    assert sum(world.status(comment_id) == "held" for comment_id in ids) > 90


@row(69)
def test_many_posts_of_one_external_id_store_one_comment(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"ADDRESS_PER_MINUTE": "1000", "EMAIL_PER_MINUTE": "1000"})
    payload = comment_json(external_id="17")
    headers = bearer(world.server_key)

    def post(_: int) -> TestResponse:
        return world.app.test_client().post(PATH, json=payload, headers=headers)

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(post, range(100)))
    assert sorted(answer.status_code for answer in answers) == [200] * 99 + [202]
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert world.count() == 1


@row(71)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("accept", ["text/html", "image/png", "*/*;q=0"])
def test_programs_get_json_whatever_they_accept(world: World, accept: str) -> None:
    assert world.post(headers={"Accept": accept}).mimetype == "application/json"
    assert_problem(world.post({}, headers={"Accept": accept}), 422)


@row(73)
@SQLITE_IS_ENOUGH
def test_a_foreign_origin_is_not_let_in(world: World) -> None:
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = world.client.options(PATH, headers=asking)
    assert "Access-Control-Allow-Origin" not in answer.headers


@row(74)
@SQLITE_IS_ENOUGH
def test_a_cookie_is_no_key(world: World) -> None:
    world.client.set_cookie("session", "anything")
    world.client.set_cookie("anteroom_session", world.token)
    assert_problem(world.client.post(PATH, json=comment_json()), 401)


@row(66)
@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("agent", ["x" * 8_192, "Ünïcode", ""])
def test_an_odd_user_agent_of_a_browser_is_cut(world: World, agent: str) -> None:
    answer = send_as_browser(world, {"User-Agent": agent})
    assert len(world.row(answer.get_json()["id"]).author_user_agent) <= 512


def test_every_kind_of_bad_input_is_covered() -> None:
    assert test_bad_http.__name__
    assert sorted(ALL - covered) == []
