"""The rules pages in a real browser, with a real worker behind them."""

from collections.abc import Callable
from itertools import count

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.support.installation import Installation
from tests.support.world import comment_json

_numbers = count(1)

scripts_on_and_off = pytest.mark.parametrize(
    "scripts", [True, False], ids=["with scripts", "without scripts"]
)


def judged(live: Installation, body: str) -> str:
    """Post a comment by somebody new; return its id once a worker judged it."""
    author = {"name": "Ida", "email": f"ida{next(_numbers)}@mail.example"}
    comment_id: str = live.post(comment_json(body=body, author=author)).json()["id"]
    live.judged(comment_id)
    return comment_id


@scripts_on_and_off
def test_a_list_is_changed_tried_published_judged_by_and_taken_back(
    visit: Callable[..., Visitor], live: Installation, scripts: bool
) -> None:
    word = f"zzflying{'on' if scripts else 'off'}"
    before = judged(live, f"We saw a {word} over the river today.")
    admin = visit(java_script_enabled=scripts)
    admin.sign_in()
    page = admin.page

    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_role("link", name="Lists", exact=True).click()
    page.get_by_role("link", name="disallowed", exact=True).click()
    page.get_by_label("Add, one a line").fill(word)
    page.get_by_role("button", name="Try first").click()
    expect(page.get_by_text("It would have held 1 more in 30 days.")).to_be_visible(timeout=40_000)
    expect(page.get_by_text(f"a {word} over the river")).to_be_visible()
    page.get_by_role("button", name=f"Publish: list disallowed: added {word}").click()
    status = page.get_by_role("status")
    expect(status).to_contain_text(f"Published: list disallowed: added {word}.", timeout=30_000)
    held = live.judged(judged(live, f"Another {word} came by in the evening."))
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Taken back: list disallowed")
    after = live.judged(judged(live, f"And a third {word} in the morning."))

    assert (live.comment(before)["status"], held["status"], after["status"]) == (
        "approved",
        "held",
        "approved",
    )
    assert admin.complaints == []


def test_what_is_selected_in_a_comment_goes_to_a_list_by_a_key(
    visit: Callable[..., Visitor], live: Installation
) -> None:
    comment_id = judged(live, "The zzairship was seen by many people.")
    senior = visit()
    senior.sign_in()
    senior.go(f"/review/{comment_id}")
    text = senior.page.get_by_role("region", name="Text of the comment")

    text.evaluate("""(text) => {
        const range = document.createRange();
        range.setStart(text.firstChild, text.textContent.indexOf("zzairship"));
        range.setEnd(text.firstChild, text.textContent.indexOf("zzairship") + 9);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
    }""")
    expect(senior.page.get_by_label("Word, phrase or domain")).to_have_value("zzairship")
    senior.page.keyboard.press("l")

    expect(senior.page.get_by_label("Entries, one a line")).to_have_value("zzairship")
    assert senior.complaints == []


def test_a_mistake_leads_to_its_line_in_the_text(visit: Callable[..., Visitor]) -> None:
    admin = visit()
    admin.sign_in()
    admin.go("/review/rules/edit")
    page = admin.page
    text = page.get_by_label("Text of rules.yaml")
    text.evaluate(
        "(text) => { text.value = text.value.replace('category: policy', 'category: polcy'); }"
    )
    line = text.evaluate(
        "(text) => text.value.slice(0, text.value.indexOf('polcy')).split('\\n').length"
    )

    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("1 mistake", timeout=30_000)
    expect(page.get_by_text("unknown category “polcy” (did you mean “policy”?)")).to_be_visible()
    page.locator("a[data-line]").click()

    caret = text.evaluate("(text) => text.value.slice(text.selectionStart).split('\\n')[0]")
    assert caret == "polcy"
    expect(text).to_be_focused()
    expect(page.locator(f"#L{line}")).to_be_in_viewport()
    page.keyboard.press("Enter")
    numbers = page.locator(".gutter").evaluate("(gutter) => gutter.textContent.trim().split('\\n')")
    assert len(numbers) == text.evaluate("(text) => text.value.split('\\n').length")
    expected = "the server responded with a status of 422"
    assert [told for told in admin.complaints if expected not in told] == []
