"""Words and phrases of a list, found as whole words in a folded text.

All entries are looked for in one pass by an RE2 set, whose time depends on the
text alone. The set tells which entries are there, not where: the place is then
found with that entry's own pattern, for the explanation.

RE2's `\\b` knows ASCII letters only, so word borders are written out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import re2

from worker.signals.text import View, plain

_BEFORE = r"(?:^|[^\pL\pM\pN_])"
_AFTER = r"(?:$|[^\pL\pM\pN_])"
#: The default of 8 MB holds some 700 entries; a set that outgrows its memory
#: cannot be compiled at all.
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
        self._patterns = [_pattern(entry) for entry in self.entries]
        # A set that failed to compile crashes the process when matched; here
        # failing raises, so that such a list never comes to be.
        self._set = re2.Set.SearchSet(_options())
        for pattern in self._patterns:
            self._set.Add(pattern)
        self._set.Compile()

    def find(self, view: View) -> Found | None:
        """Return the entry that occurs, the first in the list's order, or None."""
        matches = self._set.Match(view.text)
        if not matches:
            return None
        index = min(matches)
        match = re2.search(self._patterns[index], view.text, _options())
        return Found(self.entries[index], *match.span(1))


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return options


def _pattern(entry: str) -> str:
    words = (re2.escape(word) for word in plain(entry).text.split())
    return f"{_BEFORE}({' +'.join(words)}){_AFTER}"
