"""Labels: what a row is an example of for each head, and how much it counts."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.training.corpora import Row
from worker.training.figures import Labels
from worker.training.recipes import NEWS

Weights = NDArray[np.float64]

#: The positives of another kind count less against a kind: few were asked for it.
_OTHER_KIND = 0.5

#: What no corpus labels: positives with such words are counted as sexual.
_SEXUAL = re.compile(
    r"\b(?:fuck (?:her|him|that ass|your|my)|suck(?:s|ing)? (?:my|his|a) \w+|tits|boobs|pussy|cunt"
    r"|dick|cock|blow ?job|slut|whore|hoe|cum|horny|naked|nudes?|rape[ds]?|anal|porn\w*)\b"
)


def _is_positive(head: str, row: Row) -> bool:
    """Whether a row is an example of what a head tells."""
    kind = head.partition(".")[2]
    if kind == "sexual":
        return row.positive and bool("sexual" in row.kinds or _SEXUAL.search(row.text.lower()))
    return row.positive and (not kind or kind in row.kinds)


def importance(head: str, rows: Sequence[Row]) -> Weights:
    """Return how much each row counts for a head: 0 where its source does not tell."""
    weights = np.array([row.weight for row in rows])
    if head.partition(".")[2]:
        positive = np.array([_is_positive(head, row) for row in rows])
        other = np.array([row.positive for row in rows]) & ~positive
        weights[other] *= _OTHER_KIND
        weights[other & ~np.array([bool(row.kinds) for row in rows])] = 0.0
    asked = weights > 0
    origins = [origin(row) for row, use in zip(rows, asked, strict=True) if use]
    weights[asked] *= balance(origins)
    return weights


def labels_of(head: str, rows: Sequence[Row]) -> Labels:
    """Return whether each row is an example of what a head tells."""
    return np.array([_is_positive(head, row) for row in rows])


def origin(row: Row) -> str:
    """Return what a row's habits are owed to; sources of one kind of rows share one."""
    return "news" if row.source in NEWS else row.source


def balance(origins: Sequence[str]) -> Weights:
    """Return how much rows count so that a source four times as large counts twice as much."""
    _, places, counts = np.unique(origins, return_inverse=True, return_counts=True)
    each = 1 / np.sqrt(counts[places])
    return np.asarray(each / each.mean())
