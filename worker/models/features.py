"""Features: the words and letters of a text as buckets of a table of weights.

Every word, every pair of neighbouring words and every run of a few characters is
hashed into one of a power of two of buckets. Each kind is scaled so that a long text
does not outshout a short one. Training and judging use this same code.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from worker.signals.text import View

#: The form of the features. Weights belong to one form only.
VERSION = 1

_FACTOR = np.uint32(0x01000193)
_MIX = np.uint32(0x9E3779B1)
_FOLD = np.uint32(15)

Indexes = NDArray[np.uint32]
Numbers = NDArray[np.float32]
Places = NDArray[np.int64]


class Word(NamedTuple):
    """A word of a view and its place there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Features:
    """Hashes of a text's features, their values, and where in the text each stands."""

    hashes: Indexes
    values: Numbers
    starts: Places
    ends: Places

    def buckets(self, number: int) -> Indexes:
        """Return the bucket of each feature in a table of `number`, a power of two."""
        return self.hashes >> np.uint32(33 - number.bit_length())


def features_of(
    text: str, words: Sequence[Word], shortest: int, longest: int, salt: int = 0
) -> Features:
    """Return the features of a folded text with those words.

    `shortest` and `longest` bound the runs of characters; a `salt` keeps the
    features of one field apart from those of another.
    """
    return _joined([*_words(words, salt), *_runs(text, shortest, longest, salt)])


def words_of(view: View) -> list[Word]:
    """Return the words of a view in order."""
    tokens = view.tokens
    return [
        Word(text, *tokens.span(number, number + 1)) for number, text in enumerate(tokens.texts)
    ]


_Part = tuple[Indexes, Numbers, Places, Places]


def _joined(parts: Sequence[_Part]) -> Features:
    if not parts:
        none = np.zeros(0, np.int64)
        return Features(none.astype(np.uint32), none.astype(np.float32), none, none)
    hashes, values, starts, ends = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Features(hashes, values, starts, ends)


def _words(words: Sequence[Word], salt: int) -> Iterable[_Part]:
    if not words:
        return
    seeds = 17 + salt, 31 + salt
    found = [
        (crc32(word.text.encode(errors="replace"), seeds[0]), word.start, word.end)
        for word in words
    ]
    found += [
        (crc32(f"{one.text} {other.text}".encode(errors="replace"), seeds[1]), one.start, other.end)
        for one, other in pairwise(words)
    ]
    table = np.array(found, dtype=np.int64)
    scale = 1 / np.sqrt(len(found))
    hashes = table[:, 0].astype(np.uint32) * _MIX
    yield hashes, np.full(len(found), scale, np.float32), table[:, 1], table[:, 2]


def _runs(text: str, shortest: int, longest: int, salt: int) -> Iterable[_Part]:
    codes = np.frombuffer(f" {text} ".encode("utf-32-le", "replace"), dtype=np.uint32)
    sizes = [size for size in range(shortest, longest + 1) if len(codes) >= size]
    number = sum(len(codes) - size + 1 for size in sizes)
    if not number:
        return
    value = np.float32(1 / np.sqrt(number))
    running = np.full(len(codes), np.uint32(salt + 7), np.uint32)
    for size in range(1, longest + 1):
        count = len(codes) - size + 1
        if count <= 0:
            return
        running = running[:count] * _FACTOR + codes[size - 1 :]
        if size >= shortest:
            hashes = (running ^ (running >> _FOLD)) * _MIX
            starts = np.arange(count, dtype=np.int64) - 1
            ends = np.minimum(starts + size, len(text))
            yield hashes, np.full(count, value, np.float32), np.maximum(starts, 0), ends


def pull_of_words(
    view: View, words: Sequence[Word], features: Features, pulls: Numbers
) -> NDArray[np.float64]:
    """Return how much each word pulls: its share of every feature that covers it."""
    lengths = np.maximum(features.ends - features.starts, 1)
    shares = pulls / lengths
    steps = np.zeros(len(view.text) + 2)
    np.add.at(steps, features.starts, shares)
    np.add.at(steps, features.ends, -shares)
    until = np.concatenate([[0.0], np.cumsum(np.cumsum(steps))])
    return np.array([until[word.end] - until[word.start] for word in words])
