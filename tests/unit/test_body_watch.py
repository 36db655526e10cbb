"""Bodies that do not come are given up on; everybody else is left alone."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from service.web.body_watch import BodyWatch, Patience
from tests.support.waiting import wait_until


class Server:
    """A server in miniature: each connection is one request, whose body is read to its length."""

    def __init__(self, patience: Patience) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._watch = BodyWatch(_read_ten, self.port, patience)
        self._threads = ThreadPoolExecutor(4)
        self._open = ExitStack()

    def request(self) -> tuple[socket.socket, "Future[bytes]"]:
        """Return the client's end of a new connection, and what the application will read."""
        client = self._open.enter_context(socket.create_connection(("127.0.0.1", self.port)))
        served = self._open.enter_context(self._listener.accept()[0])
        environ: dict[str, Any] = {"wsgi.input": served.makefile("rb")}
        return client, self._threads.submit(lambda: b"".join(self._watch(environ, None)))

    def close(self) -> None:
        """Close all connections."""
        self._open.close()
        self._threads.shutdown()
        self._listener.close()


def _read_ten(environ: dict[str, Any], _start: object) -> list[bytes]:
    return [environ["wsgi.input"].read(10)]


Serve = Callable[..., Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server with some patience."""
    servers: list[Server] = []

    def start(**patience: float) -> Server:
        servers.append(Server(Patience(look=0.02, **patience)))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_a_client_that_falls_silent_is_cut_off(serve: Serve) -> None:
    client, read = serve(silent=0.2).request()
    client.sendall(b"12345")
    assert read.result(10) == b"12345"


def test_looking_for_silent_clients_leaves_nothing_open(serve: Serve) -> None:
    client, read = serve(silent=0.1).request()
    client.sendall(b"12345")
    before = _open_files()
    read.result(10)
    wait_until(lambda: _open_files() <= before, 5, "what was opened is closed")


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_body_that_comes_is_read_whole(serve: Serve) -> None:
    client, read = serve(silent=5).request()
    client.sendall(b"12345")
    client.sendall(b"67890")
    assert read.result(10) == b"1234567890"


def test_a_client_that_sends_ever_so_slowly_is_cut_off_in_the_end(serve: Serve) -> None:
    client, read = serve(silent=0.6, whole=1.0).request()
    for byte in b"123456789":
        client.sendall(bytes([byte]))
        wait([read], timeout=0.2)
    assert len(read.result(10)) < 9


def test_nobody_is_cut_off_while_nobody_keeps_a_thread_waiting(serve: Serve) -> None:
    server = serve(silent=0.05)
    idle, read = server.request()
    idle.sendall(b"1234567890")
    assert read.result(10) == b"1234567890"
    idle.settimeout(0.5)
    with pytest.raises(TimeoutError):
        idle.recv(1)
