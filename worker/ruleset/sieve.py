"""The sieve: one look at a comment's texts tells which rules have nothing to say.

A condition on words or phrases holds only where one of its words stands. All words
of all rules are looked up together, and a rule of which a condition lacks its words
is heard no further: what it would say is known.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from worker.ruleset.phrase_index import PhraseIndex
from worker.ruleset.phrases import Phrase
from worker.signals.comment import Field, Signals
from worker.signals.text import Fold, View
from worker.signals.words import WordList


@dataclass(frozen=True, slots=True, eq=False)
class Clue:
    """What a condition cannot hold without: an entry of a list, or a phrase, in one of the fields.

    Each is itself and no other, however alike.
    """

    fields: tuple[Field, ...]
    fold: Fold
    entries: WordList | None = None
    phrases: tuple[Phrase, ...] = ()


class Sieve:
    """All clues of a ruleset, looked for at once."""

    def __init__(self, clues: Collection[Clue]) -> None:
        places = dict.fromkeys((field, clue.fold) for clue in clues for field in clue.fields)
        self._looks = {
            (field, fold): _Look(c for c in clues if field in c.fields and c.fold == fold)
            for field, fold in places
        }

    def seen(self, signals: Signals) -> frozenset[Clue]:
        """Return the clues that may be there; the others are not."""
        found: set[Clue] = set()
        for (field, fold), look in self._looks.items():
            for view in signals.views(field, fold):
                found.update(look.seen(signals, view))
        return frozenset(found)


class _Look:
    """The clues in one field, folded in one way."""

    def __init__(self, clues: Iterable[Clue]) -> None:
        self._by_list: dict[WordList, list[Clue]] = {}
        by_phrase: dict[Phrase, list[Clue]] = {}
        for clue in clues:
            if clue.entries:
                self._by_list.setdefault(clue.entries, []).append(clue)
            for phrase in clue.phrases:
                by_phrase.setdefault(phrase, []).append(clue)
        self._by_phrase: Mapping[Phrase, list[Clue]] = by_phrase
        self._phrases = PhraseIndex(by_phrase)

    def seen(self, signals: Signals, view: View) -> Iterable[Clue]:
        """Yield the clues that may be in a view."""
        for listed in signals.candidates(view).keys() & self._by_list.keys():
            yield from self._by_list[listed]
        if self._by_phrase:
            possible = self._phrases.candidates(signals, view)
            signals.tell(possible, self._by_phrase.keys(), view)
            for phrase in possible:
                yield from self._by_phrase[phrase]
