"""Beginnings of words, of which many are looked up at once."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

#: By so many letters beginnings are told apart at first; shorter ones are always tried.
_TELLING = 3


class Beginnings:
    """Tells which of some beginnings the words of a text have, however many there are."""

    def __init__(self, beginnings: Iterable[str]) -> None:
        self._known = frozenset(beginnings)
        self._short = {len(one) for one in self._known if len(one) < _TELLING}
        self._lengths: dict[str, set[int]] = {}
        for one in self._known:
            if len(one) >= _TELLING:
                self._lengths.setdefault(one[:_TELLING], set()).add(len(one))

    def of(self, words: AbstractSet[str]) -> frozenset[str]:
        """Return the beginnings that some of the words have."""
        possible = {word[:length] for length in self._short for word in words}
        telling = {word[:_TELLING] for word in words} & self._lengths.keys()
        if telling:
            possible |= {
                word[:length]
                for word in words
                if word[:_TELLING] in telling
                for length in self._lengths[word[:_TELLING]]
            }
        return self._known & possible
