"""Proves that a running compose stack does its work, a killed worker included.

usage: prove_stack.py DC BASE_URL, where `DC . ARGUMENTS` is `docker compose ARGUMENTS`.
Needs only the standard library. Ends with "compose: N passed, N failed".
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

DC, BASE_URL = sys.argv[1:]
COMMENTS = 25
BOUND_SECONDS = 120

Json = dict[str, Any]


def compose(*arguments: str) -> str:
    """Return what `docker compose` with these arguments prints."""
    done = subprocess.run([DC, ".", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"{arguments}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def inspect(container: str, template: str) -> str:
    """Return one thing that the engine knows of a container."""
    command = ["docker", "inspect", "--format", template, container]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def call(method: str, path: str, key: str = "", body: Json | None = None) -> tuple[int, Json]:
    """Return status and JSON of one request."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urlopen(Request(BASE_URL + path, data, headers, method=method), timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of `condition`; fail past the bound."""
    deadline = time.monotonic() + BOUND_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {BOUND_SECONDS} s: {what}"
        time.sleep(0.2)
    return value


class Stack:
    """The steps of the proof, in order; later ones build on earlier ones."""

    def __init__(self) -> None:
        self.credentials: dict[str, str] = {}
        self.posted = 0
        self.held = ""

    def is_ready(self) -> None:
        """The service is ready: database and Redis are there."""
        assert call("GET", "/readyz")[0] == 200

    def makes_the_first_site_once(self) -> None:
        """Site and moderator are made by one command, which works once."""
        command = ("exec", "-T", "web", "python", "-m", "service", "setup")
        self.credentials = json.loads(compose(*command))
        try:
            compose(*command)
        except AssertionError as error:
            assert "already" in str(error)
        else:
            raise AssertionError("it worked twice")

    def judges_comments(self) -> None:
        """Comments are taken and judged."""
        self._post_and_await_verdicts(COMMENTS)

    def reviews_a_held_comment(self) -> None:
        """A moderator approves a held comment, and readers see it."""
        links = "http://example.com/a http://example.org/b http://example.net/c"
        comment_id = self._post(links)
        seen = self._judged(comment_id)
        assert seen["status"] == "held", seen["status"]
        decision = {"decision": "approve", "reason": "fine", "version": seen["version"]}
        path = f"/v1/review/comments/{comment_id}/decision"
        status, answer = call("POST", path, self.credentials["api_token"], decision)
        assert status == 200, answer
        thread = f"/v1/sites/{self.credentials['site']}/threads/stack/comments"
        public = json.dumps(call("GET", thread)[1])
        assert comment_id in public

    def survives_a_killed_worker(self) -> None:
        """With a worker's process killed, all comments are judged; it is started again."""
        container = compose("ps", "--quiet", "worker").split()[0]
        os.kill(int(inspect(container, "{{.State.Pid}}")), signal.SIGKILL)
        self._post_and_await_verdicts(COMMENTS)
        wait_until(
            lambda: inspect(container, "{{.RestartCount}} {{.State.Health.Status}}") == "1 healthy",
            "the killed worker runs again",
        )

    def keeps_its_limits(self) -> None:
        """Web and workers run without privileges, on a file system that is read-only."""
        for container in compose("ps", "--quiet", "web", "worker").split():
            found = inspect(
                container,
                "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}"
                " {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}}",
            )
            assert found == "10001:10001 true [ALL] [no-new-privileges:true] true", found

    def stops_in_order(self) -> None:
        """Web and workers heed SIGTERM: nothing has to be killed."""
        containers = compose("ps", "--quiet", "web", "worker").split()
        compose("stop", "web", "worker")
        codes = {inspect(container, "{{.State.ExitCode}}") for container in containers}
        assert codes <= {"0", "143"}, codes

    def _post(self, body: str) -> str:
        self.posted += 1
        author = {"name": f"Reader {self.posted}", "email": f"reader{self.posted}@example.com"}
        comment = {"thread": {"id": "stack"}, "author": author, "body": body}
        status, answer = call("POST", "/v1/comments", self.credentials["server_key"], comment)
        assert status == 202, answer
        return str(answer["id"])

    def _judged(self, comment_id: str) -> Json:
        def judged() -> Json | None:
            path = f"/v1/comments/{comment_id}"
            status, found = call("GET", path, self.credentials["server_key"])
            assert status == 200, found
            return found if found["status"] != "pending" else None

        found: Json = wait_until(judged, f"{comment_id} is judged")
        return found

    def _post_and_await_verdicts(self, count: int) -> None:
        ids = [self._post(f"A calm remark, number {self.posted}.") for _ in range(count)]
        assert {self._judged(comment_id)["status"] for comment_id in ids} == {"approved"}


def main() -> int:
    """Run every step, stop at the first that fails, and print how it went."""
    stack = Stack()
    steps = (
        stack.is_ready,
        stack.makes_the_first_site_once,
        stack.judges_comments,
        stack.reviews_a_held_comment,
        stack.survives_a_killed_worker,
        stack.keeps_its_limits,
        stack.stops_in_order,
    )
    for passed, step in enumerate(steps):
        try:
            step()
        except Exception as error:
            print(f"FAILED  {step.__doc__}\n  {error}\n{compose('logs', '--tail', '40')}")
            print(f"compose: {passed} passed, 1 failed")
            return 1
        print(f"ok      {step.__doc__}", flush=True)
    print(f"compose: {len(steps)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
