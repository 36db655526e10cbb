"""Beginnings of words, of which many are looked up at once."""

from collections.abc import Iterable

#: By so many letters beginnings are told apart at first; shorter ones are always tried.
_TELLING = 3


class Beginnings:
    """Tells which of some beginnings the words of a text have, however many there are."""

    def __init__(self, beginnings: Iterable[str]) -> None:
        self._known = frozenset(beginnings)
        self._short = tuple({len(one) for one in self._known if len(one) < _TELLING})
        self._lengths: dict[str, tuple[int, ...]] = {}
        for one in self._known:
            if len(one) >= _TELLING:
                lengths = self._lengths.get(one[:_TELLING], self._short)
                if len(one) not in lengths:
                    self._lengths[one[:_TELLING]] = (*lengths, len(one))

    def of(self, words: Iterable[str]) -> frozenset[str]:
        """Return the beginnings that some of the words have."""
        lengths, short = self._lengths, self._short
        return self._known & {
            word[:length] for word in words for length in lengths.get(word[:_TELLING], short)
        }
