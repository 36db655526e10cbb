"""Directories for numbers that processes share: in memory, and gone with their last user."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

#: Writable in containers whose other file systems are not, and never on a disk.
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # only ever for private directories in it
_PREFIX = "anteroom-figures-"
#: Younger ones may be about to be locked by the process that just made them.
_SETTLED_SECONDS = 60.0


@contextmanager
def scratch_directory(place: Path | None = None) -> Iterator[Path]:
    """Give a private, empty directory for the length of the block.

    It is locked while this process or a child of it lives. Those left over by
    processes that were killed, and so could not tidy up, are deleted.
    """
    place = place or (_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else Path(gettempdir()))
    for left_over in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            _delete_if_unused(left_over)
    with TemporaryDirectory(prefix=_PREFIX, dir=place) as name:
        descriptor = _lock(Path(name))
        try:
            yield Path(name)
        finally:
            os.close(descriptor)


def _delete_if_unused(directory: Path) -> None:
    if time.time() - directory.lstat().st_mtime < _SETTLED_SECONDS:
        return
    descriptor = _lock(directory)
    try:
        shutil.rmtree(directory)
    finally:
        os.close(descriptor)


def _lock(directory: Path) -> int:
    """Lock a directory; raise OSError if it is somebody else's or in use."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
