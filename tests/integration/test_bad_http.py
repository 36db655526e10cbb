"""Bad HTTP: requests that no client library would send, over real sockets to the real server."""

import json
import socket
from contextlib import ExitStack

import pytest

from tests.support.catalogue import case, row
from tests.support.installation import Installation
from tests.support.raw_http import closed_within, connected, exchange, read_answer, status_of
from tests.support.waiting import wait_until
from tests.support.world import comment_json

LIMIT = 512 * 1024


def head(live: Installation, *lines: str, request: str = "POST /v1/comments HTTP/1.1") -> bytes:
    """Return a request's head with the server key and further lines."""
    known = [
        request,
        "Host: 127.0.0.1",
        f"Authorization: Bearer {live.credentials['server_key']}",
        "Content-Type: application/json",
    ]
    return "\r\n".join([*known, *lines, "", ""]).encode("latin-1")


def body() -> bytes:
    """Return a valid comment."""
    return json.dumps(comment_json()).encode()


def still_serves(live: Installation) -> None:
    """Check that others are answered."""
    assert live.post(comment_json()).status == 202


def chunk(data: bytes) -> bytes:
    """Return data as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@row(24)
def test_a_declared_body_over_the_limit_is_refused_before_it_is_read(live: Installation) -> None:
    sent = head(live, f"Content-Length: {LIMIT + 1}")
    answer = exchange(live.port, sent, b" " * 100)
    assert status_of(answer) == 413
    assert b"application/problem+json" in answer


@row(25)
def test_a_chunked_body_over_the_limit_is_refused(live: Installation) -> None:
    megabyte = [chunk(b" " * 64 * 1024)] * 16
    answer = exchange(live.port, head(live, "Transfer-Encoding: chunked"), *megabyte, b"0\r\n\r\n")
    assert status_of(answer) == 413
    still_serves(live)


@row(25)
def test_a_chunked_body_within_the_limit_is_welcome(live: Installation) -> None:
    sent = body()
    parts = [chunk(sent[:50]), chunk(sent[50:]), b"0\r\n\r\n"]
    answer = exchange(live.port, head(live, "Transfer-Encoding: chunked"), *parts)
    assert status_of(answer) == 202


@row(26)
def test_bodies_that_never_come_hold_nobody_up_for_long(live: Installation) -> None:
    with ExitStack() as open_ones:
        silent = [open_ones.enter_context(connected(live.port)) for _ in range(80)]
        for connection in silent:
            connection.sendall(head(live, "Content-Length: 10") + b"12345")
        wait_until(lambda: _serves(live), 30, "others are served again")
        assert all(closed_within(connection, 15) for connection in silent)


def _serves(live: Installation) -> bool:
    try:
        return live.post(comment_json()).status == 202
    except OSError:
        return False


@row(27)
def test_heads_that_never_end_hold_nobody_up(live: Installation) -> None:
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(connected(live.port)) for _ in range(200)]
        for connection in slow:
            connection.sendall(b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nX-")
        still_serves(live)
        assert all(closed_within(connection, 15) for connection in slow)


SMUGGLED = [
    case(28, "length and chunked", ["Content-Length: 5", "Transfer-Encoding: chunked"]),
    case(28, "two lengths", ["Content-Length: 5", "Content-Length: 6"]),
    case(28, "unknown transfer coding", ["Transfer-Encoding: xchunked"]),
    case(28, "length is no number", ["Content-Length: +5"]),
]


@pytest.mark.parametrize("lines", SMUGGLED)
def test_a_body_of_unclear_length_is_refused_and_the_connection_closed(
    live: Installation, lines: list[str]
) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(live.port) as connection:
        connection.sendall(head(live, *lines) + b"0\r\n\r\n" + smuggled)
        assert status_of(read_answer(connection)) == 400
        assert closed_within(connection, 5)


@row(29)
def test_a_header_line_of_16_kilobytes_is_refused(live: Installation) -> None:
    answer = exchange(live.port, head(live, "X-Long: " + "x" * 16_384, "Content-Length: 0"))
    assert status_of(answer) in (400, 431)


@row(29)
def test_two_hundred_headers_are_refused(live: Installation) -> None:
    lines = [f"X-{number}: x" for number in range(200)]
    answer = exchange(live.port, head(live, *lines, "Content-Length: 0"))
    assert status_of(answer) in (400, 431)


@row(7)
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Idempotency-Key: a", "Idempotency-Key: b"], id="two headers"),
        pytest.param(["Idempotency-Key: a\rb"], id="a carriage return"),
        pytest.param(["Idempotency-Key: a\x00b"], id="a NUL"),
    ],
)
def test_an_unclear_idempotency_key_is_refused(live: Installation, lines: list[str]) -> None:
    sent = body()
    answer = exchange(live.port, head(live, *lines, f"Content-Length: {len(sent)}") + sent)
    assert status_of(answer) == 400


ODD_REQUEST_LINES = [
    case(70, "HTTP 1.0", "GET /healthz HTTP/1.0", {200}),
    case(70, "absolute form", "GET http://127.0.0.1/healthz HTTP/1.1", {200, 400}),
    case(70, "lower-case method", "get /healthz HTTP/1.1", {200, 400, 405}),
    case(70, "unknown method", "BREW /healthz HTTP/1.1", {400, 405}),
    case(70, "HTTP 0.9", "GET /healthz", {0, 400}),
    case(70, "HTTP 3.7", "GET /healthz HTTP/3.7", {0, 400, 505}),
    case(70, "spaces in the path", "GET /health z HTTP/1.1", {400}),
    case(70, "a long path", f"GET /{'x' * 9_000} HTTP/1.1", {404, 414}),
    case(14, "two slashes", "POST //v1//comments HTTP/1.1", {404, 405}),
    case(14, "encoded dots", "POST /v1/%2e%2e/v1/comments HTTP/1.1", {404, 405}),
    case(14, "slash at the end", "POST /v1/comments/ HTTP/1.1", {404, 405}),
    case(13, "TRACE", "TRACE /v1/comments HTTP/1.1", {405}),
]


@pytest.mark.parametrize(("line", "wanted"), ODD_REQUEST_LINES)
def test_an_odd_request_line_never_breaks_the_server(
    live: Installation, line: str, wanted: set[int]
) -> None:
    answer = exchange(live.port, head(live, "Content-Length: 0", request=line), timeout=12)
    assert status_of(answer) in wanted
    assert b"\r\nlocation:" not in answer.lower()


@pytest.mark.parametrize(
    "hosts",
    [
        case(70, "no host", ""),
        case(70, "two hosts", "Host: a\r\nHost: b\r\n"),
        case(70, "odd host", "Host: a b<c>\r\n"),
    ],
)
def test_an_odd_host_never_breaks_the_server(live: Installation, hosts: str) -> None:
    answer = exchange(live.port, f"GET /healthz HTTP/1.1\r\n{hosts}\r\n".encode())
    assert status_of(answer) in (200, 400)


@row(72)
def test_a_body_too_large_is_refused_before_it_is_sent(live: Installation) -> None:
    sent = head(live, f"Content-Length: {LIMIT * 4}", "Expect: 100-continue")
    answer = exchange(live.port, sent)
    assert status_of(answer) in (413, 417)


@row(72)
def test_a_body_that_waits_for_leave_is_taken(live: Installation) -> None:
    sent = body()
    with connected(live.port) as connection:
        connection.sendall(head(live, f"Content-Length: {len(sent)}", "Expect: 100-continue"))
        first = connection.recv(1_000)
        assert b" 100 " in first
        connection.sendall(sent)
        assert status_of(read_answer(connection)) == 202


@row(64)
def test_what_a_visitor_types_never_shows_in_the_log(live: Installation) -> None:
    forged = "\u2028ERROR forged \u0085line"
    typed = comment_json(
        body=f"a\n{forged}", author={"name": "forged\u2028b", "user_agent": forged}
    )
    comment_id = live.post(typed).json()["id"]
    live.judged(comment_id)
    wait_until(lambda: comment_id in live.output(), 5, "the verdict is logged")
    assert all(json.loads(line) for line in live.output().splitlines() if comment_id in line)
    assert "forged" not in live.output()


def test_the_server_still_judges_after_all_that(live: Installation) -> None:
    comment_id = live.post(comment_json()).json()["id"]
    assert live.judged(comment_id)["status"] in ("approved", "held")


@row(26)
@pytest.mark.parametrize(
    ("length", "status"), [("Content-Length: 500", 400), ("Transfer-Encoding: chunked", 411)]
)
def test_half_a_form_is_never_taken_for_a_whole_one(
    live: Installation, length: str, status: int
) -> None:
    external_id = f"half-{status}"
    half = f"thread_id=a&name=Ann&email=a%40b.example&external_id={external_id}&comment=Only+half"
    sent = head(live, length).replace(b"application/json", b"application/x-www-form-urlencoded")
    with connected(live.port) as connection:
        connection.sendall(sent + (chunk(half.encode()) if status == 411 else half.encode()))
        connection.shutdown(socket.SHUT_WR)
        assert status_of(read_answer(connection)) == status
    assert live.post(comment_json(external_id=external_id)).status == 202
