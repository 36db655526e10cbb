"""Texts that are nearly the same: a fingerprint that small changes hardly move.

Charikar's SimHash over runs of three words of the folded text: of two
fingerprints the number of differing bits tells how much of the texts differs.
"""

import re
from hashlib import blake2b

from worker.signals.text import plain

_WORD = re.compile(r"\w+")
_BITS = 64
_BAND_BITS = 16
_RUN = 3
#: Shorter texts are alike by chance, and courtesies are no campaign.
_FEWEST_WORDS = 8
#: With four bands, fingerprints that differ in three bits share a band for certain.
_MOST_DIFFERENT = 3


def signature(text: str) -> int | None:
    """Return the fingerprint of a text, 64 bits; None if it is too short to have one."""
    words = _WORD.findall(plain(text).text)
    if len(words) < _FEWEST_WORDS:
        return None
    weights = [0] * _BITS
    for start in range(len(words) - _RUN + 1):
        run = " ".join(words[start : start + _RUN])
        bits = int.from_bytes(blake2b(run.encode(), digest_size=_BITS // 8).digest())
        for place in range(_BITS):
            weights[place] += 1 if bits >> place & 1 else -1
    return sum(1 << place for place, weight in enumerate(weights) if weight > 0)


def bands(fingerprint: int) -> tuple[str, ...]:
    """Return under which keys like fingerprints find each other."""
    mask = (1 << _BAND_BITS) - 1
    return tuple(
        f"{place}:{fingerprint >> place & mask:04x}" for place in range(0, _BITS, _BAND_BITS)
    )


def alike(one: int, other: int) -> bool:
    """Whether two fingerprints are of texts that say nearly the same."""
    return (one ^ other).bit_count() <= _MOST_DIFFERENT
