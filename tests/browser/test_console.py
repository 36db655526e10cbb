"""The review console in a real browser, with and without scripts."""

import re
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
    # Nothing that comes again or sells: that is likely spam, which has a lane of its own.
    one, two = f"http://one-paper-{number}.com", f"http://two-paper-{number}.com"
    body = f"I compared {one} with {two}, and the numbers differ."
    answer = live.post(comment_json(**{"body": body, "author": author} | changes))
    comment_id: str = answer.json()["id"]
    assert live.judged(comment_id)["status"] == "held"
    return comment_id, author["name"]


def thread_of(live: Installation, comments: int) -> tuple[str, list[tuple[str, str]]]:
    """Return the key of a fresh thread and its held comments, oldest first."""
    key = f"thread-{next(_numbers)}"
    thread = {"id": key, "url": "https://news.example/a", "title": f"Article {key}"}
    return key, [held(live, thread=thread) for _ in range(comments)]


def card(moderator: Visitor, name: str) -> Locator:
    """Return the open comment, which must be the one by `name`."""
    return moderator.page.get_by_role("article", name=f"Comment by {name}")


def at(visit: Callable[..., Visitor], path: str, **options: Any) -> Visitor:
    """Return a moderator who has `path` open."""
    moderator = visit(**options)
    moderator.sign_in()
    moderator.go(path)
    return moderator


@scripts_on_and_off
def test_a_moderator_approves_and_takes_it_back(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    comment_id, name = held(live)
    moderator = at(visit, f"/review?q={name}", java_script_enabled=scripts)

    card(moderator, name).get_by_role("button", name="Approve").click()
    expect(moderator.page.get_by_role("status")).to_contain_text("Comment approved.")
    approved = live.comment(comment_id)["status"]
    moderator.page.get_by_role("button", name="Undo", exact=True).click()

    expect(moderator.page.get_by_role("status")).to_contain_text("1 comment put back")
    assert approved == "approved"
    assert live.comment(comment_id)["status"] == "held"
    expect(card(moderator, name)).to_be_visible()
    assert moderator.complaints == []


def test_keys_decide_move_and_undo(visit: Callable[..., Visitor], live: Installation) -> None:
    thread, known = thread_of(live, 4)
    (first, name), (second, name_2), (third, name_3), (fourth, name_4) = known
    moderator = at(visit, f"/review?thread={thread}")
    keyboard = moderator.page.keyboard

    keyboard.press("a")
    expect(card(moderator, name_2)).to_be_visible()
    keyboard.press("j")
    expect(card(moderator, name_3)).to_be_visible()
    keyboard.press("k")
    expect(card(moderator, name_2)).to_be_visible()
    keyboard.press("3")
    expect(card(moderator, name_3)).to_be_visible()
    keyboard.press("s")
    expect(card(moderator, name_4)).to_be_visible()
    keyboard.press("p")
    expect(moderator.page.get_by_role("status")).to_contain_text("marked as spam")
    keyboard.press("u")
    expect(moderator.page.get_by_role("status")).to_contain_text("1 comment put back")

    statuses = [live.comment(comment_id)["status"] for comment_id, _ in known]
    assert statuses == ["approved", "rejected", "held", "held"]
    assert moderator.complaints == []
    assert name
    assert {first, second, third, fourth}


def test_the_rule_that_is_wrong_has_a_key(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    moderator = at(visit, f"/review?q={name}")

    moderator.page.keyboard.press("w")

    expect(moderator.page.get_by_role("status")).to_contain_text("“several-links” is wrong here")
    assert live.comment(comment_id)["status"] == "approved"


def test_keys_do_nothing_in_fields_and_with_modifiers(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    moderator = at(visit, f"/review?q={name}")
    keyboard, page = moderator.page.keyboard, moderator.page

    keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    keyboard.type("a r p u 1 w")
    for modifier in ("Control", "Alt", "Meta"):
        page.locator("#open").focus()
        keyboard.press(f"{modifier}+a")

    expect(page.get_by_role("searchbox")).to_have_value(re.compile("a r p u 1 w"))
    expect(card(moderator, name)).to_be_visible()
    assert live.comment(comment_id)["status"] == "held"


def test_single_keys_can_be_switched_off(visit: Callable[..., Visitor], live: Installation) -> None:
    comment_id, name = held(live)
    moderator = at(visit, "/review/account")
    keys = moderator.page.get_by_label("Single keys decide and move")
    likes = moderator.page.get_by_role("region", name="How you like the console")
    keys.uncheck()
    likes.get_by_role("button", name="Keep").click()
    expect(keys).not_to_be_checked()

    moderator.go(f"/review?q={name}")
    moderator.page.keyboard.press("a")
    moderator.page.keyboard.press("?")

    expect(moderator.page.get_by_role("dialog")).to_be_hidden()
    expect(card(moderator, name).locator("kbd").first).to_be_hidden()
    assert live.comment(comment_id)["status"] == "held"
    moderator.go("/review/account")
    keys.check()
    likes.get_by_role("button", name="Keep").click()
    expect(keys).to_be_checked()


def test_the_help_sheet_names_every_key(visit: Callable[..., Visitor], live: Installation) -> None:
    _, name = held(live)
    moderator = at(visit, f"/review?q={name}")

    moderator.page.keyboard.press("?")

    sheet = moderator.page.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    named = set(re.findall(r"\S", " ".join(sheet.locator("kbd").all_inner_texts())))
    keyed = moderator.page.locator("[data-key]").evaluate_all("all => all.map(e => e.dataset.key)")
    assert set(keyed) <= named | set("12345")


def test_focus_and_announcement_follow_a_decision(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    thread, ((_, _), (_, following)) = thread_of(live, 2)
    moderator = at(visit, f"/review?thread={thread}")

    moderator.page.keyboard.press("a")

    expect(card(moderator, following)).to_be_focused()
    expect(moderator.page.locator("#announce")).to_have_text(
        f"Comment approved. Comment by {following}."
    )


def test_back_leads_to_the_comment_before(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    thread, ((_, first), (_, second)) = thread_of(live, 2)
    moderator = at(visit, f"/review?thread={thread}")

    moderator.page.keyboard.press("j")
    expect(card(moderator, second)).to_be_visible()
    moderator.page.go_back()

    expect(card(moderator, first)).to_be_visible()


def test_one_at_a_time_hides_the_list(visit: Callable[..., Visitor], live: Installation) -> None:
    _, name = held(live)
    moderator = at(visit, f"/review?q={name}")
    rows = moderator.page.get_by_role("region", name="Comments in this lane")
    expect(rows).to_be_visible()

    moderator.page.keyboard.press("z")

    expect(rows).to_be_hidden()
    expect(card(moderator, name)).to_be_visible()


def test_a_moderator_needs_no_mouse_and_no_single_keys(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    moderator = at(visit, f"/review?q={name}", java_script_enabled=False)

    keyboard, page = moderator.page.keyboard, moderator.page
    for _ in range(60):
        keyboard.press("Tab")
        if page.locator("button[value=reject]:focus").count():
            break
    keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("Comment rejected.")
    assert live.comment(comment_id)["status"] == "rejected"


@scripts_on_and_off
def test_a_moderator_decides_on_several_at_once(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    thread, known = thread_of(live, 3)
    moderator = at(visit, f"/review?thread={thread}", java_script_enabled=scripts)
    group = moderator.page.get_by_role("group", name="Decide on all selected comments")
    expect(group).to_be_hidden()

    for _, name in known[:2]:
        moderator.page.get_by_role("checkbox", name=name).check()
    group.get_by_role("button", name="Spam").click()

    expect(moderator.page.get_by_role("status")).to_contain_text("2 comments marked as spam.")
    statuses = [live.comment(comment_id)["status"] for comment_id, _ in known]
    assert statuses == ["spam", "spam", "held"]


@pytest.mark.parametrize("choice", ["keep theirs", "override"])
def test_two_moderators_meet_over_one_comment(
    visit: Callable[..., Visitor], live: Installation, choice: str
) -> None:
    comment_id, name = held(live)
    first, second = (at(visit, f"/review?q={name}") for _ in range(2))

    first.page.keyboard.press("1")
    expect(first.page.get_by_role("status")).to_be_visible()
    second.page.keyboard.press("a")
    alert = second.page.get_by_role("alert")
    expect(alert).to_contain_text("Not changed: moderator moved this comment to “rejected” first")
    expect(alert).to_contain_text("insults somebody")
    if choice == "override":
        alert.get_by_role("button", name="Override").click()
        expect(second.page.get_by_role("status")).to_contain_text("Comment approved.")
    else:
        alert.get_by_role("link", name="Keep theirs").click()
        expect(alert).to_be_hidden()

    expected = "approved" if choice == "override" else "rejected"
    assert live.comment(comment_id)["status"] == expected


def test_a_reason_and_a_note_go_with_a_decision(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id, name = held(live)
    moderator = at(visit, f"/review?q={name}")

    shown = card(moderator, name)
    shown.get_by_text("Say why").click()
    shown.get_by_label("Reason").select_option("advertising")
    shown.get_by_label("Note").fill("The shop again")
    shown.get_by_role("button", name="Reject", exact=False).first.click()
    moderator.page.get_by_role("link", name="See the comment").click()

    story = moderator.page.get_by_role("main")
    expect(story).to_contain_text("advertising, “The shop again”")
    assert live.comment(comment_id)["status"] == "rejected"


def test_what_the_filter_saw_comes_from_a_worker(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    _, name = held(
        live, body="Ｉ compared http://one-paper.com with http://two-paper.com, they differ."
    )
    moderator = at(visit, f"/review?q={name}")

    moderator.page.keyboard.press("f")

    seen = moderator.page.get_by_role("region", name="What the filter saw: plain")
    expect(seen).to_contain_text("i compared http://one-paper.com")


def test_a_right_to_left_comment_reads_from_the_right(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    _, name = held(live, body="قارنت http://one-paper.com مع http://two-paper.com والأرقام مختلفة.")
    moderator = at(visit, f"/review?q={name}")

    text = moderator.page.get_by_role("region", name="Text of the comment")

    assert text.evaluate("element => getComputedStyle(element).direction") == "rtl"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("word " * 13_000 + "http://one-paper.com, http://two-paper.com", id="65 kB"),
        pytest.param("O" + "\u0301" * 10_000 + " dear. You stupid idiot.", id="marks"),
    ],
)
@pytest.mark.parametrize("width", [390, 1440])
def test_monstrous_comments_stay_within_their_place(
    visit: Callable[..., Visitor], live: Installation, body: str, width: int
) -> None:
    _, name = held(live, body=body)
    moderator = at(visit, f"/review?q={name}", viewport={"width": width, "height": 900})
    if width < 900:
        moderator.page.locator("a.row").click()

    shown = card(moderator, name)
    expect(shown.get_by_role("button", name="Approve")).to_be_in_viewport()
    assert moderator.page.evaluate("document.documentElement.scrollWidth") <= width
    assert moderator.complaints == []


def test_the_next_comment_is_there_soon_after_a_key(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    thread, ((_, _), (_, following)) = thread_of(live, 2)
    moderator = at(visit, f"/review?thread={thread}")
    requests: list[str] = []
    moderator.page.on("request", lambda request: requests.append(request.resource_type))

    moderator.page.keyboard.press("a")

    expect(card(moderator, following)).to_be_visible()
    # "other" is the icon of the tab; the stream, and what it makes the page ask, run beside.
    assert set(requests) <= {"fetch", "other", "eventsource"}, "nothing is loaded anew"


@pytest.mark.parametrize("streams", [True, False], ids=["by stream", "by asking"])
def test_new_comments_are_offered_and_the_list_does_not_jump(
    visit: Callable[..., Visitor], live: Installation, streams: bool
) -> None:
    thread, ((_, first),) = thread_of(live, 1)
    moderator = visit()
    if not streams:
        moderator.page.route("**/live/stream*", lambda route: route.fulfill(status=204))
    moderator.sign_in()
    moderator.go(f"/review?thread={thread}")
    page = moderator.page
    expect(page.locator("#fresh")).to_be_hidden()

    held(live, thread={"id": thread, "url": "https://news.example/a", "title": "A"})

    expect(page.get_by_role("link", name="1 new")).to_be_visible(timeout=20_000)
    expect(page.locator("a.row")).to_have_count(1)
    page.keyboard.press("n")
    expect(page.locator("a.row")).to_have_count(2)
    expect(card(moderator, first)).to_be_visible()


def test_a_comment_that_another_has_open_says_who(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    thread, ((_, name), (_, following)) = thread_of(live, 2)
    first = at(visit, f"/review?thread={thread}")
    made = first.page
    first.go("/review/people")
    login = f"helper{next(_numbers)}"
    made.get_by_label("Login name").fill(login)
    made.get_by_role("button", name="Make account").click()
    password = made.locator(".notice code").inner_text()
    first.go(f"/review?thread={thread}")
    expect(card(first, name)).to_be_visible()

    second = visit()
    second.sign_in(login, password)
    second.go(f"/review?thread={thread}")

    expect(card(second, following)).to_be_visible()
    expect(second.page.get_by_text("moderator has it open")).to_be_visible()
