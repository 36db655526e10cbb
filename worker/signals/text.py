"""Text as rules see it: folded views of what was received."""

from typing import Literal

from worker.signals.folding import displayed, linkable, plain
from worker.signals.hidden import revealed
from worker.signals.view import View

__all__ = ["Fold", "View", "linkable", "plain", "views", "with_revealed"]

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
    return with_revealed(easy) if fold == "hard" else easy


def with_revealed(easy: tuple[View, ...]) -> tuple[View, ...]:
    """Return the plain readings of a text, and after them those of hidden words."""
    seen = {view.text: view for view in easy}
    for view in easy:
        for reading in revealed(view):
            seen.setdefault(reading.text, reading)
    return tuple(seen.values())
