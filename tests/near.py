"""Measure how well nearly alike texts are told: `python -m tests.near FILE.csv.gz [SOURCE]`.

Counts the pairs of `dev` rows that share at least half of their words and pairs
of words, and those taken for alike.
"""

import csv
import gzip
import sys
from itertools import combinations, pairwise
from pathlib import Path

from worker.signals.near import _words, alike, bands, signature

_ENOUGH = 0.5


def measure(texts: list[str]) -> dict[str, int]:
    """Return numbers of pairs: all, alike in truth, taken for alike, both, these by their bands."""
    known = [(mark, _features(text)) for text in texts if (mark := signature(text)) is not None]
    counted = dict.fromkeys(("pairs", "true", "taken", "both", "by bands"), 0)
    for (one, its), (other, others) in combinations(known, 2):
        is_true = len(its & others) >= _ENOUGH * len(its | others)
        is_taken = alike(one, other)
        counted["pairs"] += 1
        counted["true"] += is_true
        counted["taken"] += is_taken
        counted["both"] += is_true and is_taken
        counted["by bands"] += is_true and is_taken and bool({*bands(one)} & {*bands(other)})
    return counted


def _features(text: str) -> set[str]:
    words = _words(text)
    return {*words, *map(" ".join, pairwise(words))}


def _rows(path: Path, source: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows if row["split"] == "dev" and source in row["source"]]


if __name__ == "__main__":
    numbers = measure(_rows(Path(sys.argv[1]), "".join(sys.argv[2:])))
    precision = numbers["both"] / max(1, numbers["taken"])
    recall = numbers["both"] / max(1, numbers["true"])
    sys.stdout.write(f"{numbers}\nprecision {precision:.3f}, recall {recall:.3f}\n")
