"""The programs that websites copy do what their page says, in each language."""

import json
import re
import subprocess
import sys
from html import unescape
from itertools import count
from urllib.parse import urlencode

import pytest

from tests.support.installation import Installation
from tests.support.processes import ROOT
from tests.support.world import comment_json

FOLDER = ROOT / "service/web/recipes"
NAME = '<b>Ines</b> & "co"'

#: How each language calls its recipe with the arguments as JSON.
CALLS = {
    "python": [
        sys.executable, "-c",
        "import json, sys; sys.path.insert(0, sys.argv[1]); import comments;"
        "print(comments.comments_html(*json.loads(sys.argv[2])))",
    ],
    "php": [
        "php", "-r",
        "require $argv[1] . '/comments.php';"
        "echo anteroom_comments(...json_decode($argv[2], true));",
    ],
    "javascript": [
        "node", "--input-type=module", "-e",
        "const { commentsHtml } = await import(process.argv[1] + '/comments.mjs');"
        "console.log(await commentsHtml(...JSON.parse(process.argv[2])));",
    ],
}  # fmt: skip

_numbers = count(1)


@pytest.fixture(scope="module", params=CALLS)
def language(request: pytest.FixtureRequest) -> str:
    """Each language in turn."""
    chosen: str = request.param
    return chosen


def run(language: str, service: str, site: str, key: str, thread: str) -> str:
    """Return the HTML that a recipe makes."""
    page = f"{service}/demo?a=1&b=2"
    arguments = [str(FOLDER), json.dumps([service, site, key, thread, page])]
    made = subprocess.run(
        [*CALLS[language], *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_comments_and_replies_are_in_the_page(live: Installation, language: str) -> None:
    told = live.credentials
    thread = {"id": f"a recipe/in {language}?&{next(_numbers)}"}
    parent = live.post(comment_json(thread=thread, author={"name": NAME})).json()["id"]
    assert live.judged(parent)["status"] == "approved"
    reply = live.post(comment_json(thread=thread, parent_id=parent)).json()["id"]
    assert live.judged(reply)["status"] == "approved"

    html = run(language, live.base_url, told["site"], told["public_key"], thread["id"])

    assert html.index(f'id="comment-{parent}"') < html.index(f'id="comment-{reply}"')
    assert "<b>Ines" not in html
    assert NAME in unescape(html)
    assert html.count("<ol>") == html.count("</ol>") == 2


def test_the_form_posts_without_a_script(live: Installation, language: str) -> None:
    told = live.credentials
    thread = f"a-form-in-{language}"
    html = run(language, live.base_url, told["site"], told["public_key"], thread)
    fields = {
        name: unescape(value)
        for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)
    }
    fields |= {"author": "Ines", "email": "ines@mail.example", "website_confirm": ""}
    fields["comment"] = f"Sent by a plain form of {language}."

    answer = live.request_raw(
        "POST", "/v1/comments", urlencode(fields).encode(),
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": live.base_url},
    )  # fmt: skip

    assert answer.status == 303, answer.body
    assert answer.headers["Location"].startswith(f"{live.base_url}/demo?a=1&b=2&comment_status=")


def test_while_the_service_is_away_the_article_appears_all_the_same(language: str) -> None:
    assert "<form" in run(language, "http://127.0.0.1:9", "news", "pk_1", "a-thread")
