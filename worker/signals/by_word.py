"""What is found by a word or by its beginning, of which many words are looked up at once."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

#: By so many letters beginnings are told apart at first; shorter ones are always tried.
_TELLING = 3
#: What words stand for is remembered of so many, which are most words of most texts.
_REMEMBERED = 10_000
#: Longer words are not met twice, and would fill the memory.
_LONGEST = 40

T = TypeVar("T", bound=Hashable)


class ByWord(Generic[T]):
    """Things by the words that they are found by, or by the beginnings of those.

    `forms` gives for a word of a text all those that it stands for.
    """

    def __init__(self, forms: Callable[[str], Iterable[str]] = lambda word: (word,)) -> None:
        self._forms = forms
        self._whole: dict[str, list[T]] = {}
        self._begun: dict[str, list[T]] = {}
        self._lengths: dict[str, set[int]] = {}
        self._short: set[int] = set()
        self._met: dict[str, tuple[T, ...]] = {}

    def add(self, word: str, thing: T) -> None:
        """Add something that is found by a word."""
        self._whole.setdefault(word, []).append(thing)

    def add_beginning(self, beginning: str, thing: T) -> None:
        """Add something that is found by all words that begin so."""
        self._begun.setdefault(beginning, []).append(thing)
        if len(beginning) < _TELLING:
            self._short.add(len(beginning))
        else:
            self._lengths.setdefault(beginning[:_TELLING], set()).add(len(beginning))

    def of(self, words: Iterable[str]) -> set[T]:
        """Return what is found by some of the words."""
        found: set[T] = set()
        met = self._met
        for word in words:
            things = met[word] if word in met else self._meet(word)
            if things:
                found.update(things)
        return found

    def _meet(self, word: str) -> tuple[T, ...]:
        """Return what is found by a word that is not remembered, and remember it if it may be."""
        if len(self._met) >= _REMEMBERED:
            self._met = {}
        things = tuple(
            thing for form in self._forms(word) for found in self._found(form) for thing in found
        )
        if len(word) <= _LONGEST:
            self._met[word] = things
        return things

    def _found(self, word: str) -> Iterable[list[T]]:
        if word in self._whole:
            yield self._whole[word]
        for length in self._short.union(self._lengths.get(word[:_TELLING], ())):
            if word[:length] in self._begun and length <= len(word):
                yield self._begun[word[:length]]
