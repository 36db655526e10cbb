"""Sending comments: keys, repeats, threads and replies, browsers and their forms, limits."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from service.app import create_app
from service.domain.comment import CommentId
from service.domain.errors import StoreUnavailable
from service.domain.site import KeyKind
from service.keyring import new_key
from service.settings import Settings
from service.storage import Store
from service.storage.sites import rotate_keys, thread_by_key, update_site, update_thread
from service.storage.tables import claims, comments, site_keys
from tests.support.waiting import wait_until
from tests.support.world import ORIGIN, World, bearer, comment_json

PATH = "/v1/comments"
SQLITE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])


def from_page(world: World, headers: dict[str, str] | None = None, **changes: Any) -> TestResponse:
    """Post as a script on a page of the site does."""
    payload = comment_json(**changes)
    payload["author"].pop("ip", None)
    return world.post(payload, key=world.public_key, headers={"Origin": ORIGIN} | (headers or {}))


def from_form(world: World, origin: str | None = ORIGIN, **fields: str) -> TestResponse:
    """Post as a plain HTML form does, with WordPress's names."""
    wordpress = {
        "author": "Ann Reader",
        "email": "ann@mail.example",
        "url": "",
        "comment": "From a plain form.",
        "comment_post_ID": "an-article",
        "comment_parent": "0",
        "site_key": world.public_key,
        "submit": "Post Comment",
    }
    headers = {"Origin": origin} if origin else {}
    return world.client.post(PATH, data=wordpress | fields, headers=headers)


# --- what is stored ------------------------------------------------------------


def test_an_accepted_comment_is_stored_as_it_was_sent(world: World) -> None:
    opened = datetime.now(UTC) - timedelta(minutes=3)
    sent = comment_json(
        body="One line\r\nand a\ttab, e\u0301 as sent.",
        external_id="their-17",
        form_opened_at=opened.isoformat(),
        author={
            "name": "Jose\u0301",
            "url": "blog.example/me",
            "user_agent": "Reader/1",
            "referrer": "https://search.example/",
            "verified_id": "user-9",
            "email_verified": True,
        },
    )
    found = world.get(world.post(sent).get_json()["id"])
    assert found["body"] == "One line\nand a\ttab, e\u0301 as sent."
    assert found["external_id"] == "their-17"
    assert found["thread"] == sent["thread"]
    assert found["author"] == sent["author"] | {
        "name": "Jos\u00e9",
        "url": "http://blog.example/me",
    }


def test_the_row_is_there_before_the_answer_even_without_redis(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"REDIS_URL": "unix:///nowhere/redis.sock"})
    assert world.status(world.post_comment()) == "pending"


def test_ids_follow_the_order_of_arrival(world: World) -> None:
    ids = [world.post_comment() for _ in range(5)]
    assert ids == sorted(ids)


def test_the_receipt_of_an_accepted_comment_leads_somewhere(world: World) -> None:
    receipt = urlsplit(world.post().get_json()["receipt_url"])
    assert world.client.get(receipt.path).status_code == 200


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("missing", ["name", "email"])
def test_name_and_email_are_required_unless_the_site_says_otherwise(
    build_world: Callable[..., World], missing: str
) -> None:
    world = build_world()
    sent = comment_json()
    del sent["author"][missing]
    assert world.post(sent).status_code == 422
    with world.store.write() as db:
        update_site(db, world.site.id, **{f"require_{missing}": False})
    wait_until(lambda: world.post(sent).status_code == 202, 3, "the change takes effect")


# --- repeats -------------------------------------------------------------------


def test_the_same_text_by_the_same_author_is_a_duplicate(world: World) -> None:
    sent = comment_json()
    first, again = world.post(sent), world.post(sent)
    assert again.status_code == 409
    assert again.get_json()["type"].endswith("duplicate")
    assert again.get_json()["receipt_url"] == first.get_json()["receipt_url"]
    assert world.count() == 1


def test_the_first_ones_receipt_goes_to_the_key_that_sent_it_only(world: World) -> None:
    sent = comment_json()
    world.post(sent)
    again = from_page(world, **sent)
    assert again.status_code == 409
    assert "receipt_url" not in again.get_json()
    assert "id" not in again.get_json()


@pytest.mark.parametrize(
    "change",
    [
        {"body": "Another text."},
        {"thread": {"id": "another-article"}},
        {"author": {"email": "somebody.else@mail.example"}},
        {"author": {"name": "Somebody Else"}},
    ],
    ids=["text", "thread", "email", "name"],
)
def test_a_comment_that_differs_is_no_duplicate(world: World, change: dict[str, Any]) -> None:
    author = {"name": "Ann", "email": "ann@mail.example", "ip": "192.0.2.1"}
    sent = comment_json(author=author, body="One text.")
    world.post(sent)
    changed = sent | change | {"author": author | change.get("author", {})}
    assert world.post(changed).status_code == 202


def test_a_duplicate_after_a_day_is_welcome(world: World) -> None:
    sent = comment_json()
    first = world.post(sent).get_json()["id"]
    _end_claims(world)
    assert world.post(sent).status_code == 202
    assert world.status(CommentId(first)) == "pending"


def test_an_idempotency_key_is_forgotten_after_a_day(world: World) -> None:
    key = {"Idempotency-Key": "one"}
    world.post(headers=key)
    _end_claims(world)
    assert world.post(headers=key).status_code == 202
    assert world.count() == 2


def _end_claims(world: World) -> None:
    yesterday = datetime.now(UTC) - timedelta(seconds=1)
    with world.store.write() as db:
        db.execute(claims.update().values(expires_at=yesterday))


def test_an_idempotency_key_answers_before_the_external_id(world: World) -> None:
    sent = comment_json(external_id="17")
    world.post(sent, headers={"Idempotency-Key": "one"})
    again = world.post(sent, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (202, "true")


def test_an_external_id_answers_before_the_duplicate(world: World) -> None:
    sent = comment_json(external_id="17")
    first = world.post(sent)
    assert world.post(sent).status_code == 200
    other_id = world.post(sent | {"external_id": "18"})
    assert other_id.status_code == 409
    assert other_id.get_json()["id"] == first.get_json()["id"]


def test_two_sites_may_use_the_same_keys_and_ids(world: World) -> None:
    _, other_key = world.second_site()
    sent, headers = comment_json(external_id="17"), {"Idempotency-Key": "one"}
    ids = {
        world.post(sent, key=key, headers=headers).get_json()["id"]
        for key in (world.server_key, other_key)
    }
    assert len(ids) == 2


def test_a_refused_request_does_not_use_up_its_idempotency_key(world: World) -> None:
    key = {"Idempotency-Key": "one"}
    assert world.post(comment_json(body=""), headers=key).status_code == 422
    assert world.post(headers=key).status_code == 202


def test_concurrent_posts_of_one_comment_store_it_once(world: World) -> None:
    sent, headers = comment_json(), bearer(world.server_key) | {"Idempotency-Key": "one"}

    def post(_: int) -> TestResponse:
        return world.app.test_client().post(PATH, json=sent, headers=headers)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(post, range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert world.count() == 1


# --- threads and replies -------------------------------------------------------


def test_a_thread_is_known_by_its_id_or_else_by_its_normal_url(world: World) -> None:
    one = world.post_comment(thread={"url": "https://News.example:443/a#top"})
    two = world.post_comment(thread={"url": "https://news.example/a"})
    three = world.post_comment(thread={"id": "a", "url": "https://news.example/a"})
    assert world.row(one).thread_id == world.row(two).thread_id
    assert world.row(three).thread_id != world.row(one).thread_id


def test_several_ids_may_share_one_url(world: World) -> None:
    ids = [world.post_comment(thread={"id": i, "url": ORIGIN}) for i in ("a", "b")]
    assert len({world.row(comment_id).thread_id for comment_id in ids}) == 2


def test_the_website_may_rename_a_thread_but_a_reader_may_not(world: World) -> None:
    world.post_comment(thread={"id": "a", "title": "Old"})
    from_page(world, thread={"id": "a", "title": "Forged"})
    assert _thread(world, "a").title == "Old"
    world.post_comment(thread={"id": "a", "title": "New"})
    assert _thread(world, "a").title == "New"


def test_a_closed_thread_takes_no_comments(world: World) -> None:
    comment_id = world.post_comment()
    with world.store.write() as db:
        update_thread(db, world.row(comment_id).thread_id, closed_at=datetime.now(UTC))
    assert world.post().status_code == 403
    assert world.count() == 1


def test_a_reply_stands_one_deeper_under_its_parent(world: World) -> None:
    parent = world.approved_comment()
    reply = world.approved_comment(parent_id=parent)
    deeper = world.approved_comment(parent_id=reply)
    row = world.row(deeper)
    assert (row.depth, row.parent_id, row.root_id) == (3, reply, parent)


def test_only_approved_comments_can_be_replied_to(world: World) -> None:
    pending = world.post_comment()
    assert world.post(comment_json(parent_id=pending)).status_code == 409
    held = world.held_comment()
    assert world.post(comment_json(parent_id=held)).status_code == 409


def test_replies_go_five_deep_as_shipped(world: World) -> None:
    parent = world.approved_comment()
    for _ in range(4):
        parent = world.approved_comment(parent_id=parent)
    assert world.post(comment_json(parent_id=parent)).status_code == 422


def _thread(world: World, key: str) -> Any:
    with world.store.read() as db:
        return thread_by_key(db, world.site.id, key)


# --- a person looks at everything ----------------------------------------------


def test_a_site_can_have_every_comment_held_with_the_rules_still_shown(
    build_world: Callable[..., World],
) -> None:
    world = build_world(moderation="all")
    calm, spam = world.judged_comment(), world.held_comment()
    assert world.status(calm) == "held"
    assert world.rules_hit(calm) == {"site-reviews-every-comment"}
    assert world.rules_hit(spam) > {"site-reviews-every-comment"}
    reasons = [hit["why"] for hit in world.verdict(calm)["hits"]]
    assert reasons == ["This site reviews every comment"]


@pytest.mark.parametrize(("site", "thread", "status"), [
    ("rules", "all", "held"),
    ("all", "rules", "approved"),
])  # fmt: skip
def test_a_threads_own_setting_beats_the_sites(
    build_world: Callable[..., World], site: str, thread: str, status: str
) -> None:
    world = build_world(moderation=site)
    comment_id = world.post_comment()
    with world.store.write() as db:
        update_thread(db, world.row(comment_id).thread_id, moderation=thread)
    world.run_worker_once()
    assert world.status(comment_id) == status


# --- keys and origins ----------------------------------------------------------


def test_a_rotated_key_works_until_its_overlap_ends(world: World) -> None:
    new = new_key(KeyKind.SERVER)
    with world.store.write() as db:
        rotate_keys(
            db, world.site.id, KeyKind.SERVER, new, keyring=world.services.keyring,
            now=datetime.now(UTC), overlap=timedelta(seconds=1),
        )  # fmt: skip
    assert world.post().status_code == 202
    assert world.post(key=new).status_code == 202
    wait_until(lambda: world.post().status_code == 401, 5, "the old key ends")
    assert world.post(key=new).status_code == 202


def test_keys_are_stored_as_digests_only(world: World) -> None:
    with world.store.read() as db:
        rows = str(db.execute(site_keys.select()).all())
    assert not [key for key in (world.server_key, world.public_key) if key in rows]


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("headers", [
    {},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Referer": "https://evil.example/page"},
    {"Origin": f"{ORIGIN}.evil.example"},
])  # fmt: skip
def test_a_public_key_works_from_the_sites_own_pages_only(
    world: World, headers: dict[str, str]
) -> None:
    payload = comment_json()
    del payload["author"]["ip"]
    assert world.post(payload, key=world.public_key, headers=headers).status_code == 403


@SQLITE_IS_ENOUGH
def test_a_browser_may_ask_first_and_read_the_answer(world: World) -> None:
    asking = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    leave = world.client.options(PATH, headers=asking).headers
    assert leave["Access-Control-Allow-Origin"] == ORIGIN
    allowed = {name.strip().lower() for name in leave["Access-Control-Allow-Headers"].split(",")}
    assert allowed >= {"authorization", "content-type", "idempotency-key"}
    answer = from_page(world)
    assert answer.status_code == 202
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@SQLITE_IS_ENOUGH
def test_a_browser_can_read_refusals_too(world: World) -> None:
    answer = from_page(world, body="")
    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("field", ["ip", "verified_id", "email_verified"])
def test_a_public_key_cannot_vouch_for_anybody(world: World, field: str) -> None:
    value = {"ip": "192.0.2.1", "verified_id": "admin", "email_verified": True}[field]
    payload = comment_json()
    payload["author"] = {"name": "A", "email": "a@b.example", field: value}
    answer = world.post(payload, key=world.public_key, headers={"Origin": ORIGIN})
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [f"/author/{field}"]


@SQLITE_IS_ENOUGH
def test_a_public_key_only_posts(world: World) -> None:
    comment_id = world.post_comment()
    headers = bearer(world.public_key) | {"Origin": ORIGIN}
    for method in ("GET", "DELETE"):
        answer = world.client.open(f"{PATH}/{comment_id}", method=method, headers=headers)
        assert answer.status_code == 403
    assert world.client.post("/v1/check", json=comment_json(), headers=headers).status_code == 403


# --- addresses -----------------------------------------------------------------


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize(
    ("proxies", "address"),
    [
        pytest.param("", "127.0.0.1", id="nobody is trusted"),
        pytest.param("127.0.0.0/8, 10.0.0.0/8", "192.0.2.4", id="two proxies are trusted"),
        pytest.param("192.0.2.0/24", "127.0.0.1", id="the peer is no trusted proxy"),
    ],
)
def test_a_readers_address_is_the_sockets_or_what_trusted_proxies_say(
    build_world: Callable[..., World], proxies: str, address: str
) -> None:
    world = build_world({"TRUSTED_PROXIES": proxies})
    answer = from_page(world, {"X-Forwarded-For": "203.0.113.9, 192.0.2.4, 10.0.0.7"})
    assert world.row(answer.get_json()["id"]).author_ip == address


def test_addresses_are_kept_and_counted_under_keyed_hashes(world: World, redis_client: Any) -> None:
    comment_id = world.post_comment(author={"ip": "192.0.2.77", "email": "known@mail.example"})
    row = world.row(comment_id)
    assert len(row.author_ip_hash) == len(row.author_email_hash) == 32
    kept = b" ".join(redis_client.keys("*"))
    assert b"192.0.2.77" not in kept
    assert b"known@mail" not in kept


# --- limits --------------------------------------------------------------------


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("same", [{"ip": "192.0.2.1"}, {"email": "same@mail.example"}])
def test_a_visitor_may_send_ten_comments_a_minute_as_shipped(
    world: World, same: dict[str, str]
) -> None:
    statuses = [world.post(comment_json(author=same)).status_code for _ in range(11)]
    assert statuses == [202] * 10 + [429]
    assert world.post().status_code == 202


@SQLITE_IS_ENOUGH
def test_others_are_taken_in_after_all_of_a_group_were_refused_by_a_broken_database(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = {"ip": "192.0.2.1"}
    assert [world.post(comment_json(author=same)).status_code for _ in range(10)] == [202] * 10
    with monkeypatch.context() as broken:
        broken.setattr(world.services.intake, "_store", _Failing(world.services.store))
        assert world.post(comment_json(author=same)).status_code == 429
        assert world.post().status_code == 503

    assert world.post().status_code == 202


@SQLITE_IS_ENOUGH
def test_nobody_is_stored_whose_uses_could_not_be_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(world.services.limiter, "hit_all", _raise)
        assert world.post().status_code == 500

    assert world.post().status_code == 202
    assert world.count() == 1


class _Failing(Store):
    """A store whose transactions cannot be ended."""

    def __init__(self, store: Store) -> None:
        vars(self).update(vars(store))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as db:
            yield db
            raise StoreUnavailable("the line is cut")


def _raise(*_given: object) -> NoReturn:
    raise RuntimeError("a fault of our own")


@SQLITE_IS_ENOUGH
def test_a_site_bounds_what_its_public_key_sends_but_not_its_server_key(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"ADDRESS_PER_MINUTE": "1000"}, public_per_minute=3)
    assert [from_page(world).status_code for _ in range(4)] == [202] * 3 + [429]
    assert [world.post().status_code for _ in range(4)] == [202] * 4


@SQLITE_IS_ENOUGH
def test_a_server_key_is_bounded_where_the_site_says_so(
    build_world: Callable[..., World],
) -> None:
    world = build_world(server_per_minute=2)
    answers = [world.post() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[-1].get_json()["violated_policies"] == ["site"]


@SQLITE_IS_ENOUGH
def test_limits_hold_while_redis_is_away(build_world: Callable[..., World]) -> None:
    world = build_world({"REDIS_URL": "unix:///nowhere/redis.sock", "ADDRESS_PER_MINUTE": "2"})
    answers = [world.post(comment_json(author={"ip": "192.0.2.1"})) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]


# --- plain forms ---------------------------------------------------------------


def test_wordpress_own_form_is_understood(world: World) -> None:
    answer = from_form(world)
    assert answer.status_code == 202
    assert answer.mimetype == "text/html"
    assert "awaits moderation" in answer.get_data(as_text=True)
    with world.store.read() as db:
        row = db.execute(comments.select()).one()
    assert (row.author_name, row.author_email) == ("Ann Reader", "ann@mail.example")
    assert (row.body, row.parent_id) == ("From a plain form.", None)


def test_a_refused_form_keeps_what_was_entered_and_says_what_is_wrong(world: World) -> None:
    answer = from_form(world, email="nobody", comment="Kept <b>as</b> it was")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<strong>Email</strong>" in page
    assert "Kept &lt;b&gt;as&lt;/b&gt; it was" in page
    assert 'value="Ann Reader"' in page
    assert world.count() == 0


@pytest.mark.parametrize("back", [f"{ORIGIN}/an-article#comments", f"{ORIGIN}/?p=1"])
def test_a_form_leads_back_to_the_site_when_it_asks_to(world: World, back: str) -> None:
    answer = from_form(world, redirect_to=back)
    assert answer.status_code == 303
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}" == ORIGIN
    outcome = parse_qs(target.query)
    assert outcome["comment_status"] == ["pending"]
    assert world.client.get(outcome["receipt"][0]).status_code == 200


@SQLITE_IS_ENOUGH
@pytest.mark.parametrize("back", [
    "https://evil.example/",
    "//evil.example/",
    "javascript:alert(1)",
    f"{ORIGIN}@evil.example/",
    f"{ORIGIN}.evil.example/",
    "https:\\\\evil.example",
    "\\\\evil.example",
    f"{ORIGIN}/\r\nSet-Cookie: a=b",
])  # fmt: skip
def test_a_form_never_leads_anywhere_else(world: World, back: str) -> None:
    answer = from_form(world, redirect_to=back)
    assert answer.status_code == 422
    assert "Location" not in answer.headers
    assert world.count() == 0


@SQLITE_IS_ENOUGH
def test_a_form_from_elsewhere_is_refused(world: World) -> None:
    assert from_form(world, origin="https://evil.example").status_code == 403
    assert from_form(world, origin=None).status_code == 403


@SQLITE_IS_ENOUGH
def test_a_filled_honeypot_is_recorded_and_not_told(world: World) -> None:
    plain = from_form(world)
    caught = from_form(world, website_confirm="http://spam.example", comment="Buy.")
    assert caught.status_code == plain.status_code == 202
    with world.store.read() as db:
        flags = db.execute(
            comments.select().order_by(comments.c.id).with_only_columns(comments.c.honeypot_filled)
        ).scalars()
        assert list(flags) == [False, True]
    world.run_worker_once()
    with world.store.read() as db:
        row = db.execute(comments.select().where(comments.c.honeypot_filled)).one()
    assert row.status == "held"


@SQLITE_IS_ENOUGH
def test_a_form_with_unknown_fields_is_refused_by_name(world: World) -> None:
    answer = from_form(world, status="approved")
    assert answer.status_code == 422
    assert "status" in answer.get_data(as_text=True).lower()


# --- the database is away ------------------------------------------------------


def test_without_a_database_nothing_is_promised(
    world: World, make_settings: Callable[..., Settings], tmp_path: Any
) -> None:
    away = make_settings(DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/none.db")
    answer = (
        create_app(away)
        .test_client()
        .post(PATH, json=comment_json(), headers=bearer(world.server_key))
    )
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
