"""Figures: how well scores tell comments apart, and whether they are probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]

_BINS = 10


def auc(scores: Scores, labels: Labels) -> float | None:
    """Return the chance that a positive has the higher score; None with one kind only."""
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        return None
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    for start, count in zip(first, counts, strict=True):
        ranks[order[start : start + count]] = start + (count + 1) / 2
    total = float(ranks[labels].sum())
    return (total - positive * (positive + 1) / 2) / (positive * negative)


def macro_f1(held: Labels, labels: Labels) -> float:
    """Return the mean of the F1 of the positives and of the negatives."""
    return (f1(held, labels) + f1(~held, ~labels)) / 2


def f1(held: Labels, labels: Labels) -> float:
    """Return the harmonic mean of precision and recall."""
    right = int((held & labels).sum())
    wrong = int((held ^ labels).sum())
    return 2 * right / (2 * right + wrong) if right else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores of a tenth: what part of all they are, their mean, and the share of positives."""

    part: float
    mean: float
    share: float


def reliability(scores: Scores, labels: Labels, weights: Scores) -> list[Bin]:
    """Return the tenths of the scale that have scores in them; rows count by their weights."""
    tenth = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    total = weights.sum()
    return [
        Bin(
            float(weights[chosen].sum() / total),
            float(np.average(scores[chosen], weights=weights[chosen])),
            float(np.average(labels[chosen], weights=weights[chosen])),
        )
        for number in range(_BINS)
        if weights[chosen := tenth == number].sum() > 0
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: how far the tenths are off, on the average."""
    return sum(each.part * abs(each.mean - each.share) for each in bins)


def threshold_for(scores: Scores, weights: Scores, rate: float) -> float:
    """Return the least score, of hundredths, over which at most `rate` of the weight lies."""
    for hundredth in range(1, 100):
        if weights[scores > hundredth / 100].sum() <= rate * weights.sum():
            return hundredth / 100
    return 1.0
