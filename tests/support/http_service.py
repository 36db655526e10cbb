"""A running service, spoken to over HTTP as websites and moderators do."""

import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Headers

from tests.support.waiting import wait_until
from tests.support.world import bearer


@dataclass(frozen=True)
class Answer:
    """What the service said."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class HttpService(ABC):
    """Something that serves the API on a port of this machine."""

    port: int

    @property
    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """The first site's keys and the first moderator's token."""

    @property
    def base_url(self) -> str:
        """The address of the web server."""
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        payload: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Answer:
        """Send one request on a connection of its own; `payload` goes as JSON."""
        body = None if payload is None else json.dumps(payload).encode()
        kind = {} if payload is None else {"Content-Type": "application/json"}
        return self.request_raw(method, path, body, {**kind, **(headers or {})}, timeout)

    def request_raw(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float = 10.0,
    ) -> Answer:
        """Send one request with these very bytes as its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Answer(response.status, Headers(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, payload: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a comment with the server key."""
        sent = bearer(self.credentials["server_key"]) | dict(headers or {})
        return self.request("POST", "/v1/comments", payload, sent)

    def comment(self, comment_id: str) -> Any:
        """Return a comment as the website reads it."""
        sent = bearer(self.credentials["server_key"])
        answer = self.request("GET", f"/v1/comments/{comment_id}", headers=sent)
        assert answer.status == 200, answer.body
        return answer.json()

    def judged(self, comment_id: str, bound: float = 45.0) -> Any:
        """Return a comment once it is pending no more.

        What a killed worker had in hand is judged again within half a minute.
        """

        def settled() -> Any:
            found = self.comment(comment_id)
            return found if found["status"] != "pending" else None

        return wait_until(settled, bound, f"{comment_id} is judged")

    def decide(self, comment_id: str, decision: str, version: int) -> Answer:
        """Decide on a comment as the first moderator, seen at `version`."""
        return self.request(
            "POST",
            f"/v1/review/comments/{comment_id}/decision",
            {"decision": decision, "version": version},
            bearer(self.credentials["api_token"]),
        )
