"""The words of a view in order, and where a sentence ends between them."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property

from worker.signals.alphabets import BLANKLESS, HANGUL, WORD
from worker.signals.view import View

_TOKEN = re.compile(f"{WORD}+(?:'{WORD}+)*|{HANGUL}+|{BLANKLESS}+")
_SENTENCE_END = re.compile("[!?。।॥؟؛۔։]")
_STOP = re.compile("[.;:]")


class Tokens:
    """The words of a view, numbered in order; what is known of each is worked out when asked for.

    An apostrophe inside a word belongs to it. Scripts without blanks between
    words give one word for everything between two signs.
    """

    def __init__(self, view: View) -> None:
        self.texts: list[str] = _TOKEN.findall(view.text)
        self.known = frozenset(self.texts)
        self._view = view
        self._has_lines = "\n" in view.original
        self._beginnings: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The numbers of each word."""
        found: dict[str, list[int]] = {}
        for number, text in enumerate(self.texts):
            found.setdefault(text, []).append(number)
        return found

    def beginning_with(self, beginning: str) -> Iterator[str]:
        """Yield the words that begin so."""
        for index in range(bisect_left(self._sorted, beginning), len(self._sorted)):
            if not self._sorted[index].startswith(beginning):
                return
            yield self._sorted[index]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return where the words from `first` to before `last`, at least one, stand in the view."""
        return self._spans[first][0], self._spans[last - 1][1]

    def touched(self, start: int, end: int) -> tuple[int, int]:
        """Return the words that a stretch of the view touches: from one, to before another."""
        first = max(0, bisect_left(self._spans, (start + 1, 0)) - 1)
        return first, max(first + 1, bisect_left(self._spans, (end, 0)))

    def begins_sentence(self, number: int) -> bool:
        """Whether a sentence ends between the word before and this one."""
        if number not in self._beginnings:
            self._beginnings[number] = self._is_apart(number)
        return self._beginnings[number]

    def _is_apart(self, number: int) -> bool:
        start, end = self._spans[number - 1][1] if number else 0, self._spans[number][0]
        gap = self._view.text[start:end]
        if gap != " " and _ends_sentence(gap):
            return True
        return self._has_lines and bool(gap) and "\n" in self._view.source(start, end)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(self._view.text)]

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.known)


def _ends_sentence(gap: str) -> bool:
    """Whether a sentence ends between two words.

    A full stop does so before a blank only: not in `3.5` or `example.org`.
    """
    if _SENTENCE_END.search(gap):
        return True
    stop = _STOP.search(gap)
    return stop is not None and " " in gap[stop.end() :]
