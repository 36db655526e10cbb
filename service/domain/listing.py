"""The text of a list: one entry a line, comments after `#`."""

import re
from collections.abc import Iterable

_COMMENT = re.compile(r"(?:^|\s)#.*")


def entries_of(text: str) -> list[tuple[int, str]]:
    """Return the entries of a list file with their lines.

    One entry a line; `#` at the start or after a blank begins a comment.
    """
    lines = enumerate(text.split("\n"), 1)
    return [(line, entry) for line, raw in lines if (entry := _entry(raw))]


def with_entries(text: str, entries: Iterable[str]) -> str:
    """Return the list with these entries at its end, but for those that it has."""
    known = {entry for _, entry in entries_of(text)}
    new = [entry for entry in dict.fromkeys(entries) if entry not in known]
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    return ended + "".join(f"{entry}\n" for entry in new)


def without_entries(text: str, entries: Iterable[str]) -> str:
    """Return the list without these entries; all other lines stay as they are."""
    gone = set(entries) - {""}
    return "\n".join(line for line in text.split("\n") if _entry(line) not in gone)


def _entry(line: str) -> str:
    return (_COMMENT.sub("", line) if "#" in line else line).strip()


def remarks_of(text: str) -> list[str]:
    """Return what the comments at the top of a list say, line by line."""
    lines = [line.strip() for line in text.split("\n")]
    first = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return [line.lstrip("#").strip() for line in lines[:first]]


def is_entry(text: str) -> bool:
    """Whether a list would have just this as one entry: `#` may begin a comment."""
    return entries_of(text) == [(1, text)]
