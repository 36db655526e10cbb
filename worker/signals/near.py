"""Texts that are nearly alike: a fingerprint that small changes leave nearly the same.

A SimHash of 128 bits over the words and pairs of neighbouring words of the
folded text, without links and with all numbers equal, since those are what spam
changes from page to page. Texts that share two thirds of these differ in about
a fifth of the bits, texts with nothing in common in half.

Measured by `python -m tests.near` on the `dev` rows of one WordPress blog's comment
spam (17,205 pairs; alike are those with half of words and pairs in common):
precision 0.98, recall 0.71; of pairs with seven tenths in common 84 of 86 are found.
Of 199,396 pairs of readers' comments on news none was taken for alike.
"""

import re
import struct
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import shake_128
from itertools import pairwise
from zlib import crc32

from worker.signals.alphabets import BLANKLESS, HANGUL, WORD
from worker.signals.folding import plain

#: Shorter texts are alike by accident: "thank you very much for this".
FEWEST_WORDS = 8
_BITS = 128
#: Each band has so many bits and begins so many after the one before.
_BANDS, _BAND_BITS, _BAND_STEP = 12, 11, 10
#: For so many bands those that differ in one bit are looked up, too.
_BANDS_NEARBY = 4
#: So many bits may differ; among unrelated texts 64 do, give or take 6.
_MOST_DIFFERENT = 30
#: The first words tell; more than so many would overflow the sums below.
_MOST_FEATURES = 4_000

_DIRECTIONS = 8_192
_HIGHEST = 15

_WORD = re.compile(f"{WORD}+|{HANGUL}+|{BLANKLESS}")
_LINK = re.compile(r"\w\.[a-z]{2}|://|@")
_NUMBER = re.compile(r"\d+")


def signature(text: str) -> int | None:
    """Return the fingerprint of a text in 128 bits; None for texts too short to have one."""
    words = _words(text)
    if len(words) < FEWEST_WORDS:
        return None
    features = dict.fromkeys([*words, *map(" ".join, pairwise(words))])
    return _simhash(list(features)[:_MOST_FEATURES])


def alike(one: int, other: int) -> bool:
    """Whether two fingerprints are of nearly the same text."""
    return (one ^ other).bit_count() <= _MOST_DIFFERENT


def bands(mark: int) -> tuple[str, ...]:
    """Return 12 keys of a fingerprint: texts that are alike mostly share one.

    Measured as above: 70 of 100 pairs that are alike do, and one of 80 that are not.
    """
    return tuple(_band(mark, number) for number in range(_BANDS))


def nearby_bands(mark: int) -> tuple[str, ...]:
    """Return the bands of a fingerprint and others that texts like it may have: 56 keys.

    Of 150 sets of eight variants of one text, all alike, 113 fell into several
    campaigns when only a first variant's bands were kept and looked for; 47 when
    each variant's were kept, and 2 when those nearby were looked for as well.
    """
    flipped = (
        _band(mark ^ 1 << number * _BAND_STEP + bit, number)
        for number in range(_BANDS_NEARBY)
        for bit in range(_BAND_BITS)
    )
    return (*bands(mark), *flipped)


def _band(mark: int, number: int) -> str:
    return f"{number:x}{mark >> number * _BAND_STEP & (1 << _BAND_BITS) - 1:03x}"


def _words(text: str) -> list[str]:
    folded = plain(text).text
    if "." in folded or "@" in folded or "://" in folded:
        folded = " ".join(part for part in folded.split() if not _LINK.search(part))
    return _WORD.findall(_NUMBER.sub("0", folded))


def _simhash(features: Sequence[str]) -> int:
    """Return on which side of 128 planes the sum of the features' directions lies."""
    directions = _directions()
    numbers = [crc32(feature.encode()) % _DIRECTIONS for feature in features]
    total = sum([directions[number] for number in numbers])
    middle = _HIGHEST * len(features)
    sums: Iterable[int] = struct.unpack(f"<{_BITS}H", total.to_bytes(2 * _BITS, "little"))
    return sum(1 << place for place, height in enumerate(sums) if 2 * height > middle)


@cache
def _directions() -> list[int]:
    """Return random directions: in each number 128 heights from 0 to 15, 16 bits apart.

    So one addition of large numbers adds all of them.
    """
    noise = shake_128(b"directions").digest(_DIRECTIONS * _BITS // 2)
    spread = bytearray(4 * len(noise))
    spread[0::4] = noise.translate(bytes(byte & _HIGHEST for byte in range(256)))
    spread[2::4] = noise.translate(bytes(byte >> 4 for byte in range(256)))
    size = 2 * _BITS
    return [
        int.from_bytes(spread[start : start + size], "little")
        for start in range(0, len(spread), size)
    ]
