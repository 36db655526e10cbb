"""The sentences of a text in which something stands, without all the others.

What is read in further ways is read in full once; of each further reading only the
sentences that it changes can tell anything new.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from worker.signals.view import Edits, View

#: Ends of sentences as words know them. More blanks than one would stretch an entry.
_END = re.compile(r"[!?.;:。।؟؛۔։][\"')\]]* (?! )")
#: What stands for sentences left out: ends a sentence, and no word or trick reaches across.
_LEFT_OUT = " ?!?!?!?! "
#: So far from what is looked for a sentence that has no end is cut: no phrase is as long.
_FAR = 1_500
#: An excerpt of more than this share saves nothing.
_MOST = 0.8

Place = tuple[int, int]


def excerpt(view: View, places: Iterable[Place], margin: int) -> View:
    """Return a view of the sentences around some places, and of `margin` characters at least."""
    text = view.text
    ends = [0, *(match.end() for match in _END.finditer(text)), len(text)]
    kept = _apart(_around(text, ends, place, margin) for place in places)
    if sum(end - start for start, end in kept) > _MOST * len(text):
        return view
    borders = [0, *(border for place in kept for border in place), len(text)]
    gaps = [(start, end) for start, end in _pairs(borders) if start < end]
    edits = [(start, end, len(_LEFT_OUT)) for start, end in gaps]
    return view.changed(view.name, "".join(_pieces(text, gaps)), Edits(edits))


def longest_across(entries: Iterable[Sequence[str]]) -> int:
    """Return the characters of the longest of entries, given by words, that go across an end."""
    written = (" ".join(words) for words in entries)
    return max((len(entry) for entry in written if _END.search(entry)), default=0)


def _around(text: str, ends: Sequence[int], place: Place, margin: int) -> Place:
    """Return the sentences around a place, or what is near if they do not end."""
    start, end = max(0, place[0] - margin), min(len(text), place[1] + margin)
    first = ends[bisect_right(ends, start) - 1]
    last = ends[bisect_left(ends, end)]
    if start - first > _FAR:
        first = text.find(" ", start - _FAR, start) + 1 or first
    if last - end > _FAR:
        last = text.find(" ", end + _FAR, last) + 1 or last
    return first, last


def _apart(places: Iterable[Place]) -> list[Place]:
    """Return places in order, those that touch each other as one."""
    apart: list[Place] = []
    for start, end in sorted(places):
        if apart and start <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _pairs(borders: Sequence[int]) -> Iterator[Place]:
    return zip(borders[::2], borders[1::2], strict=True)


def _pieces(text: str, gaps: Iterable[Place]) -> Iterator[str]:
    last = 0
    for start, end in gaps:
        yield text[last:start]
        yield _LEFT_OUT
        last = end
    yield text[last:]
