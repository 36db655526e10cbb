"""Odd characters."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = ("invisible", "bidi", "control", "styled", "marks")


@dataclass(frozen=True, slots=True)
class Odd:
    """Odd characters: how many, and where."""

    number: int
    places: Sequence[tuple[int, int]] = ()


def find(kind: str, text: str) -> Odd:
    """Return the odd characters of a kind."""
    if text.isascii():
        return Odd(0)
    category = {"control": "Cc", "invisible": "Cf"}.get(kind)
    places = [
        (i, i + 1)
        for i, c in enumerate(text)
        if unicodedata.category(c) == category and c not in "\n\t\x85"
    ]
    return Odd(len(places), places)


def mixed_script_words(text: str) -> list[tuple[int, int]]:
    """Return words that mix alphabets."""
    return []
