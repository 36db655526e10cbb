"""Posting at a steady rate, which wrk cannot."""

import http.client
import json
import threading
import time
from itertools import count
from urllib.parse import urlsplit

_CONNECTIONS = 8
_PROSE = "The report names the places and the dates. " * 18


def post_at_rate(url: str, key: str, rate: float, seconds: float) -> float:
    """Post `rate` comments a second for a while; return the rate that was reached."""
    started = time.perf_counter()
    accepted: list[int] = []
    threads = [
        threading.Thread(target=_post, args=(url, key, rate, started, seconds, first, accepted))
        for first in range(_CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(accepted) / (time.perf_counter() - started)


def _post(
    url: str, key: str, rate: float, started: float, seconds: float, first: int, accepted: list[int]
) -> None:
    """Send every so-manieth comment, each at its own moment."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    taken = 0
    pause = threading.Event()
    for number in count(first, _CONNECTIONS):
        due = started + number / rate
        if due - started >= seconds:
            break
        pause.wait(max(0.0, due - time.perf_counter()))
        connection.request("POST", "/v1/comments", _comment(number), headers)
        answer = connection.getresponse()
        answer.read()
        taken += answer.status == 202
    accepted.append(taken)


def _comment(number: int) -> bytes:
    name = f"{number}-{time.time_ns()}"
    comment = {
        "thread": {"id": f"article-{number % 50}"},
        "author": {"name": f"Reader {number}", "email": f"paced-{name}@example.org"},
        "body": f"Comment {name}. {_PROSE}",
    }
    return json.dumps(comment).encode()
