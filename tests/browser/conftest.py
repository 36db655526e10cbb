"""Visitors with a real Chromium, at the whole service as real processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.installation import Installation


@dataclass
class Visitor:
    """Somebody with a browser of their own; `complaints` is what the browser objected to."""

    page: Page
    installation: Installation
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the service."""
        self.page.goto(self.installation.base_url + path)

    def comment(self, text: str, *, name: str = "Ida", email: str = "ida@mail.example") -> None:
        """Fill in the form under the article and send it."""
        self.page.get_by_label("Name *").fill(name)
        self.page.get_by_label("Email *").fill(email)
        self.page.get_by_label("Comment *").fill(text)
        self.page.get_by_role("button", name="Post comment").click()

    def sign_in(self, login: str = "", password: str = "") -> None:
        """Sign in, as the first moderator unless somebody else is named."""
        known = self.installation.credentials
        self.go("/login")
        self.page.get_by_label("Login name").fill(login or known["moderator"])
        self.page.get_by_label("Password").fill(password or known["password"])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("button", name="Sign out").wait_for()


@pytest.fixture
def visit(browser: Browser, live: Installation) -> Iterator[Callable[..., Visitor]]:
    """Return a function that gives a visitor; keywords are options of the browser's context."""
    contexts = []

    def make(**options: Any) -> Visitor:
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        visitor = Visitor(context.new_page(), live)
        page = visitor.page
        page.on("console", lambda message: _note(visitor, message.type, message.text))
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("dialog", lambda dialog: _refuse(visitor, dialog))
        return visitor

    yield make
    for context in contexts:
        context.close()


def _note(visitor: Visitor, kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        visitor.complaints.append(text)


def _refuse(visitor: Visitor, dialog: Any) -> None:
    visitor.complaints.append(f"dialog: {dialog.message}")
    dialog.dismiss()
