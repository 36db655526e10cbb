"""A decision by one key in a real browser, until the next comment is there to be read."""

from datetime import UTC, datetime
from itertools import cycle, islice

import sqlalchemy as sa
from playwright.sync_api import Page

from service.domain.decision import EventKind, Role
from service.passwords import hash_password
from service.storage import Store
from service.storage.people import create_moderator
from service.storage.tables import events
from tests.bench.console import fill
from tests.bench.measures import Measure, percentile
from tests.bench.stand import Stand
from tests.support.chromium import chromium

_DECISIONS = 60
#: As many again before, so that nothing is made for the first time.
_WARM_UP = 10
_GOAL_MS = 150.0
_KEYS = ("a", "p")
_LOGIN, _PASSWORD = "quick", "made up for measuring"

#: From the key, by the browser's own clock, until the page with the next comment is drawn.
_WATCH = """
() => {
  window.waits = [];
  let pressed = null;
  let was = null;
  addEventListener("keydown", (event) => {
    pressed = event.timeStamp;
    was = document.getElementById("open")?.dataset.comment;
  }, true);
  new MutationObserver(() => {
    const open = document.getElementById("open");
    if (pressed === null || !open || open.dataset.comment === was) return;
    const begun = pressed;
    pressed = null;
    requestAnimationFrame(() => setTimeout(() => waits.push(performance.now() - begun)));
  }).observe(document.body, { childList: true, subtree: true });
}
"""


def measure(stand: Stand, database: str) -> list[Measure]:
    """Return how long people wait for the next comment among 100,000."""
    store = stand.store()
    fill(store)
    with store.write() as db:
        create_moderator(db, _LOGIN, hash_password(_PASSWORD), Role.MODERATOR, datetime.now(UTC))
    with stand.web(), chromium() as browser:
        page = browser.new_page()
        _sign_in(page, stand.url)
        waits = _decide(page, _WARM_UP + _DECISIONS)[_WARM_UP:]
    decided = _decided(store)
    store.close()
    assert decided == _WARM_UP + _DECISIONS, f"{decided} decisions by one key each"
    told = f"console, one key to the next comment, {database}"
    return [
        Measure(f"{told}, median", percentile(waits, 0.5), "ms", better="less"),
        Measure(f"{told}, p95", percentile(waits, 0.95), "ms", goal=_GOAL_MS, better="less"),
    ]


def _sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login?next=/review")
    page.get_by_label("Login name").fill(_LOGIN)
    page.get_by_label("Password").fill(_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator("#open").wait_for()


def _decide(page: Page, times: int) -> list[float]:
    """Decide so often, by one key each; return the milliseconds until the next was there."""
    page.evaluate(_WATCH)
    for count, key in enumerate(islice(cycle(_KEYS), times), 1):
        page.keyboard.press(key)
        page.wait_for_function("count => waits.length === count", arg=count)
    waits: list[float] = page.evaluate("waits")
    return waits


def _decided(store: Store) -> int:
    query = sa.select(sa.func.count()).where(
        events.c.actor == f"moderator:{_LOGIN}", events.c.kind == EventKind.DECISION
    )
    with store.read() as db:
        return db.execute(query).scalar_one()
