"""Contrast: sentences of our own for what corpora lack, made of lines with slots.

Never taken from, nor compared with, the frozen corpora of the tests: those only
measure.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

from worker.training.corpora import Row

FOLDER = Path(__file__).parent / "contrast"
SOURCE = "own-contrast"

_SLOT = re.compile(r"\{(\w+)\}")
#: Addresses in the sentences end in `.example`, which belongs to nobody. The model must
#: not learn that as the mark of an advert, so each gets an end that advertisers and others use.
_NOBODYS = re.compile(r"(?<=\w)\.example\b")
_ENDS = (".com", ".net", ".info", ".xyz", ".top", ".shop", ".site", ".online")
#: A line with slots is filled so many times, as far as that gives different sentences.
_FILLED = 12


def read(name: str, language: str, rng: Random, weight: float) -> Iterator[Row]:
    """Give the sentences of a file, each slot filled at random."""
    slots: dict[str, list[str]] = {}
    positive, kinds = False, frozenset[str]()
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("@"):
            slot, _, values = line[1:].partition("=")
            slots[slot.strip()] = [value.strip() for value in values.split("|")]
        elif line.startswith("=="):
            label, *rest = line[2:].split()
            positive, kinds = label == "hold", frozenset(rest)
        else:
            for text in _filled(line, slots, rng):
                text = _NOBODYS.sub(lambda _: rng.choice(_ENDS), text)
                yield Row(text, positive, SOURCE, language, weight=weight, kinds=kinds)


def _filled(line: str, slots: dict[str, list[str]], rng: Random) -> list[str]:
    """Return the different texts that filling the slots gave, in the order of their making."""
    if not _SLOT.search(line):
        return [line]
    texts = [_SLOT.sub(lambda match: rng.choice(slots[match[1]]), line) for _ in range(_FILLED)]
    return list(dict.fromkeys(text[:1].upper() + text[1:] for text in texts))
