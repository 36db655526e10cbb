"""Windows: the parts of a reading that a network reads one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from worker.models.features import Numbers
from worker.models.material import Part

#: A window of longer words is cut: what is read must be bounded.
_MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The words of a part from `first` to before `last`, and their text."""

    part: Part
    text: str
    start: int
    first: int
    last: int


def windows_of(part: Part, pulls: Numbers, most_words: int) -> list[Window]:
    """Return the windows of a part, those with the most that pulls a score up first.

    All have about as many words; `pulls` belong to the features of the part.
    """
    windows = list(_cut(part, most_words))
    if len(windows) == 1:
        return windows
    starts = [window.start for window in windows]
    places = np.searchsorted(starts, part.features.starts, side="right") - 1
    sums = np.bincount(np.maximum(places, 0), np.maximum(pulls, 0), minlength=len(windows))
    return [windows[number] for number in np.argsort(-sums, kind="stable")]


def _cut(part: Part, most_words: int) -> Iterator[Window]:
    text, words = part.view.text if part.view else "", part.words
    number = max(1, -(-len(words) // most_words))
    for first, last in _borders(len(words), number):
        start = words[first].start if first else 0
        end = words[last].start if last < len(words) else len(text)
        yield Window(part, text[start : min(end, start + _MOST_CHARACTERS)], start, first, last)


def _borders(words: int, number: int) -> list[tuple[int, int]]:
    return list(pairwise(words * place // number for place in range(number + 1)))
