"""Canaries: private words sent into every corner, then looked for where they must not be."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.http_service import Answer
from tests.support.installation import Installation
from tests.support.world import bearer, comment_json

CANARY = "kanarienvogel"
ADDRESS = "198.51.100.213"
PRIVATE = (CANARY, ADDRESS)


@pytest.fixture(scope="module")
def told_everything() -> Iterator[Installation]:
    """A service that logged all it can while private words went through it."""
    installation = Installation({"LOG_LEVEL": "DEBUG"}).start()
    try:
        _tell_everything(installation)
        yield installation
    finally:
        installation.discard()


def _tell_everything(service: Installation) -> None:
    kept = _tell_comments(service)
    answers = [*_tell_nonsense(service), *_tell_people(service, kept)]
    assert not [answer.body for answer in answers if b"Traceback" in answer.body]
    assert {answer.status for answer in answers} & {500, 502} == set()


def _private_comment(**changes: object) -> dict[str, object]:
    author = {
        "name": f"{CANARY} Name",
        "email": f"{CANARY}@mail.example",
        "url": f"http://{CANARY}.example.com/",
        "ip": ADDRESS,
        "user_agent": f"{CANARY}/1.0",
        "referrer": f"https://{CANARY}.example/",
        "verified_id": CANARY,
    }
    return comment_json(author=author, body=f"{CANARY} says", **changes)


def _tell_comments(service: Installation) -> str:
    """Post a comment, twice and checked; return its id once it is judged."""
    sent = _private_comment(external_id=CANARY)
    accepted = service.post(sent, {"Idempotency-Key": CANARY}).json()
    service.post(_private_comment(external_id=f"{CANARY}-2"))
    service.request("POST", "/v1/check", sent, bearer(service.credentials["server_key"]))
    service.request("GET", urlsplit(accepted["receipt_url"]).path)
    service.judged(accepted["id"])
    comment_id: str = accepted["id"]
    return comment_id


def _tell_nonsense(service: Installation) -> list[Answer]:
    """Make every kind of mistake with private words in it."""
    bad = _private_comment() | {"colour": CANARY, "parent_id": CANARY}
    wrong_key = bearer(f"sk_{CANARY}_and_more_to_make_it_long")
    key = bearer(service.credentials["server_key"])
    return [
        service.post(bad),
        service.post({CANARY: {CANARY: CANARY}}),
        service.post(f"{CANARY} is no comment"),
        service.request("POST", "/v1/comments", bad, wrong_key),
        service.request("GET", f"/v1/{CANARY}?q={CANARY}", None, key),
        service.request("GET", f"/v1/receipts/{CANARY}"),
        service.request("GET", f"/v1/sites/{CANARY}/threads/{CANARY}/comments"),
        service.request("GET", f"/v1/comments/{CANARY}", None, key),
        service.request("GET", "/healthz", None, {"X-Request-ID": f"a {CANARY}", "Cookie": CANARY}),
    ]


def _tell_people(service: Installation, comment_id: str) -> list[Answer]:
    """Search, decide, report and sign in with private words."""
    token = bearer(service.credentials["api_token"])
    key = bearer(service.credentials["server_key"])
    decision = {"decision": "reject", "reason": "other", "note": CANARY, "version": 2}
    report = {"reason": "other", "note": CANARY, "reader": CANARY}
    return [
        service.request("GET", f"/v1/review/comments?{urlencode({'q': CANARY})}", None, token),
        service.request("POST", f"/v1/comments/{comment_id}/report", report, key),
        service.request("POST", f"/v1/review/comments/{comment_id}/decision", decision, token),
        service.request("POST", "/login", {"login": CANARY, "password": CANARY}),
        service.request("DELETE", f"/v1/comments/{comment_id}", None, key),
    ]


def test_no_private_word_is_in_the_log(told_everything: Installation) -> None:
    assert _found(told_everything.output()) == []


def test_no_secret_is_in_the_log(told_everything: Installation) -> None:
    known = told_everything.credentials
    # Other lines are for the person who installs, who is shown the first keys once.
    lines = [line for line in told_everything.output().splitlines() if line.startswith("{")]
    assert lines
    secrets = [known[name] for name in ("server_key", "public_key", "api_token", "password")]
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_no_private_word_is_in_redis(told_everything: Installation) -> None:
    kept = _files(told_everything, "redis")
    assert kept, "it keeps a file"
    assert _found(kept) == []


def _found(text: str) -> list[str]:
    """Return the lines that hold a private word."""
    return [line[:200] for line in text.splitlines() if any(word in line for word in PRIVATE)]


def _files(service: Installation, name: str) -> str:
    """Return all that a folder under the data directory holds."""
    folder: Path = service.folder / "data" / name
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_text(encoding="latin-1") for path in files)
