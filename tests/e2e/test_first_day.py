"""The first day with the service, as one command starts it: a reader, a moderator, a restart."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.installation import Installation
from tests.support.waiting import wait_until
from tests.support.world import bearer

REMARK = "I walked there last autumn; see http://example.com/photos and http://example.org/map"


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A service that nobody has started before."""
    installation = Installation()
    yield installation
    installation.discard()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor who was never here."""
    page = browser.new_page()
    yield page
    page.close()


def write_on_the_demo_page(page: Page, url: str, text: str) -> None:
    """Send the form under the article, and see that it awaits moderation."""
    page.goto(f"{url}/demo")
    page.get_by_label("Name *").fill("Edda Holm")
    page.get_by_label("Email *").fill("edda@mail.example")
    page.get_by_label("Comment *").fill(text)
    page.get_by_role("button", name="Post comment").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you")


def sign_in(page: Page, service: Installation) -> None:
    """Sign in to the console as the first moderator."""
    page.goto(f"{service.base_url}/review")
    page.get_by_label("Login name").fill(service.credentials["moderator"])
    page.get_by_label("Password").fill(service.credentials["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def awaits_review(service: Installation, author: str) -> bool:
    """Return whether the queue has a comment by that author."""
    token = bearer(service.credentials["api_token"])
    answer = service.request("GET", f"/v1/review/comments?{urlencode({'q': author})}", None, token)
    return bool(answer.json()["comments"])


def comment_id_of(card: Locator) -> str:
    """Return the id of the comment that a card in the queue shows."""
    found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", card.inner_html())
    assert found, "what decides on the comment names it"
    return found[0]


def test_a_comment_on_the_demo_page_is_held_approved_and_then_read_by_all(
    live: Installation, page: Page
) -> None:
    write_on_the_demo_page(page, live.base_url, REMARK)
    wait_until(lambda: awaits_review(live, "Edda"), 20, "the worker has held it")

    sign_in(page, live)
    page.goto(f"{live.base_url}/review?q=Edda")
    card = page.get_by_role("article", name="Comment by Edda Holm")
    expect(page.get_by_text("links from an author without a proven record")).to_be_visible()
    comment_id = comment_id_of(card)
    assert live.comment(comment_id)["status"] == "held"
    card.get_by_role("button", name="Approve", exact=True).click()
    expect(card).to_have_count(0)

    assert live.comment(comment_id)["status"] == "approved"
    page.goto(f"{live.base_url}/demo")
    expect(page.locator(f"#comment-{comment_id}")).to_contain_text("I walked there last autumn")


def test_a_second_run_goes_on_with_the_data_of_the_first(installation: Installation) -> None:
    installation.start()
    first = installation.output()
    before = installation.credentials
    comment = {
        "thread": {"id": "an-article"},
        "author": {"name": "Edda Holm", "email": "edda@mail.example"},
        "body": "To be kept.",
    }
    comment_id = installation.post(comment).json()["id"]
    installation.judged(comment_id)
    assert installation.stop() == 0

    installation.start()

    assert installation.credentials == before
    assert before["server_key"] in first
    assert installation.output().count(before["server_key"]) == 1, "credentials are shown once"
    assert installation.comment(comment_id)["status"] == "approved"
    again = installation.post(comment | {"body": "Sent on the second day."}).json()["id"]
    assert installation.judged(again)["status"] == "approved"
