"""Requests whose body does not come: cut off, so that they hold no thread for good.

The web server reads a body in one of its few threads and waits for it without
end; a dozen clients that fall silent would stop everybody. It offers no bound
of its own, so a thread beside it closes the connections of those who keep one
waiting. Works on Linux; elsewhere a reverse proxy has to do it.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

#: struct tcp_info of Linux: where it keeps the milliseconds since anything was
#: sent, and since anything was received.
_TCP_INFO_BYTES = 60
_LAST_SENT, _LAST_RECEIVED = 44, 52

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a client may be silent in the middle of a body, and may take for all of it.

    `look` is the time between two looks at who keeps a thread waiting.
    """

    silent: float = 8.0
    whole: float = 60.0
    look: float = 1.0


class BodyWatch:
    """A WSGI application that gives up on bodies which do not come.

    `port` is the one that its server listens on.
    """

    def __init__(
        self, application: Application, port: int, patience: Patience | None = None
    ) -> None:
        self._application = application
        self._port = port
        self._patience = patience or Patience()
        self._awaited: dict[object, float] = {}
        if sys.platform == "linux":
            threading.Thread(target=self._look, name="body-watch", daemon=True).start()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer the request; its body is watched."""
        environ["wsgi.input"] = _Watched(environ["wsgi.input"], self._awaited)
        return self._application(environ, start_response)

    def _look(self) -> None:
        while True:
            time.sleep(self._patience.look)
            since = min(list(self._awaited.values()), default=None)
            if since is not None and time.monotonic() - since > self._patience.silent:
                self._cut(time.monotonic() - since)

    def _cut(self, waited: float) -> None:
        """Close the connections that nothing came from or went to for too long.

        That may be one that merely waits for its next request: closing such a
        one is any server's right.
        """
        cut = 0
        for connection in _connections(self._port):
            # It may be gone by now.
            with suppress(OSError):
                if self._lost_patience(connection, waited):
                    connection.shutdown(socket.SHUT_RD)
                    cut += 1
        if cut:
            log.warning("gave up on bodies that do not come", connections=cut)

    def _lost_patience(self, connection: socket.socket, waited: float) -> bool:
        sent, received = _silence(connection)
        silent = min(sent, received) > self._patience.silent
        return silent or min(sent, waited) > self._patience.whole


class _Watched:
    """A request's body; while somebody waits for it, that is known."""

    def __init__(self, body: Any, awaited: dict[object, float]) -> None:
        self._body = body
        self._awaited = awaited
        self._since = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer at the end."""
        self._awaited[self] = self._since
        try:
            data: bytes = self._body.read(size)
            return data
        finally:
            del self._awaited[self]


def _connections(port: int) -> Iterator[socket.socket]:
    """Give this process's connections that were made to `port`, each a duplicate."""
    for path in Path("/proc/self/fd").iterdir():
        # It may be gone by now, or have no peer.
        with suppress(OSError), closing(_duplicate(int(path.name))) as connection:
            internet = connection.family in (socket.AF_INET, socket.AF_INET6)
            if internet and connection.getpeername() and connection.getsockname()[1] == port:
                yield connection


def _duplicate(descriptor: int) -> socket.socket:
    """Return a duplicate of the socket; raise OSError if it is none."""
    copy = os.dup(descriptor)
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise


def _silence(connection: socket.socket) -> tuple[float, float]:
    """Return the seconds since anything was sent and since anything was received."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    [sent] = struct.unpack_from("I", info, _LAST_SENT)
    [received] = struct.unpack_from("I", info, _LAST_RECEIVED)
    return sent / 1000, received / 1000
