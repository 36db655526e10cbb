"""The demo article in a real browser, with and without scripts."""

import re
from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.support.installation import Installation
from tests.support.waiting import wait_until

_numbers = count(1)

scripts_on_and_off = pytest.mark.parametrize(
    "scripts", [True, False], ids=["with scripts", "without scripts"]
)


def receipt_id(visitor: Visitor) -> str:
    """Return the comment that the receipt on the page is about."""
    path = visitor.page.locator("#receipt").get_attribute("data-receipt")
    assert path
    told = visitor.installation.request("GET", path).json()
    return str(told["id"])


@scripts_on_and_off
def test_a_reader_posts_and_later_finds_the_comment_under_the_article(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    reader = visit(java_script_enabled=scripts)
    text = f"I grew up in that valley, number {next(_numbers)}."

    reader.go("/demo")
    reader.comment(text)

    expect(reader.page.locator("#receipt")).to_contain_text("Thank you.")
    assert reader.page.get_by_role("link", name="Follow what becomes of it").count() == 1
    live.judged(receipt_id(reader))
    if not scripts:
        reader.page.reload()
    expect(reader.page.locator("#receipt")).to_contain_text("Your comment is published.")
    comment = reader.page.locator(".comments").get_by_text(text)
    link = reader.page.get_by_role("link", name="Show it among the comments")
    # A quick worker has the comment published before the page is drawn.
    expect(comment.or_(link).first).to_be_visible()
    if link.is_visible():
        link.click()
    expect(comment).to_be_visible()
    assert reader.complaints == []


@scripts_on_and_off
def test_a_reader_whose_comment_is_held_learns_why_and_takes_it_back(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    reader = visit(java_script_enabled=scripts)
    number = next(_numbers)

    reader.go("/demo")
    reader.comment(f"See http://first-shop.com and http://second-shop.com, number {number}.")
    live.judged(receipt_id(reader))
    if not scripts:
        reader.page.reload()

    notice = reader.page.locator("#receipt")
    expect(notice).to_contain_text("waits for a person to read it")
    expect(notice).to_contain_text("links from new writers")
    reader.page.get_by_role("link", name="Follow what becomes of it").click()
    expect(reader.page.get_by_text("Waiting for a person")).to_be_visible()
    reader.page.get_by_role("button", name="Take the comment back").click()
    expect(reader.page.get_by_text("You took this comment back")).to_be_visible()
    assert reader.complaints == []


@scripts_on_and_off
def test_a_reader_replies_to_a_comment(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    reader = visit(java_script_enabled=scripts)
    number = next(_numbers)
    reader.go("/demo")
    reader.comment(f"A question, number {number}.", name=f"Asker {number}")
    live.judged(receipt_id(reader))

    reader.go("/demo")
    reader.page.get_by_role("link", name=f"Reply to Asker {number}").click()
    expect(reader.page.locator(".replying")).to_contain_text(f"Asker {number}")
    reader.comment(f"An answer, number {number}.", name="Answerer", email="other@mail.example")
    live.judged(receipt_id(reader))
    reader.go("/demo")

    replies = reader.page.locator(".comments li li")
    expect(replies.filter(has_text=f"An answer, number {number}.")).to_be_visible()
    assert reader.complaints == []


@scripts_on_and_off
def test_what_was_typed_survives_a_mistake(visit: Callable[..., Visitor], scripts: bool) -> None:
    reader = visit(java_script_enabled=scripts)
    reader.go("/demo")

    # Right for the browser, wrong for the service.
    reader.comment("A long thought.", email="ida@localhost")
    expect(reader.page.get_by_role("alert")).to_contain_text("not taken")
    reader.page.get_by_label("Email").fill("ida@mail.example")
    reader.page.get_by_label("Comment").fill(f"A long thought, number {next(_numbers)}.")
    reader.page.get_by_role("button", name="Send again").click()

    expect(reader.page.locator("#receipt")).to_contain_text("Thank you.")


def test_the_honeypot_is_out_of_sight_and_out_of_the_tab_order(
    visit: Callable[..., Visitor],
) -> None:
    reader = visit()
    reader.go("/demo")

    trap = reader.page.locator(".trap input")

    assert trap.get_attribute("tabindex") == "-1"
    box = trap.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < 0


def test_the_notice_follows_a_decision_without_a_reload(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    reader, moderator = visit(), visit()
    number = next(_numbers)
    reader.go("/demo")
    reader.comment(f"See http://third-shop.com and http://fourth-shop.com, number {number}.")
    comment_id = receipt_id(reader)
    live.judged(comment_id)

    moderator.sign_in()
    moderator.go(f"/review/{comment_id}")
    moderator.page.get_by_role("button", name="Approve", exact=True).click()
    expect(moderator.page.get_by_role("status")).to_contain_text("Comment approved.")

    expect(reader.page.locator("#receipt")).to_contain_text("is published", timeout=40_000)
    wait_until(lambda: live.comment(comment_id)["status"] == "approved")
    assert re.search("receipt=", reader.page.url)
