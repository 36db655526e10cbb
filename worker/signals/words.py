"""Words and phrases of a list, found as whole words in a folded text.

All entries are looked for in one pass by an RE2 set, whose time depends on the
text alone. The set tells which entries are there, not where, and not whether
as whole words: that a second pass finds out, for those few.

RE2's `\\b` knows ASCII letters only, so word borders are written out. Kept out
of the set, because they made it thirty times as large.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import re2

from worker.signals.text import View, plain

_BEFORE = r"(?:^|[^\pL\pM\pN_])"
_AFTER = r"(?:$|[^\pL\pM\pN_])"
#: A set that outgrows its memory cannot be compiled at all; the default is 8 MB.
_MEMORY = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that occurs in a view, and where."""

    entry: str
    start: int
    end: int


class WordList:
    """Entries to look for; they are folded as the texts are."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        self._folded = {_folded(entry): entry for entry in self.entries}
        self._patterns = [re2.escape(text).replace(r"\ ", " +") for text in self._folded]
        # A set that failed to compile crashes the process when matched; here
        # failing raises, so that such a list never comes to be.
        self._set = re2.Set.SearchSet(_options())
        for pattern in self._patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def find(self, view: View) -> Found | None:
        """Return the entry that occurs first in the text, or None."""
        present = self._set.Match(view.text)
        if not present:
            return None
        either = "|".join(self._patterns[index] for index in present)
        match = re2.search(f"{_BEFORE}({either}){_AFTER}", view.text, _options())
        if not match:
            return None
        start, end = match.span(1)
        return Found(self._folded[_folded(view.text[start:end])], start, end)


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def _folded(text: str) -> str:
    return " ".join(plain(text).text.split())
