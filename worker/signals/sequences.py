"""Sequences of words, many of which are looked for at once.

Each is found by its first two words, and among those that begin alike by all of
its words together: so what one place in a text costs is bounded by the length of
the longest sequence, not by how many there are or how many begin with a common word.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

#: So many words tell how long the sequences are that may follow.
_TELLING = 2


class Sequences:
    """Sequences by their words; of the last word only the beginning may be known."""

    def __init__(self) -> None:
        self.firsts: set[str] = set()
        self._lengths: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._whole: dict[tuple[str, ...], list[int]] = {}
        self._openings: dict[tuple[str, ...], dict[str, list[int]]] = {}
        self._opening_lengths: dict[tuple[str, ...], set[int]] = {}
        self._singles: set[str] = set()

    def add(self, number: int, words: Sequence[str], *, goes_on: bool) -> None:
        """Add a sequence of two words or more; if it `goes_on` the last one may be longer."""
        known = tuple(words[:-1] if goes_on else words)
        self.firsts.add(words[0])
        if goes_on:
            self._openings.setdefault(known, {}).setdefault(words[-1], []).append(number)
            self._opening_lengths.setdefault(known, set()).add(len(words[-1]))
        else:
            self._whole.setdefault(known, []).append(number)
        if len(known) < _TELLING:
            self._singles.add(words[0])
            return
        lengths = self._lengths.get(known[:_TELLING], ())
        if len(known) not in lengths:
            self._lengths[known[:_TELLING]] = (*lengths, len(known))

    def found(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield the number of each sequence that stands among the words, and at which."""
        lengths, all_words = self._lengths, len(words)
        for at in [at for at, pair in enumerate(pairwise(words)) if pair in lengths]:
            for number in self._long(words, at, all_words - at, (words[at], words[at + 1])):
                yield number, at
        singles = self._singles
        for at in [at for at, word in enumerate(words) if word in singles]:
            for number in self._opened((words[at],), words, at + 1):
                yield number, at

    def found_with(
        self, words: Sequence[str], instead: Mapping[str, Iterable[str]]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield the same for sequences of which the first word stands for another.

        `instead` are for some words those that they may stand for, which end them; the
        third number tells how much longer they are.
        """
        for at, word in enumerate(words[:-1]):
            for first in instead.get(word, ()):
                offset = len(word) - len(first)
                for number in self._long(words, at, len(words) - at, (first, words[at + 1])):
                    yield number, at, offset
                if first in self._singles:
                    for number in self._opened((first,), words, at + 1):
                        yield number, at, offset

    def _long(
        self, words: Sequence[str], at: int, left: int, pair: tuple[str, str]
    ) -> Iterator[int]:
        """Yield the sequences that begin with a pair of words and go on as those `left` do."""
        for length in self._lengths.get(pair, ()):
            if length > left:
                continue
            known = (*pair, *words[at + _TELLING : at + length])
            yield from self._whole.get(known, ())
            yield from self._opened(known, words, at + length)

    def _opened(self, known: tuple[str, ...], words: Sequence[str], at: int) -> Iterator[int]:
        """Yield the sequences that go on with a beginning of the word there."""
        openings = self._openings.get(known)
        if openings and at < len(words):
            last = words[at]
            for length in self._opening_lengths[known]:
                if length <= len(last):
                    yield from openings.get(last[:length], ())
