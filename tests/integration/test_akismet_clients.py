"""Libraries that speak Akismet, as they are published, pointed at the running service."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import akismet
import httpx
import pytest
from akismet import AsyncClient, CheckResponse, Config, SyncClient

from tests.support.akismet import FORM, SPAM, form
from tests.support.installation import Installation
from tests.support.processes import ROOT
from tests.support.waiting import wait_until

#: What the library gives up after, as it ships.
TIMEOUT = 1.0
WRONG = "0123456789ab"
PERSON: dict[str, Any] = {
    "user_ip": "192.0.2.71",
    "user_agent": "Mozilla/5.0",
    "comment_author": "Olga",
    "comment_author_email": "olga@mail.example",
    "comment_type": "comment",
    "permalink": "https://blog.example/a-post/",
}


@pytest.fixture(scope="module")
def key(live: Installation) -> str:
    """The first site's key, once the service has answered a first check."""
    key = live.credentials["akismet_key"]

    def answers() -> bool:
        sent = form(key, comment_content="Somebody knocks.", user_ip="192.0.2.70", is_test="1")
        answer = live.request_raw("POST", "/1.1/comment-check", sent, {"Content-Type": FORM})
        return answer.body in (b"true", b"false")

    wait_until(answers, 20, "checks are answered")
    return key


class _ToUs(httpx.HTTPTransport):
    """Leads what is meant for Akismet to the service, its Host header unchanged."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = _our(request.url, self._port)
        return super().handle_request(request)


class _AsyncToUs(httpx.AsyncHTTPTransport):
    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = _our(request.url, self._port)
        return await super().handle_async_request(request)


def _our(url: httpx.URL, port: int) -> httpx.URL:
    return url.copy_with(scheme="http", host="127.0.0.1", port=port)


@pytest.fixture
def http(live: Installation) -> Iterator[httpx.Client]:
    """An HTTP client for the library, as patient as its own."""
    with httpx.Client(transport=_ToUs(live.port), timeout=TIMEOUT) as http:
        yield http


def test_the_python_library_works_unchanged(http: httpx.Client, key: str) -> None:
    config = Config(key=key, url="https://blog.example/")
    client = SyncClient.validated_client(config=config, http_client=http)
    ham = {**PERSON, "comment_content": "Thank you for this page, said a library."}
    spam = {**PERSON, "comment_content": SPAM}
    assert client.comment_check(**ham) == CheckResponse.HAM
    assert client.comment_check(**spam) == CheckResponse.SPAM
    assert client.submit_ham(**spam)
    assert client.submit_spam(**ham)
    assert client.usage_limit()["limit"] == "none"


def test_the_python_library_is_told_of_a_wrong_key(http: httpx.Client) -> None:
    config = Config(key=WRONG, url="https://blog.example/")
    with pytest.raises(akismet.APIKeyError):
        SyncClient.validated_client(config=config, http_client=http)
    with pytest.raises(akismet.AkismetError):
        SyncClient(config=config, http_client=http).comment_check(**PERSON)


def test_the_python_library_works_asynchronously(live: Installation, key: str) -> None:
    async def talk() -> list[Any]:
        config = Config(key=key, url="https://blog.example/")
        transport = _AsyncToUs(live.port)
        async with httpx.AsyncClient(transport=transport, timeout=TIMEOUT) as http:
            client = await AsyncClient.validated_client(config=config, http_client=http)
            return [
                await client.comment_check(**PERSON, comment_content="Thank you, asynchronously."),
                await client.comment_check(**PERSON, comment_content=SPAM),
                await client.submit_spam(**PERSON, comment_content="Thank you, asynchronously."),
                await client.submit_ham(**PERSON, comment_content=SPAM),
            ]

    assert asyncio.run(talk()) == [CheckResponse.HAM, CheckResponse.SPAM, True, True]


@pytest.fixture(scope="module")
def javascript(live: Installation, key: str) -> dict[str, dict[str, Any]]:
    """What the libraries for JavaScript made of the service, by their names."""
    script = ROOT / "tests/support/akismet_clients.mjs"
    run = subprocess.run(
        ["node", script, str(live.port), key, SPAM, "Thank you for this page, said a script."],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found: dict[str, dict[str, Any]] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize(
    ("library", "spam", "ham"), [("akismet-api", True, False), ("@cedx/akismet", 1, 0)]
)
def test_a_library_for_javascript_works_unchanged(
    javascript: dict[str, dict[str, Any]], library: str, spam: object, ham: object
) -> None:
    said = javascript[library]
    assert (said["verify"], said["spam"], said["ham"]) == (True, spam, ham), said
    assert not str(said["submitSpam"]).startswith("error")
    assert not str(said["submitHam"]).startswith("error")


@pytest.mark.parametrize("library", ["akismet-api", "@cedx/akismet"])
def test_a_library_for_javascript_is_told_of_a_wrong_key(
    javascript: dict[str, dict[str, Any]], library: str
) -> None:
    said = javascript[f"{library} with a wrong key"]
    assert said["verify"] is False
    assert {str(said[call])[:6] for call in ("spam", "ham")} == {"error:"}, said
