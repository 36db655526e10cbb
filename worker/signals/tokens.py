"""The words of a view in order, and where a sentence ends between them."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from worker.signals.alphabets import BLANKLESS, HANGUL, WORD, WORDS, Letter, kind_of

if TYPE_CHECKING:
    from worker.signals.view import View

_TOKEN = re.compile(f"({WORD}+(?:'{WORD}+)*|{HANGUL}+|{BLANKLESS}+)")
_SENTENCE_END = re.compile("[!?。।॥؟؛۔։]")
_STOP = re.compile("[.;:]")
_FIRST_BLANKLESS = "\u0e01"
_MAY_BE_BLANKLESS = re.compile(f"[{_FIRST_BLANKLESS}-\U0010ffff]")


class Tokens:
    """The words of a view, numbered in order; what is known of each is worked out when asked for.

    An apostrophe inside a word belongs to it. Scripts without blanks between
    words give one word for everything between two signs.
    """

    def __init__(self, view: "View") -> None:
        # One split is far sooner done than a loop over matches.
        self._pieces: list[str] = _TOKEN.split(view.text)
        self.texts = self._pieces[1::2]
        self.known = frozenset(self.texts)
        self._view = view
        self._has_lines = "\n" in view.original
        self._beginnings: dict[int, bool] = {}

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def runs(self) -> frozenset[str]:
        """The different words as `WORDS` has them: apostrophes end them, and there are blanks."""
        return (self.known - self._uneven).union(self._parts) if self._uneven else self.known

    def starts(self, run: str) -> list[int]:
        """Return where a word as `runs` has it stands in the view."""
        found = [self._starts[number] for number in self.places.get(run, ())]
        for text, offset in self._parts.get(run, ()):
            found += [self._starts[number] + offset for number in self.places[text]]
        return found

    @cached_property
    def in_order(self) -> Sequence[str]:
        """The words as `runs` has them, in order."""
        if not self._uneven:
            return self.texts
        parts = {text: WORDS.findall(text) for text in self._uneven}
        runs: list[str] = []
        for text in self.texts:
            if text in parts:
                runs += parts[text]
            else:
                runs.append(text)
        return runs

    @cached_property
    def starts_in_order(self) -> Sequence[int]:
        """Where each of the words `in_order` starts."""
        if not self._uneven:
            return self._starts
        offsets = {text: [part.start() for part in WORDS.finditer(text)] for text in self._uneven}
        return [
            start + offset
            for text, start in zip(self.texts, self._starts, strict=True)
            for offset in offsets.get(text, (0,))
        ]

    def runs_from(self, beginning: str) -> Iterator[str]:
        """Yield the words as `runs` has them that begin so."""
        return _beginning_with(beginning, self._sorted_runs)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The numbers of each word."""
        found: dict[str, list[int]] = {text: [] for text in self.known}
        for number, text in enumerate(self.texts):
            found[text].append(number)
        return found

    def beginning_with(self, beginning: str) -> Iterator[str]:
        """Yield the words that begin so."""
        return _beginning_with(beginning, self._sorted)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return where the words from `first` to before `last`, at least one, stand in the view."""
        return self._starts[first], self._end(last - 1)

    def touched(self, start: int, end: int) -> tuple[int, int]:
        """Return the words that a stretch of the view touches: from one, to before another."""
        first = max(0, bisect_left(self._starts, start + 1) - 1)
        return first, max(first + 1, bisect_left(self._starts, end))

    def begins_sentence(self, number: int) -> bool:
        """Whether a sentence ends between the word before and this one."""
        if number not in self._beginnings:
            self._beginnings[number] = self._is_apart(number)
        return self._beginnings[number]

    def is_parted(self, first: int, last: int) -> bool:
        """Whether a sentence ends before one of the words from `first` to before `last`."""
        return any(map(self.begins_sentence, range(first, last)))

    def _is_apart(self, number: int) -> bool:
        gap, end = self._pieces[2 * number], self._starts[number]
        if gap != " " and _ends_sentence(gap):
            return True
        return self._has_lines and bool(gap) and "\n" in self._view.source(end - len(gap), end)

    def _end(self, number: int) -> int:
        return self._starts[number] + len(self.texts[number])

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate(map(len, self._pieces)))[:-1:2]

    @cached_property
    def _uneven(self) -> frozenset[str]:
        """The words that `WORDS` has differently, or not at all."""
        text = self._view.text
        if "'" not in text and not _MAY_BE_BLANKLESS.search(text):
            return frozenset()
        return frozenset(one for one in self.known if "'" in one or _is_blankless(one))

    @cached_property
    def _parts(self) -> dict[str, list[tuple[str, int]]]:
        """The words between apostrophes: in which others they stand, and after how much."""
        found: dict[str, list[tuple[str, int]]] = {}
        for text in self._uneven:
            if "'" in text:
                for part in WORDS.finditer(text):
                    found.setdefault(part[0], []).append((text, part.start()))
        return found

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.known)

    @cached_property
    def _sorted_runs(self) -> list[str]:
        return sorted(self.runs)


def _beginning_with(beginning: str, words: Sequence[str]) -> Iterator[str]:
    """Yield those of sorted words that begin so."""
    for index in range(bisect_left(words, beginning), len(words)):
        if not words[index].startswith(beginning):
            return
        yield words[index]


def _is_blankless(text: str) -> bool:
    return text[0] >= _FIRST_BLANKLESS and kind_of(text[0]) is Letter.BLANKLESS


def _ends_sentence(gap: str) -> bool:
    """Whether a sentence ends between two words.

    A full stop does so before a blank only: not in `3.5` or `example.org`.
    """
    if _SENTENCE_END.search(gap):
        return True
    stop = _STOP.search(gap)
    return stop is not None and " " in gap[stop.end() :]
