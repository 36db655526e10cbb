"""Text as rules see it: folded views of what was received, and their words."""

import re
from typing import Literal, NamedTuple

from worker.signals.alphabets import BLANKLESS, HANGUL, WORD
from worker.signals.folding import displayed, linkable, plain
from worker.signals.hidden import revealed
from worker.signals.view import View

__all__ = ["Fold", "Token", "View", "linkable", "plain", "tokens", "views", "words"]

#: How hard to look: as a reader does, or undoing what hides words from programs.
Fold = Literal["plain", "hard"]

_TOKEN = re.compile(f"{WORD}+(?:'{WORD}+)*|{HANGUL}+|{BLANKLESS}+")
_SENTENCE_END = re.compile("[!?。।॥؟؛۔։]")
_STOP = re.compile("[.;:]")


class Token(NamedTuple):
    """A word of a view and its place there; words of one sentence have its number."""

    text: str
    start: int
    end: int
    sentence: int


def views(text: str, fold: Fold) -> tuple[View, ...]:
    """Return the readings of `text`, the plain one first, each but once.

    Further ones only where something asks for it: `displayed` where marks
    reverse the direction of writing, and with `hard` those of hidden words.
    """
    first = plain(text)
    seen = {first.text: first}
    if shown := displayed(text):
        seen.setdefault(shown.text, shown)
    if fold == "hard":
        for view in tuple(seen.values()):
            for reading in revealed(view):
                seen.setdefault(reading.text, reading)
    return tuple(seen.values())


def words(view: View) -> frozenset[str]:
    """Return the different words of a view, as `tokens` has them."""
    return frozenset(_TOKEN.findall(view.text))


def tokens(view: View) -> list[Token]:
    """Return the words of a view in order.

    An apostrophe inside a word belongs to it. Scripts without blanks between
    words give one token for everything between two signs.
    """
    found: list[Token] = []
    text, has_lines = view.text, "\n" in view.original
    sentence = last = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        gap = text[last:start]
        if (gap != " " and _ends_sentence(gap)) or (
            has_lines and gap and "\n" in view.source(last, start)
        ):
            sentence += 1
        found.append(Token(match[0], start, end, sentence))
        last = end
    return found


def _ends_sentence(gap: str) -> bool:
    """Whether a sentence ends between two words.

    A full stop does so before a blank only: not in `3.5` or `example.org`.
    """
    if _SENTENCE_END.search(gap):
        return True
    stop = _STOP.search(gap)
    return stop is not None and " " in gap[stop.end() :]
