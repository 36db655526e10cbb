"""The review console in a real browser, with and without scripts."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visitor
from tests.support.installation import Installation
from tests.support.world import comment_json

_numbers = count(1)

scripts_on_and_off = pytest.mark.parametrize(
    "scripts", [True, False], ids=["with scripts", "without scripts"]
)


def held(live: Installation, **changes: Any) -> tuple[str, str]:
    """Post a comment that waits for a person; return its id and its author's name."""
    number = next(_numbers)
    name = f"Linker {number:03}"
    author = {"name": name} | changes.pop("author", {})
    body = f"See http://one-shop.com and http://two-shop.com, number {number}."
    answer = live.post(comment_json(**{"body": body, "author": author} | changes))
    comment_id: str = answer.json()["id"]
    assert live.judged(comment_id)["status"] == "held"
    return comment_id, author["name"]


def card(moderator: Visitor, name: str) -> Locator:
    """Return the card of the comment by `name`."""
    return moderator.page.get_by_role("article").filter(has=moderator.page.get_by_text(name))


@scripts_on_and_off
def test_a_moderator_approves_and_takes_it_back(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    comment_id, name = held(live)
    moderator = visit(java_script_enabled=scripts)
    moderator.sign_in()
    moderator.go(f"/review?q={name}")

    card(moderator, name).get_by_role("button", name="Approve").click()
    expect(moderator.page.get_by_role("status")).to_contain_text("Comment approved.")
    approved = live.comment(comment_id)["status"]
    moderator.page.get_by_role("button", name="Undo").click()

    expect(moderator.page.get_by_role("status")).to_contain_text("1 comment put back")
    assert approved == "approved"
    assert live.comment(comment_id)["status"] == "held"
    expect(card(moderator, name)).to_be_visible()
    assert moderator.complaints == []


def test_a_moderator_needs_no_mouse(visit: Callable[..., Visitor], live: Installation) -> None:
    comment_id, name = held(live)
    moderator = visit()
    moderator.sign_in()
    moderator.go(f"/review?q={name}")

    keyboard, page = moderator.page.keyboard, moderator.page
    for _ in range(40):
        keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "Reject":
            break
    keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Comment rejected.")
    assert live.comment(comment_id)["status"] == "rejected"


@scripts_on_and_off
def test_a_moderator_decides_on_several_at_once(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    thread = {"id": f"bulk-{next(_numbers)}", "url": "https://news.example/bulk", "title": "Bulk"}
    known = [held(live, thread=thread) for _ in range(3)]
    moderator = visit(java_script_enabled=scripts)
    moderator.sign_in()
    moderator.go(f"/review?thread={thread['id']}")
    group = moderator.page.get_by_role("group", name="Decide on all selected comments")
    expect(group).to_be_hidden()

    for _, name in known[:2]:
        moderator.page.get_by_role("checkbox", name=name).check()
    group.get_by_role("button", name="Spam").click()

    expect(moderator.page.get_by_role("status")).to_contain_text("2 comments marked as spam.")
    statuses = [live.comment(comment_id)["status"] for comment_id, _ in known]
    assert statuses == ["spam", "spam", "held"]


def test_two_moderators_meet_over_one_comment(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    first, second = visit(), visit()
    for moderator in (first, second):
        moderator.sign_in()
        moderator.go(f"/review?q={name}")

    card(first, name).get_by_role("button", name="Spam").click()
    expect(first.page.get_by_role("status")).to_be_visible()
    card(second, name).get_by_role("button", name="Approve").click()

    expect(second.page.get_by_role("alert")).to_contain_text("Not changed: moderator moved")
    assert live.comment(comment_id)["status"] == "spam"


def test_a_reason_and_a_note_go_with_a_decision(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    moderator = visit()
    moderator.sign_in()
    moderator.go(f"/review?q={name}")

    shown = card(moderator, name)
    shown.get_by_text("Say why").click()
    shown.get_by_label("Reason").select_option("advertising")
    shown.get_by_label("Note").fill("The shop again")
    shown.get_by_role("button", name="Reject").click()
    moderator.page.get_by_role("link", name="See the comment").click()

    story = moderator.page.get_by_role("main")
    expect(story).to_contain_text("advertising, “The shop again”")
    assert live.comment(comment_id)["status"] == "rejected"
