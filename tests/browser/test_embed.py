"""The script that websites embed, in a page of another origin, with a real browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from service.domain.clock import utc_now
from service.domain.site import KeyKind
from service.keyring import Keyring, new_key
from service.storage import open_store
from service.storage.sites import add_key, create_site
from tests.browser.conftest import Visitor
from tests.support.installation import Installation
from tests.support.waiting import wait_until
from tests.support.world import bearer, comment_json

Visit = Callable[..., Visitor]

HOSTILE = "<img src=x onerror=alert(1)> see https://a.example.com/?b&c"


@dataclass(frozen=True)
class Newspaper:
    """A website of its own: a server that shows articles, and a site that knows its origin."""

    url: str
    server_key: str
    public_key: str

    def open(self, visitor: Visitor, thread: str) -> None:
        """Open the article that carries a thread."""
        visitor.page.goto(f"{self.url}/{thread}")

    def approved(self, live: Installation, thread: str, body: str, name: str = "Ines") -> str:
        """Return the id of an approved comment on a thread."""
        sent = comment_json(thread={"id": thread}, body=body, author={"name": name})
        answer = live.post(sent, bearer(self.server_key)).json()
        wait_until(lambda: self._status(live, answer["id"]) != "pending", 20, "judged")
        if self._status(live, answer["id"]) != "approved":
            assert live.decide(answer["id"], "approve", 2).status == 200
        return str(answer["id"])

    def _status(self, live: Installation, comment_id: str) -> str:
        path = f"/v1/comments/{comment_id}"
        return str(live.request("GET", path, headers=bearer(self.server_key)).json()["status"])


@pytest.fixture(scope="module")
def paper(live: Installation) -> Iterator[Newspaper]:
    """A newspaper whose articles embed the script."""
    keys = {kind: new_key(kind) for kind in (KeyKind.SERVER, KeyKind.PUBLIC)}

    class Articles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = (
                "<!doctype html><html lang=en><title>The News</title><link rel=icon href=data:,>"
                f"<h1>The report</h1><div id=here></div>"
                f"<script src='{live.base_url}/static/embed.js' async data-into=here"
                f" data-site=paper data-key={keys[KeyKind.PUBLIC]}"
                f" data-thread={self.path.strip('/')}></script>"
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Articles)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    store = open_store(f"sqlite:///{live.folder / 'data' / 'anteroom.db'}")
    with store.write() as db:
        site = create_site(db, slug="paper", name="Paper", now=utc_now(), origins=(url,))
        for kind, key in keys.items():
            # Long keys take no secret.
            add_key(db, site.id, kind, key, keyring=Keyring(""), now=utc_now())
    store.close()
    yield Newspaper(url, keys[KeyKind.SERVER], keys[KeyKind.PUBLIC])
    server.shutdown()
    thread.join()
    server.server_close()


def test_approved_comments_are_shown_and_nothing_of_them_runs(
    visit: Visit, live: Installation, paper: Newspaper
) -> None:
    comment_id = paper.approved(live, "embedded", HOSTILE, name="<b>Ines</b>")
    visitor = visit()
    paper.open(visitor, "embedded")
    comment = visitor.page.locator(f"#comment-{comment_id}")
    comment.wait_for()
    assert visitor.page.get_by_role("heading", name="1 comment").is_visible()
    assert "<img src=x onerror=alert(1)>" in comment.inner_text()
    assert "<b>Ines</b>" in comment.inner_text()
    assert comment.get_by_role("link").get_attribute("href") == "https://a.example.com/?b&c"
    assert comment.get_by_role("link").get_attribute("rel") == "nofollow ugc noopener"
    assert visitor.complaints == []


def test_a_reader_answers_from_the_page(visit: Visit, live: Installation, paper: Newspaper) -> None:
    parent = paper.approved(live, "answered", "A first remark.")
    visitor = visit()
    paper.open(visitor, "answered")
    page = visitor.page
    page.get_by_role("button", name="Reply").click()
    page.get_by_text("Your reply goes to Ines").wait_for()
    page.get_by_label("Name").fill("Ole")
    page.get_by_label("E-mail").fill("ole@mail.example")
    page.get_by_label("Comment").fill("And a second one, from the page.")
    page.get_by_role("button", name="Post comment").click()
    page.get_by_text("Your comment awaits moderation").wait_for()
    receipt = page.get_by_role("link", name="Follow what becomes of it").get_attribute("href")
    assert receipt is not None
    assert receipt.startswith(f"{live.base_url}/v1/receipts/")
    wait_until(lambda: replies(live, "answered") == [parent], 20, "the reply is approved")
    assert visitor.complaints == []


def test_what_is_wrong_with_a_comment_is_said_beside_the_form(
    visit: Visit, paper: Newspaper
) -> None:
    visitor = visit()
    paper.open(visitor, "refused")
    visitor.page.get_by_label("Comment").fill("Without a name.")
    visitor.page.get_by_role("button", name="Post comment").click()
    visitor.page.get_by_text("Name: is required.").wait_for()
    assert visitor.page.get_by_label("Comment").input_value() == "Without a name."


def test_a_program_that_fills_in_everything_is_noticed(visit: Visit, paper: Newspaper) -> None:
    visitor = visit()
    paper.open(visitor, "trapped")
    page = visitor.page
    page.get_by_label("Name").fill("Bot")
    page.get_by_label("E-mail").fill("bot@mail.example")
    page.get_by_label("Comment").fill("A remark of a program.")
    page.locator("input[name=website_confirm]").evaluate("field => field.value = 'filled'")
    page.get_by_role("button", name="Post comment").click()
    link = page.get_by_role("link", name="Follow what becomes of it")
    receipt = link.get_attribute("href")
    assert receipt is not None
    page.goto(receipt)

    def held() -> bool:
        page.reload()
        return page.get_by_text("Waiting for a person").is_visible()

    wait_until(held, 20, "it is held")


def replies(live: Installation, thread: str) -> list[str | None]:
    """Return what the approved comments of a thread answer, first comments left out."""
    page = live.request("GET", f"/v1/sites/paper/threads/{thread}/comments?view=flat").json()
    return [comment["parent_id"] for comment in page["comments"] if comment["parent_id"]]
