"""What holds for every page: hostile text stays text, all widths work, all can be read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Visitor
from tests.support.installation import Installation
from tests.support.waiting import wait_until
from tests.support.world import comment_json

#: Would show if any of it became markup, script, template or style.
CANARY = (
    "<script>canary()</script><img src=x onerror=canary()><svg/onload=canary()>"
    "\"'><b class=canary>{{7*7}}${7*7}<!-- ]]>\u202e\u2028</textarea></title>"
)

_CONTRAST = """
() => {
  const parse = (colour) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [.2126, .7152, .0722][index], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parse(colour)[3] === 255) return colour;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes("dark")
      && matchMedia("(prefers-color-scheme: dark)").matches ? "black" : "white";
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [getComputedStyle(element).color, ground(element)]
      .map((colour) => light(parse(colour)) + .05);
    const ratio = Math.max(a, b) / Math.min(a, b);
    if (ratio < 4.5) faint.push(`${element.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
  }
  return faint;
}
"""

_UNNAMED = """
() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")]
  .filter((element) => !(element.labels?.length || element.textContent.trim()
    || element.getAttribute("aria-label") || element.querySelector("img[alt]:not([alt=''])")))
  .map((element) => element.outerHTML.slice(0, 100))
"""


#: What a finding of axe-core may not be.
_GRAVE = ("serious", "critical")
_AXE = Path(__file__).resolve().parents[1] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def paths(live: Installation) -> dict[str, str]:
    """The pages, by name, all holding hostile text wherever text of strangers can stand."""
    held, receipt = post_canary(live, f"{CANARY} http://one-shop.com http://two-shop.com")
    shown, _ = post_canary(live, f"A calm remark. {CANARY}")
    token = {"Authorization": f"Bearer {live.credentials['api_token']}"}
    path = f"/v1/review/comments/{shown}/decision"
    version = live.comment(shown)["version"]
    decision = {"decision": "approve", "version": version, "note": CANARY, "reason": "fine"}
    assert live.request("POST", path, decision, token).status == 200
    trial = change_rules(live)
    return {
        "start": "/",
        "demo": "/demo",
        "demo with a receipt": f"/demo?receipt={receipt}",
        "receipt": receipt,
        "queue": "/review",
        "published": "/review?lane=approved",
        "search": "/review?lane=all&q=%3Cscript%3E%22%27",
        "one at a time": f"/review?zen=1&open={held}",
        "held comment": f"/review/{held}",
        "decided comment": f"/review/{shown}",
        "author": f"/review/authors/{held}",
        "account": "/review/account",
        "second factor": "/review/account/second-factor",
        "people": "/review/people",
        "decide on many": f"/review/bulk?by={held}",
        "campaigns": "/review/campaigns",
        "likely spam": "/review?lane=likely_spam",
        "numbers": "/review/numbers",
        "take back": "/review/take-back?what=rule:several-links&since=2026-01-01T00:00"
        "&until=2100-01-01T00:00",
        "rules": "/review/rules",
        "rules found": "/review/rules?q=%3Cscript%3E%22%27",
        "history of the rules": "/review/rules/history",
        "version of the rules": "/review/rules/versions/2",
        "how the rules do": "/review/rules/quality",
        "what people taught": "/review/rules/learners",
        "lists": "/review/rules/lists?q=%3Cscript%3E%22%27",
        "list": "/review/rules/lists/threats",
        "rules as text": "/review/rules/edit",
        "try box": f"/review/rules/try?comment={held}",
        "trials": f"/review/rules/trials?comment={held}&entry=%3Cscript%3E%22%27",
        "trial": f"/review/rules/trials/{trial}",
        "webhooks": "/review/webhooks",
        "keys for WordPress": "/review/wordpress",
        "WordPress": "/docs/wordpress",
        "websites": "/docs/websites",
        "error": "/review?color=%3Cscript%3Ecanary()%3C/script%3E",
    }


def change_rules(live: Installation) -> str:
    """Publish a list with a hostile note, take that back, and return a trial that ended."""
    token = {"Authorization": f"Bearer {live.credentials['api_token']}"}
    base = live.request("GET", "/v1/rules", headers=token).json()["version"]["number"]
    lists = {"lists/disallowed.txt": "zz-disallowed-word\ncalm remark\n"}
    change = {"base": base, "note": CANARY, "lists": lists}
    trial = live.request("POST", "/v1/rules/trials", {"kind": "backtest", "lists": lists}, token)
    assert trial.status == 202, trial.body
    path = f"/v1/rules/trials/{trial.json()['id']}"
    wait_until(
        lambda: live.request("GET", path, headers=token).json()["state"] == "done",
        30,
        "the trial is done",
    )
    published = live.request("POST", "/v1/rules/publish", change, token)
    assert published.status == 201, published.body
    back = {"base": base + 1, "note": f"Back. {CANARY}"}
    assert live.request("POST", "/v1/rules/revert", back, token).status == 201
    trial_id: str = trial.json()["id"]
    return trial_id


def post_canary(live: Installation, body: str) -> tuple[str, str]:
    """Post a comment with hostile text in every field; return its id and receipt's path."""
    one_line = CANARY.replace("\u2028", "")
    payload: dict[str, Any] = comment_json(
        thread={"id": "truth-commission-report", "url": f"{live.base_url}/demo",
                "title": one_line[:200]},
        author={"name": one_line[:245], "user_agent": CANARY, "referrer": CANARY,
                "url": "http://a-shop.com/<script>canary()</script>\"onclick=\"canary()"},
        body=body,
    )  # fmt: skip
    told = live.post(payload).json()
    live.judged(told["id"])
    return told["id"], urlsplit(told["receipt_url"]).path


@pytest.fixture(scope="module")
def session(browser: Browser, live: Installation) -> Iterator[Any]:
    """The cookies of a signed-in moderator."""
    context = browser.new_context()
    Visitor(context.new_page(), live).sign_in()
    yield context.storage_state()
    context.close()


def test_hostile_text_stays_text(
    visit: Callable[..., Visitor], paths: dict[str, str], session: Any
) -> None:
    visitor = visit(storage_state=session)
    visitor.page.add_init_script("window.canary = () => alert('canary')")
    for name, path in paths.items():
        visitor.go(path)
        found = visitor.page.evaluate(
            "document.querySelectorAll('.canary, svg[onload], img[src=x], [onclick], [onerror],"
            " script:not([src])').length"
        )
        assert found == 0, name
        assert "canary" not in visitor.page.title() or "<script>" in visitor.page.title()

    expected = "the server responded with a status of 422"
    assert [told for told in visitor.complaints if expected not in told] == []


@pytest.mark.parametrize("width", [320, 480, 800, 1280, 1920])
def test_no_page_needs_scrolling_sideways(
    visit: Callable[..., Visitor], paths: dict[str, str], session: Any, width: int
) -> None:
    visitor = visit(storage_state=session, viewport={"width": width, "height": 800})
    for name, path in paths.items():
        visitor.go(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(
    visit: Callable[..., Visitor], paths: dict[str, str], session: Any, scheme: str
) -> None:
    visitor = visit(storage_state=session, color_scheme=scheme)
    for name, path in paths.items():
        visitor.go(path)
        assert visitor.page.evaluate(_CONTRAST) == [], name


def test_every_page_has_landmarks_one_heading_and_named_controls(
    visit: Callable[..., Visitor], paths: dict[str, str], session: Any
) -> None:
    visitor = visit(storage_state=session)
    for name, path in paths.items():
        visitor.go(path)
        page = visitor.page
        assert page.get_by_role("main").count() == 1, name
        assert page.get_by_role("heading", level=1).count() == 1, name
        assert page.evaluate("document.documentElement.lang") == "en", name
        assert page.evaluate(_UNNAMED) == [], name


@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_serious_on_any_page(
    visit: Callable[..., Visitor], paths: dict[str, str], session: Any, width: int
) -> None:
    visitor = visit(storage_state=session, viewport={"width": width, "height": 900})
    source = _AXE.read_text(encoding="utf-8")
    for name, path in paths.items():
        visitor.go(path)
        visitor.page.evaluate(source)
        found = visitor.page.evaluate("axe.run()")["violations"]
        grave = {
            each["id"]: [node["html"][:120] for node in each["nodes"]]
            for each in found
            if each["impact"] in _GRAVE
        }
        assert grave == {}, name
