"""HTTP as it goes over the wire: bytes out, bytes in, and when the server hangs up."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def connected(port: int, timeout: float = 20.0) -> Iterator[socket.socket]:
    """Give a connection to the server on loopback."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        yield connection


def exchange(port: int, *parts: bytes, timeout: float = 20.0) -> bytes:
    """Send the parts, then return all that comes until the server closes or falls silent.

    Silence means that the answer is complete by its Content-Length.
    """
    with connected(port, timeout) as connection:
        # It may hang up before it heard all: what it said is still to be read.
        with suppress(OSError):
            for part in parts:
                connection.sendall(part)
        return read_answer(connection)


def read_answer(connection: socket.socket) -> bytes:
    """Return one answer, or what came of it before the server closed."""
    received = b""
    while not _complete(received):
        try:
            chunk = connection.recv(65_536)
        except OSError:
            break
        if not chunk:
            break
        received += chunk
    return received


def status_of(answer: bytes) -> int:
    """Return the status of an answer, 0 if the server just hung up."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def closed_within(connection: socket.socket, bound: float) -> bool:
    """Return whether the server closes the connection within `bound` seconds."""
    deadline = time.monotonic() + bound
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            if not connection.recv(65_536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False


def _complete(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return bool(end) and len(body) >= int(line.partition(b":")[2])
    return False
