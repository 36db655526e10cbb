"""Views: a text as changed for reading, with the way back to the characters received."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from worker.signals.tokens import Tokens

#: Characters folded before are remembered up to this number, so that a text
#: made of all of Unicode cannot fill the memory.
_REMEMBERED = 20_000


class Step(Protocol):
    """A change of a text that knows the way back."""

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to before `end` of the result come from."""


class View:
    """A changed text that can tell where its characters stood in the original."""

    def __init__(self, name: str, original: str, text: str, steps: tuple[Step, ...] = ()) -> None:
        self.name = name
        self.original = original
        self.text = text
        self._steps = steps

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]`, at least one character, stands in the original text."""
        for step in reversed(self._steps):
            start, end = step.back(start, end)
        return start, end

    def source(self, start: int, end: int) -> str:
        """Return the characters received that `text[start:end]` stands for."""
        return self.original[slice(*self.place(start, end))]

    @cached_property
    def encoded(self) -> bytes:
        """The text in UTF-8, which is what RE2 reads."""
        return self.text.encode()

    @cached_property
    def tokens(self) -> Tokens:
        """The words of the text."""
        return Tokens(self)

    def changed(self, name: str, text: str, *steps: Step) -> "View":
        """Return a view that makes `text` of this one's by further steps.

        No step is needed where every character was exchanged for one other.
        """
        return View(name, self.original, text, (*self._steps, *steps))


class Table(dict[int, str]):
    """A table for `str.translate` that works out each character when first met."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, code: int) -> str:
        folded = self._fold(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


class Folding:
    """Each character by itself became none, one or several."""

    def __init__(self, source: str, table: Table) -> None:
        self._source = source
        self._table = table

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the place of the characters that were folded."""
        return self._edits.back(start, end)

    @cached_property
    def _edits(self) -> "Edits":
        """What did not become one character, which most texts have little of."""
        source, table = self._source, self._table
        uneven = "".join(one for one in set(source) if len(table[ord(one)]) != 1)
        places = re.finditer(f"[{re.escape(uneven)}]", source) if uneven else ()
        return Edits([(*match.span(), len(table[ord(match[0])])) for match in places])


class Edits:
    """Places were replaced: (start, end, length of what stands there instead), in order."""

    def __init__(self, edits: Sequence[tuple[int, int, int]]) -> None:
        self._edits = edits

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the place before the replacements."""
        return self._place(start)[0], self._place(end - 1)[1]

    def replaced(self) -> list[tuple[int, int]]:
        """Return where in the result the replacements stand."""
        lengths = (length for _, _, length in self._edits)
        return [(at, at + length) for at, length in zip(self._places, lengths, strict=True)]

    def _place(self, at: int) -> tuple[int, int]:
        index = bisect_right(self._places, at) - 1
        if index < 0:
            return at, at + 1
        start, end, length = self._edits[index]
        behind = at - self._places[index] - length
        return (start, end) if behind < 0 else (end + behind, end + behind + 1)

    @cached_property
    def _places(self) -> list[int]:
        """Where each replacement stands in the result."""
        shrunk = accumulate((end - start - length for start, end, length in self._edits), initial=0)
        return [edit[0] - before for edit, before in zip(self._edits, shrunk, strict=False)]


class Order:
    """Characters changed places: `order` has the former place of each."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = order

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest place that holds all of the characters."""
        places = self._order[start:end]
        return min(places), max(places) + 1
