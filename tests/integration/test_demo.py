"""The demo article: comments under it, the form, and what a reader sees after posting."""

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from service.domain.comment import CommentId
from service.domain.decision import Decision
from service.domain.site import KeyKind
from service.keyring import new_key
from service.storage.sites import add_key
from service.web.demo import THREAD_KEY
from tests.support.world import World, bearer

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

BASE = "http://127.0.0.1:8000"
THREAD = {"id": THREAD_KEY, "url": f"{BASE}/demo"}


class Fields(HTMLParser):
    """The fields of a page's forms, with their values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.required: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag in ("input", "textarea") and name:
            self.values[name] = given.get("value") or ""
            if "required" in given:
                self.required.add(name)


@pytest.fixture
def world(build_world: Callable[..., World]) -> World:
    """A world with a demo page on a site of its own origin."""
    key = new_key(KeyKind.PUBLIC)
    world = build_world({"DEMO_KEY": key}, origins=(BASE,))
    with world.store.write() as db:
        add_key(
            db,
            world.site.id,
            KeyKind.PUBLIC,
            key,
            keyring=world.services.keyring,
            now=world.services.clock(),
        )
    return world


def page(world: World, query: str = "") -> str:
    answer = world.client.get(f"/demo{query}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def post_form(world: World, query: str = "", **changes: str) -> TestResponse:
    """Fill the page's form in and send it as a browser does."""
    entered = {"author": "Ida", "email": "ida@mail.example", "comment": "I was there."}
    fields = Fields(page(world, query)).values | entered | changes
    return world.client.post("/v1/comments", data=fields, headers={"Origin": BASE}, base_url=BASE)


def back(world: World, answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return page(world, f"?{urlsplit(answer.headers['Location']).query}")


def only_comment(world: World) -> CommentId:
    told = world.client.get("/v1/review/comments", headers=bearer(world.token)).get_json()
    (comment,) = told["comments"]
    return CommentId(comment["id"])


def decide(world: World, comment_id: CommentId, decision: Decision) -> None:
    world.moderation.decide(
        comment_id, decision, moderator=world.moderator, version=world.row(comment_id).version
    )


def approved(world: World, **changes: Any) -> CommentId:
    return world.approved_comment(thread=THREAD, **changes)


def test_without_a_demo_key_there_is_no_demo(build_world: Callable[..., World]) -> None:
    assert build_world().client.get("/demo").status_code == 404


def test_the_form_has_the_texts_and_fields_that_readers_know(world: World) -> None:
    text = page(world)

    assert "Leave a reply" in text
    assert "Your email address will not be published. Required fields are marked *" in text
    fields = Fields(text)
    assert {"author", "email", "url", "comment"} <= set(fields.values)
    assert fields.required == {"author", "email", "comment"}
    assert re.search(r"<label for=\"email\">Email \*</label>", text)
    assert "<script>" not in text
    assert " style=" not in text


def test_a_posted_comment_awaits_moderation_and_the_reader_is_told(world: World) -> None:
    text = back(world, post_form(world))

    assert "awaits moderation" in text
    assert 'href="/v1/receipts/' in text
    assert "I was there." not in text
    assert world.status(only_comment(world)) == "pending"


def test_an_approved_comment_appears_under_the_article(world: World) -> None:
    posted = post_form(world)
    world.run_worker_once()

    text = back(world, posted)

    assert "Your comment is published." in text
    assert "I was there." in text
    assert "1 comment<" in text


def test_a_held_comment_tells_why_without_a_promise(world: World) -> None:
    posted = post_form(world, comment="See http://one-shop.com and http://two-shop.com")
    world.run_worker_once()

    text = back(world, posted)

    assert "waits for a person to read it" in text
    assert "no time can be promised" in " ".join(text.split())
    assert "links from new writers" in text
    assert "one-shop.com" not in text


def test_a_reply_link_fills_the_form_without_scripts(world: World) -> None:
    parent = approved(world, author={"name": "Paula"})
    link = re.search(r'href="(\?reply_to=[^"#]+)#respond"', page(world))
    assert link

    post_form(world, unescape(link[1]), comment="An answer")
    world.run_worker_once()

    assert "Your reply goes to" in page(world, unescape(link[1]))
    tree = world.client.get(f"/v1/sites/news/threads/{THREAD_KEY}/comments").get_json()["comments"]
    assert tree[0]["id"] == parent
    assert tree[0]["replies"][0]["body"] == "An answer"


def test_comments_too_deep_have_no_reply_link(world: World) -> None:
    parent = None
    for _ in range(world.site.max_depth):
        parent = approved(world, parent_id=parent)

    assert page(world).count(">Reply</a>") == world.site.max_depth - 1


@pytest.mark.parametrize(
    "query",
    [
        "?reply_to=nobody",
        "?after=x",
        "?receipt=/v1/receipts/forged",
        "?receipt=javascript:alert(1)",
        "?receipt=//evil.example",
    ],
)
def test_made_up_parameters_change_nothing(world: World, query: str) -> None:
    def steady(text: str) -> str:
        return re.sub(r'name="form_opened_at" value="[^"]+"', "", text)

    assert steady(page(world, query)) == steady(page(world))


def test_hostile_comments_are_shown_as_text(world: World) -> None:
    approved(world, author={"name": "<b>Ida</b>"}, body="<script>alert(1)</script> {{7*7}}")

    text = page(world)

    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}}" in text
    assert "&lt;b&gt;Ida&lt;/b&gt;" in text
    assert "<script>alert" not in text


def test_the_honeypot_is_there_but_out_of_sight(world: World) -> None:
    text = page(world)

    assert f'name="{world.site.honeypot_field}" tabindex="-1"' in text
    assert 'class="trap" aria-hidden="true"' in text


def test_a_program_that_fills_the_honeypot_is_held_and_not_told(world: World) -> None:
    posted = post_form(world, **{world.site.honeypot_field: "http://spam.example"})
    world.run_worker_once()

    assert posted.status_code == 303
    assert world.status(only_comment(world)) == "held"
    assert "honeypot" not in back(world, posted).lower()


def test_what_was_entered_is_kept_when_something_is_missing(world: World) -> None:
    answer = post_form(world, email="not an address", comment="A long thought <kept>")

    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert answer.mimetype == "text/html"
    assert "A long thought &lt;kept&gt;" in text
    assert "Email" in text


def test_later_comments_have_a_page_of_their_own(world: World) -> None:
    for number in range(51):
        world.post_comment(thread=THREAD, body=f"Thought number {number}.")
    world.run_worker_once()

    link = re.search(r'href="(\?after=[^"#]+)#comments"', page(world))
    assert link
    text = page(world, unescape(link[1]))

    assert "Thought number 50." in text
    assert "Thought number 49." not in text


def test_the_demo_carries_the_strict_headers(world: World) -> None:
    policy = world.client.get("/demo").headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_start_page_names_the_demo(world: World) -> None:
    assert 'href="/demo"' in world.client.get("/").get_data(as_text=True)
