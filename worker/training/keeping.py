"""Keeping: what was worked out is there as a whole or not at all, however a run was cut off."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_whole(file: Path) -> Iterator[Path]:
    """Give the path to write to; what is there in the end becomes `file`, at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"unfinished-{file.name}")
    yield beside
    beside.replace(file)
