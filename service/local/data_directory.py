"""The data directory of a one-machine installation: locked while in use, private to its owner."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from service.local import Refused

#: Children of a run that was killed are gone within milliseconds; until then
#: they hold the lock.
_PATIENCE_SECONDS = 2.0
KEY_FILE = "secret.key"


@contextmanager
def claimed(directory: Path) -> Iterator[int]:
    """Keep everybody else out of `directory` for the length of the block.

    Gives the lock's file descriptor: handed to the children it keeps the
    directory claimed until the last of them is gone, however the parent ends.
    Raises Refused if somebody else has it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refused(
            f"The data directory {directory} cannot be used: {error.strerror}."
        ) from error
    try:
        _take(lock, directory)
        yield lock
    finally:
        os.close(lock)


def secret_key(directory: Path) -> str:
    """Return the installation's secret, made at the first call and kept in `secret.key`."""
    path = directory / KEY_FILE
    if not path.exists():
        write_private(path, secrets.token_hex(32) + "\n")
    return path.read_text(encoding="ascii").strip()


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` so that only its owner may read it, all of it or nothing."""
    with private_file(path) as file:
        file.write(text.encode())


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file that only its owner may read; it takes its place at the end of the block.

    If the block fails, whatever `path` held before stays.
    """
    draft = path.with_name(path.name + ".new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _take(lock: int, directory: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Refused(
                    f"The data directory {directory} is in use by another run;"
                    " stop it first, or set DATA_DIR to another directory."
                ) from None
            time.sleep(0.05)
