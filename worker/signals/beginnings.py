"""Beginnings of words, of which many are looked up at once."""

from collections.abc import Iterable, Mapping

#: By so many letters beginnings are told apart at first; shorter ones are always tried.
_TELLING = 3


class Beginnings:
    """Tells which of some beginnings the words of a text have, however many there are."""

    def __init__(self, beginnings: Iterable[str]) -> None:
        self._known = frozenset(beginnings)
        self._short = tuple({len(one) for one in self._known if len(one) < _TELLING})
        self._lengths = self._by_letters()

    def of(self, words: Iterable[str]) -> frozenset[str]:
        """Return the beginnings that some of the words have."""
        lengths, short = self._lengths, self._short
        return self._known & {
            word[:length] for word in words for length in lengths.get(word[:_TELLING], short)
        }

    def _by_letters(self) -> Mapping[str, tuple[int, ...]]:
        """Return by their first letters how long the beginnings are that begin so."""
        found: dict[str, set[int]] = {}
        for beginning in self._known:
            if len(beginning) >= _TELLING:
                lengths = found.setdefault(beginning[:_TELLING], set(self._short))
                lengths.add(len(beginning))
        return {letters: tuple(lengths) for letters, lengths in found.items()}
