"""WordPress in five minutes: Debian's WordPress and Akismet plugin, and our one file."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.akismet import SPAM
from tests.support.installation import Installation
from tests.support.processes import paused
from tests.support.waiting import wait_until
from tests.support.wordpress import WordPress, wordpress
from tests.support.world import bearer

#: A database and a WordPress are installed first.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def site(live: Installation) -> Iterator[WordPress]:
    """A WordPress with the file that an admin downloads from the console."""
    with wordpress(downloaded(live)) as site:
        yield site


def downloaded(live: Installation) -> bytes:
    """Make a key in the console as an admin does, and return the file that comes with it."""
    told = live.credentials
    with httpx.Client(base_url=live.base_url, timeout=20) as browser:
        login = {"login": told["moderator"], "password": told["password"]}
        browser.post("/login", data={"csrf_token": token_in(browser.get("/login").text)} | login)
        page = browser.get("/review/wordpress").text
        sent = {"csrf_token": token_in(page), "site": told["site"]}
        answer = browser.post("/review/wordpress", data=sent)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["Content-Disposition"]
    return answer.content


def token_in(page: str) -> str:
    """Return the token that a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def record_of(live: Installation, text: str) -> Any:
    """Return what Anteroom has of the comment with this text, with its story."""
    token, listed = bearer(live.credentials["api_token"]), list[Any]()
    after: str | None = ""
    while after is not None:  # others have written to this service before
        path = f"/v1/review/comments?limit=100{after and f'&after={after}'}"
        page = live.request("GET", path, headers=token).json()
        listed, after = listed + page["comments"], page["next"]
    [found] = [comment for comment in listed if comment["body"] == text]
    return live.request("GET", f"/v1/review/comments/{found['id']}", headers=token).json()


def write(site: WordPress, text: str, **author: str) -> str:
    """Write a comment and return where WordPress has it."""
    site.comment(text, **author)
    return site.status_of(text)


def test_what_the_rules_let_through_appears_and_spam_does_not(
    live: Installation, site: WordPress
) -> None:
    calm = 'They "wrote down" every name, and it\'s all there.'
    assert write(site, calm) == "1"
    assert write(site, SPAM, name="Otto", email="otto@mail.example") == "spam"
    assert write(site, "Trying out.", name="akismet-guaranteed-spam") == "spam"

    kept = record_of(live, calm)

    assert kept["status"] == "approved"
    assert kept["author"]["name"] == "Ines"
    assert kept["thread"]["url"].startswith(site.url)


def test_what_an_editor_says_in_wordpress_arrives_as_a_decision(
    live: Installation, site: WordPress
) -> None:
    missed, wrong = 'It\'s a "missed" advert.', f"A reader's sources: {SPAM}"
    assert write(site, missed, name="Mara", email="mara@mail.example") == "1"
    assert write(site, wrong, name="Nils", email="nils@mail.example") == "spam"

    site.mark(missed, "spamcomment")
    site.mark(wrong, "unspamcomment")

    for text, status in ((missed, "spam"), (wrong, "approved")):
        record = record_of(live, text)
        assert record["status"] == status
        assert record["events"][-1]["kind"] == "decision"
        assert record["events"][-1]["actor"] == f"site:{live.credentials['site']}"


def test_without_a_verdict_wordpress_holds_the_comment_and_asks_again(
    live: Installation, site: WordPress
) -> None:
    text = "Nobody had time to check this."
    with paused(live.pids("worker", "check")):
        assert write(site, text, name="Ole", email="ole@mail.example") == "0"
    wait_until(lambda: record_of(live, text)["status"] == "approved", 30, "judged later")

    site.ask_again()

    assert site.status_of(text) == "1"
