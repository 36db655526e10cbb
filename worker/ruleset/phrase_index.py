"""Which of many phrases may stand in a text, told by the words that it has."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from worker.ruleset.phrases import Element, Phrase
from worker.signals.beginnings import Beginnings
from worker.signals.comment import Signals
from worker.signals.text import View
from worker.signals.words import WordList


class PhraseIndex:
    """Phrases by one place of each that must be filled: that of the rarest words."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = {}
        self._by_beginning: dict[str, list[Phrase]] = {}
        self._by_list: dict[WordList, list[Phrase]] = {}
        known = tuple(phrases)
        common = _commonness(word for phrase in known for words in phrase.wanted for word in words)
        for phrase in known:
            self._add(phrase, _rarest(phrase, common))
        self._beginnings = Beginnings(self._by_beginning)

    def candidates(self, signals: Signals, view: View) -> Iterator[Phrase]:
        """Yield the phrases that may stand in the view, some of them repeatedly."""
        words, lists = view.tokens.known, signals.candidates(view).keys()
        for phrase in self._keyed(words, lists):
            if phrase.lists <= lists and not phrase.lacks_words(words):
                yield phrase

    def _keyed(self, words: AbstractSet[str], lists: AbstractSet[WordList]) -> Iterator[Phrase]:
        for word in words & self._by_word.keys():
            yield from self._by_word[word]
        for beginning in self._beginnings.of(words):
            yield from self._by_beginning[beginning]
        for listed in lists & self._by_list.keys():
            yield from self._by_list[listed]

    def _add(self, phrase: Phrase, element: Element) -> None:
        for word in element.words:
            self._by_word.setdefault(word, []).append(phrase)
        for beginning in element.beginnings:
            self._by_beginning.setdefault(beginning, []).append(phrase)
        if element.entries:
            self._by_list.setdefault(element.entries, []).append(phrase)


def _rarest(phrase: Phrase, common: Mapping[str, float]) -> Element:
    """Return the element by which to look a phrase up: words before beginnings before lists."""

    def cost(element: Element) -> tuple[bool, bool, float]:
        words = sum(common.get(word, 0) for word in element.words)
        return element.entries is not None, bool(element.beginnings), words

    return min((one for one in phrase.elements if not one.optional), key=cost)


def _commonness(words: Iterable[str]) -> Mapping[str, float]:
    """Return how often each word is likely to be met in texts, told by how often it is here.

    Short words are met far more often than lists have them.
    """
    return {word: number / len(word) ** 2 for word, number in Counter(words).items()}
