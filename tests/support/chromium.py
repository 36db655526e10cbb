"""Debian's Chromium, driven by Playwright: quiet, and with a profile of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

INSTALL = "apt-get install -y chromium"

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_program() -> str:
    """Return the browser to run."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise AssertionError(f"Chromium is not installed. As root: {INSTALL}")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser within the block. Playwright gives it a profile in a temporary folder."""
    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@contextmanager
def new_page(browser: Browser, *, javascript: bool = True) -> Iterator[Page]:
    """Give a page of a visitor who was never here; fail on errors in its scripts."""
    context: BrowserContext = browser.new_context(java_script_enabled=javascript)
    context.set_default_timeout(10_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.extend(_complaints(message)))
    yield page
    context.close()
    assert not problems, f"the page complained: {problems}"


def _complaints(message: ConsoleMessage) -> list[str]:
    # That a form was answered with 422 is logged as an error as well: no complaint.
    harmless = message.type != "error" or message.text.startswith("Failed to load resource")
    return [] if harmless else [message.text]
