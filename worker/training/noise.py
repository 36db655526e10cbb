"""Noise: words written as people write them who hide them from programs."""

import re
from collections.abc import Callable
from random import Random

_WORD = re.compile(r"[^\W\d_]{4,}")
_LEET = str.maketrans("aeiost", "@31057")
_ALIKE = str.maketrans("aeopcxyi", "аеорсхуі")
_MOST_WORDS = 3


def noisy(text: str, rng: Random) -> str:
    """Return the text with up to three of its longer words disguised, all in one way."""
    disguise = rng.choice(_DISGUISES)
    words = list(_WORD.finditer(text))
    chosen = rng.sample(words, min(len(words), rng.randint(1, _MOST_WORDS)))
    for word in sorted(chosen, key=lambda word: -word.start()):
        text = text[: word.start()] + disguise(word[0], rng) + text[word.end() :]
    return text


def _spaced(word: str, rng: Random) -> str:
    return rng.choice(" .-").join(word)


def _drawled(word: str, rng: Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.randint(3, 6) + word[place + 1 :]


def _typo(word: str, rng: Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


_DISGUISES: tuple[Callable[[str, Random], str], ...] = (
    lambda word, _rng: word.translate(_LEET),
    lambda word, _rng: word.translate(_ALIKE),
    lambda word, _rng: "\u200b".join(word),
    _spaced,
    _drawled,
    _typo,
)
