"""Phrases: words in order, written as they are said.

`kill all {groups}`, `{groups} ... are ... {vermin}`, `go (and) kill yourself|urself`
are found word by word in what the folded text says, never across the end of a
sentence. The work grows with the length of the text alone: each word of it is
looked at once for each place in the phrase.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from worker.signals.comment import Signals
from worker.signals.folding import all_plain
from worker.signals.text import View
from worker.signals.tokens import Tokens
from worker.signals.words import WordList

#: How many words `...` may stand for.
GAP = 4
MOST_ELEMENTS = 12
#: Texts of fewer words are looked through as a whole, and those that have so many
#: of a phrase's rarest word.
_MANY = 1_000
#: Looking up a stretch takes about as long as so many places.
_FOR_EACH = 4

_LIST = re.compile(r"\{([^{}]+)\}")
_GAP_MARKS = ("...", "…")
_WORD = re.compile("[A-Za-z0-9'\x80-\U0010ffff]+")
#: What is separate in a phrase: a list, or whatever stands between blanks.
_PIECE = re.compile(r"\{[^{}]*\}\S*|\S+")

#: Where something stands among the words of a text: from word, to before word.
Interval = tuple[int, int]
#: How far a phrase got: with which word it began, and the gap that skipped words left.
_State = tuple[int, int]


class PhraseError(ValueError):
    """A phrase that cannot be looked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Element:
    """One place in a phrase: any of some words, or any entry of a list.

    `gap` is how many words may stand before it, `optional` whether it may be
    left out.
    """

    words: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    entries: WordList | None = None
    gap: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Phrase:
    """A phrase ready to be looked for."""

    elements: tuple[Element, ...]
    #: Words of which one must be there, for each element that is nothing but words.
    wanted: tuple[frozenset[str], ...] = ()
    #: Lists of which an entry must be there.
    lists: frozenset[WordList] = frozenset()
    #: In which order to look for the elements.
    order: tuple[int, ...] = ()
    #: How many words lie at most between any two of its words.
    reach: int = 0

    def find(self, signals: Signals, view: View) -> Iterator[tuple[int, int]]:
        """Yield where the phrase stands in a view that `signals` gave, as characters."""
        tokens = view.tokens
        if self.lacks_words(tokens.known):
            return
        if places := self._places(signals, view):
            for first, last in _joined(self.elements, places, tokens):
                yield tokens.span(first, last)

    def lacks_words(self, words: AbstractSet[str]) -> bool:
        """Whether the phrase cannot be in a text of these words."""
        for wanted in self.wanted:  # noqa: SIM110 - asked so often that a generator tells
            if wanted.isdisjoint(words):
                return True
        return False

    def _places(self, signals: Signals, view: View) -> list[Mapping[int, Sequence[int]]] | None:
        """Return where each element stands; None as soon as one that must be there is not.

        What is further than the phrase is long from its rarest word is left out.
        """
        places: list[Mapping[int, Sequence[int]]] = [{} for _ in self.elements]
        near = self._near(view.tokens)
        for index in self.order:
            element = self.elements[index]
            places[index] = _by_start(element, signals, view, near)
            if not places[index] and not element.optional:
                return None
        return places

    def _near(self, tokens: Tokens) -> Sequence[Interval] | None:
        """Return the stretches in which the phrase can be; None if they are not worth telling.

        They never overlap, so that what is done for each is done once for each word.
        """
        if len(tokens) < _MANY:
            return None
        rarest = min((_number_of(words, tokens) for words in self.wanted), default=_MANY)
        if rarest >= _MANY:
            return None
        words = min(self.wanted, key=lambda words: _number_of(words, tokens))
        stretches: list[Interval] = []
        for number in sorted(at for word in words for at in tokens.places.get(word, ())):
            start, end = number - self.reach, number + self.reach + 1
            if stretches and start <= stretches[-1][1]:
                stretches[-1] = (stretches[-1][0], end)
            else:
                stretches.append((start, end))
        return stretches


def read_phrase(text: str, list_of: Callable[[str], WordList | None]) -> Phrase | None:
    """Return the phrase that `text` describes; None if a list it names is not there.

    `list_of` gives the list of a name. Raises PhraseError for what makes no sense.
    """
    elements: list[Element] = []
    gap, complete = 0, True
    pieces = _PIECE.findall(text)
    folded = _folded(pieces)
    for piece in pieces:
        if piece in _GAP_MARKS:
            gap = GAP
            continue
        element = _element(piece, gap if elements else 0, list_of, folded)
        if element is None:
            complete = False
        else:
            elements.append(element)
        gap = 0
    _refuse_nonsense(elements, complete)
    if not complete:
        return None
    return Phrase(
        tuple(elements), _wanted(elements), _lists(elements), _order(elements), _reach(elements)
    )


def _reach(elements: Iterable[Element]) -> int:
    """Return how many words two of a phrase can be apart; an entry has fewer than characters."""
    return sum(
        element.gap + (element.entries.longest if element.entries else 1) for element in elements
    )


def _number_of(words: Iterable[str], tokens: Tokens) -> int:
    return sum(len(tokens.places.get(word, ())) for word in words)


def _wanted(elements: Iterable[Element]) -> tuple[frozenset[str], ...]:
    return tuple(
        frozenset(element.words)
        for element in elements
        if not (element.optional or element.beginnings or element.entries)
    )


def _lists(elements: Iterable[Element]) -> frozenset[WordList]:
    return frozenset(one.entries for one in elements if one.entries and not one.optional)


def _folded(pieces: Iterable[str]) -> Mapping[str, str]:
    """Return how the words of a phrase are folded: all at once, which is sooner done."""
    words = [
        written.removesuffix("*")
        for piece in pieces
        for written in piece.removesuffix("?").split("|")
    ]
    return dict(zip(words, map(str.strip, all_plain(words)), strict=True))


def _element(
    piece: str,
    gap: int,
    list_of: Callable[[str], WordList | None],
    folded: Mapping[str, str],
) -> Element | None:
    optional = piece.endswith("?")
    core = piece.removesuffix("?")
    if named := _LIST.fullmatch(core):
        entries = list_of(named[1])
        return Element(entries=entries, gap=gap, optional=optional) if entries else None
    words: list[str] = []
    beginnings: list[str] = []
    for written in core.split("|"):
        word = folded[written.removesuffix("*")]
        if not _WORD.fullmatch(word):
            raise PhraseError(f"“{written}” is not a word")
        (beginnings if written.endswith("*") else words).append(word)
    return Element(tuple(words), tuple(beginnings), gap=gap, optional=optional)


def _refuse_nonsense(elements: Sequence[Element], complete: bool) -> None:
    if complete and all(element.optional for element in elements):
        raise PhraseError("a phrase wants a word that must be there")
    if len(elements) > MOST_ELEMENTS:
        raise PhraseError(f"a phrase has at most {MOST_ELEMENTS} words")


def _order(elements: Sequence[Element]) -> tuple[int, ...]:
    """Return what must be there first, and words before lists: those cost a search."""
    cost = [(element.optional, element.entries is not None) for element in elements]
    return tuple(sorted(range(len(cost)), key=cost.__getitem__))


def _by_start(
    element: Element, signals: Signals, view: View, near: Sequence[Interval] | None
) -> Mapping[int, Sequence[int]]:
    """Return where an element begins, and where it ends if it begins there.

    Only within some stretches if these alone matter; but where a list stands is worked
    out once for all phrases.
    """
    if not element.entries:
        numbers = _numbers(element, view.tokens, near)
        return {number: (number + 1,) for number in numbers}
    entries = element.entries
    return signals.once(("starts", entries, id(view)), lambda: _of_list(entries, signals, view))


def _numbers(element: Element, tokens: Tokens, near: Sequence[Interval] | None) -> Iterator[int]:
    """Yield which words of a text an element can be."""
    places = tokens.places
    for word in element.words:
        if word in places:
            yield from _within(places[word], near)
    for beginning in element.beginnings:
        for word in tokens.beginning_with(beginning):
            yield from _within(places[word], near)


def _within(numbers: Sequence[int], near: Sequence[Interval] | None) -> Iterable[int]:
    """Return those of ascending numbers that lie in one of the stretches, and perhaps others."""
    if near is None or len(numbers) < _FOR_EACH * len(near):
        return numbers
    return (
        number
        for start, end in near
        for number in numbers[bisect_left(numbers, start) : bisect_left(numbers, end)]
    )


def _of_list(entries: WordList, signals: Signals, view: View) -> Mapping[int, Sequence[int]]:
    """Return where entries of a list stand among the words of a text."""
    starts: dict[int, list[int]] = {}
    tokens = view.tokens
    for found in signals.found(entries, view) if tokens else ():
        first, last = tokens.touched(found.start, found.end)
        starts.setdefault(first, []).append(last)
    return starts


def _joined(
    elements: Sequence[Element],
    places: Sequence[Mapping[int, Sequence[int]]],
    tokens: Tokens,
) -> Iterator[Interval]:
    """Give each stretch of words in which all elements follow each other."""
    reached: dict[int, _State] = {}
    begun = False
    for element, starts in zip(elements, places, strict=True):
        following: dict[int, _State] = {}
        if element.optional:
            following = {at: (start, max(gap, element.gap)) for at, (start, gap) in reached.items()}
        if not begun:
            _keep(following, ((end, start) for start, ends in starts.items() for end in ends))
        if reached:
            _keep(following, _continued(reached, element, starts, tokens))
        begun = begun or not element.optional
        reached = following
    yield from ((beginning, end) for end, (beginning, _) in sorted(reached.items()))


def _keep(states: dict[int, _State], found: Iterable[tuple[int, int]]) -> None:
    """Note the stretches found by their end; of several the shortest is kept."""
    for end, beginning in found:
        if end not in states or states[end][0] < beginning:
            states[end] = beginning, 0


def _continued(
    reached: Mapping[int, _State],
    element: Element,
    starts: Mapping[int, Sequence[int]],
    tokens: Tokens,
) -> Iterator[tuple[int, int]]:
    """Give end and beginning of what was reached and goes on with the element."""
    for at, (beginning, gap) in reached.items():
        for start in range(at, at + max(element.gap, gap) + 1):
            # Most words are none that the phrase goes on with, which is soon seen.
            if start in starts and not tokens.is_parted(at, start + 1):
                for end in starts[start]:
                    yield end, beginning
