"""Text as rules see it: folded views of what was received."""

from itertools import chain
from typing import Literal, NamedTuple

from worker.signals.folding import displayed, linkable, plain
from worker.signals.hidden import revealed
from worker.signals.view import View

__all__ = ["Fold", "View", "linkable", "plain", "views", "with_revealed"]

#: After so many characters of further readings there are none: about twice as many as
#: readers' remarks come to that fill a comment of the greatest length.
MOST_READ = 500_000

#: How hard to look: as a reader does, or undoing what hides words from programs.
Fold = Literal["plain", "hard"]


def views(text: str, fold: Fold) -> tuple[View, ...]:
    """Return the readings of `text`, the plain one first, each but once.

    Further ones only where something asks for it: `displayed` where marks
    reverse the direction of writing, and with `hard` those of hidden words.
    """
    first = plain(text)
    shown = displayed(text)
    easy = (first, shown) if shown and shown.text != first.text else (first,)
    return with_revealed(easy).views if fold == "hard" else easy


class Readings(NamedTuple):
    """Views of a text, and whether there are so many that some were left out."""

    views: tuple[View, ...]
    is_cut: bool


def with_revealed(easy: tuple[View, ...], margin: int | None = None) -> Readings:
    """Return the plain readings of a text, and after them those of hidden words.

    With a `margin` these have no more than the sentences that are read differently,
    and so many characters around what is. After MOST_READ characters no more follow.
    """
    read = 0
    seen = {view.text: view for view in easy}
    for reading in chain.from_iterable(revealed(view, margin) for view in easy):
        if read > MOST_READ:
            break
        whole = reading.view
        if whole.text not in seen:
            seen[whole.text] = whole if margin is None else reading.news(margin)
            read += len(whole.text)
    return Readings(tuple(seen.values()), read > MOST_READ)
