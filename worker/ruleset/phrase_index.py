"""Which of many phrases may stand in a text, told by the words that it has."""

from collections import Counter
from collections.abc import Iterable, Mapping

from worker.ruleset.phrases import Element, Phrase
from worker.signals.by_word import ByWord
from worker.signals.comment import Signals
from worker.signals.text import View
from worker.signals.words import WordList


class PhraseIndex:
    """Phrases by one place of each that must be filled: that of the rarest words."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._words: ByWord[Phrase] = ByWord()
        self._by_list: dict[WordList, list[Phrase]] = {}
        known = tuple(phrases)
        common = _commonness(word for phrase in known for words in phrase.wanted for word in words)
        for phrase in known:
            self._add(phrase, _rarest(phrase, common))

    def candidates(self, signals: Signals, view: View) -> set[Phrase]:
        """Return the phrases that may stand in the view."""
        words, lists = view.tokens.known, signals.candidates(view).keys()
        found = self._words.of(words)
        for listed in lists & self._by_list.keys():
            found.update(self._by_list[listed])
        return {one for one in found if one.lists <= lists and not one.lacks_words(words)}

    def _add(self, phrase: Phrase, element: Element) -> None:
        for word in element.words:
            self._words.add(word, phrase)
        for beginning in element.beginnings:
            self._words.add_beginning(beginning, phrase)
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
