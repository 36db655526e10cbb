"""Training one model: learns, tunes, measures, and writes what it made."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from tqdm import tqdm

from worker.models import features
from worker.models.artefact import Artefact, Calibration, Header, write
from worker.models.markers import NAMES
from worker.training.corpora import Row
from worker.training.figures import (
    Bin,
    Labels,
    Scores,
    auc,
    calibration_error,
    f1,
    macro_f1,
    reliability,
    threshold_for,
)
from worker.training.fitting import Fitted, Weights, calibrate, fit
from worker.training.matrix import matrix
from worker.training.recipes import NEWS, Recipe

#: The positives of another kind count less against a kind: few were asked for it.
_OTHER_KIND = 0.5
_PART_OF_A_KIND = 0.5
#: Weights smaller than this part of the largest change nothing.
_NEGLIGIBLE = 1e-4
#: Shares of serious comments that thresholds are told for.
RATES = (0.002, 0.005, 0.01, 0.02, 0.04)

#: What no corpus labels: positives with such words are counted as sexual.
_SEXUAL = re.compile(
    r"\b(?:fuck (?:her|him|that ass|your|my)|suck(?:s|ing)? (?:my|his|a) \w+|tits|boobs|pussy|cunt"
    r"|dick|cock|blow ?job|slut|whore|hoe|cum|horny|naked|nudes?|rape[ds]?|anal|porn\w*)\b"
)


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """How a model does on one source: None where a source has one kind of rows only."""

    source: str
    rows: int
    positive: int
    auc: float | None
    macro_f1: float
    held_of_positive: float | None
    held_of_others: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained model and its figures on rows that it was tuned on."""

    artefact: Artefact
    learned: dict[str, int]
    threshold: float
    thresholds: dict[float, float]
    sources: list[SourceFigures]
    bins: list[Bin]
    calibration_error: float


def train(recipe: Recipe, folders: Sequence[Path], out: Path, cache: Path) -> Outcome:
    """Make the model of a recipe from the data folders, write it, and return its figures."""
    rows, tuning = recipe.rows(folders), recipe.tuning(folders)
    markers = NAMES if recipe.name == "spam" else ()
    what = recipe.directory
    learned = matrix(rows, recipe.shape, markers, cache, f"{what}-train")
    tuned = matrix(tuning, recipe.shape, markers, cache, f"{what}-dev")
    heads = [
        _fit_head(recipe, head, rows, learned, len(markers))
        for head in tqdm(recipe.heads, desc=f"heads of {what}", unit=" heads")
    ]
    scales = [
        _scale(recipe, head, tuning, _sums(fitted, tuned))
        for head, fitted in zip(recipe.heads, heads, strict=True)
    ]
    artefact = _write(recipe, heads, scales, markers, out)
    return _measured(recipe, artefact, rows, tuning, _sums(heads[0], tuned), scales[0])


def _fit_head(
    recipe: Recipe, head: str, rows: Sequence[Row], learned: sp.csr_matrix, markers: int
) -> Fitted:
    kind = head.partition(".")[2]
    labels = np.array([_is(kind, row) for row in rows])
    weights = np.array([row.weight for row in rows])
    if kind:
        weights[[row.positive and not _is(kind, row) for row in rows]] *= _OTHER_KIND
        asked = np.array([not row.positive or bool(row.kinds) or _is(kind, row) for row in rows])
    else:
        asked = np.ones(len(rows), bool)
    origins = [_origin(row) for row, use in zip(rows, asked, strict=True) if use]
    importance = weights[asked] * _balance(origins)
    return fit(
        learned[asked],
        labels[asked],
        importance,
        origins,
        markers=markers,
        strength=recipe.strength,
    )


def _is(kind: str, row: Row) -> bool:
    if kind == "sexual":
        return row.positive and bool("sexual" in row.kinds or _SEXUAL.search(row.text.lower()))
    return row.positive and (not kind or kind in row.kinds)


def _origin(row: Row) -> str:
    """Return what a row's habits are owed to; sources of one kind of rows share one."""
    return "news" if row.source in NEWS else row.source


def _balance(origins: Sequence[str]) -> Weights:
    """Return how much rows count so that a source four times as large counts twice as much."""
    _, places, counts = np.unique(origins, return_inverse=True, return_counts=True)
    each = 1 / np.sqrt(counts[places])
    return np.asarray(each / each.mean())


def _sums(fitted: Fitted, rows: sp.csr_matrix) -> Scores:
    return np.asarray(rows @ fitted.weights + fitted.bias)


def _scores(sums: Scores, scale: Calibration) -> Scores:
    return np.asarray(1 / (1 + np.exp(-(scale.slope * sums + scale.offset))))


def _scale(recipe: Recipe, head: str, tuning: Sequence[Row], sums: Scores) -> Calibration:
    labels, importance = _reference(recipe, head.partition(".")[2], tuning)
    used = importance > 0
    return calibrate(sums[used], labels[used], importance[used])


def _scores_by_the_other_half(
    tuning: Sequence[Row], sums: Scores, labels: Labels, importance: Weights
) -> Scores:
    """Return scores such as rows get that the scale was not fitted on."""
    scores = np.zeros(len(sums))
    half = _first_half(tuning)
    for measured in (half, ~half):
        used = (importance > 0) & ~measured
        scale = calibrate(sums[used], labels[used], importance[used])
        scores[measured] = _scores(sums[measured], scale)
    return scores


def _first_half(tuning: Sequence[Row]) -> Labels:
    return np.array([bool(crc32(row.text.encode()) & 1) for row in tuning])


def _reference(recipe: Recipe, kind: str, tuning: Sequence[Row]) -> tuple[Labels, Weights]:
    """Return labels and weights that make of the tuning rows what a news site gets.

    Only news and talk count, small sources more than their size, for spam also all
    adverts. A kind of abuse is taken for half of all abuse: corpora do not tell.
    """
    labels = np.array([_is(kind, row) for row in tuning])
    counts = np.array([_counts(recipe, kind, row) for row in tuning])
    prior = recipe.prior * (_PART_OF_A_KIND if kind else 1)
    each = np.where(counts, _balance([row.source for row in tuning]), 0.0)
    weights = np.where(labels, prior * each / max(1e-9, each[labels].sum()), 0.0)
    weights += np.where(labels, 0.0, (1 - prior) * each / each[~labels].sum())
    return labels, weights


def _counts(recipe: Recipe, kind: str, row: Row) -> bool:
    return recipe.name == "spam" or bool(kind) or row.source in NEWS


def _write(
    recipe: Recipe,
    heads: Sequence[Fitted],
    scales: Sequence[Calibration],
    markers: Sequence[str],
    out: Path,
) -> Artefact:
    buckets = 1 << recipe.shape.bits
    weights = np.stack([head.weights[:buckets] for head in heads], axis=1)
    weights[np.abs(weights) < _NEGLIGIBLE * np.abs(weights).max()] = 0
    told: dict[str, tuple[float, ...]] = {
        marker: tuple(round(float(head.weights[buckets + number]), 5) for head in heads)
        for number, marker in enumerate(markers)
    }
    header = Header(
        name=recipe.name,
        language=recipe.language,
        features=features.VERSION,
        shortest=recipe.shape.shortest,
        longest=recipe.shape.longest,
        heads=recipe.heads,
        bias=tuple(round(head.bias, 5) for head in heads),
        calibration=tuple(scales),
        markers=told,
    )
    half: NDArray[np.float16] = weights.astype(np.float16)
    return write(out / recipe.directory, header, half)


def _measured(
    recipe: Recipe,
    artefact: Artefact,
    rows: Sequence[Row],
    tuning: Sequence[Row],
    sums: Scores,
    scale: Calibration,
) -> Outcome:
    scores = _scores(sums, scale)
    labels = np.array([row.positive for row in tuning])
    serious = np.array([row.source in NEWS for row in tuning]) & ~labels
    if not serious.any():
        serious = ~labels
    each = _balance([row.source for row, use in zip(tuning, serious, strict=True) if use])
    thresholds = {rate: threshold_for(scores[serious], each, rate) for rate in RATES}
    threshold = thresholds[0.01 if recipe.name == "spam" else 0.04]
    reference, importance = _reference(recipe, "", tuning)
    crossed = _scores_by_the_other_half(tuning, sums, reference, importance)
    bins = reliability(crossed, reference, importance)
    return Outcome(
        artefact=artefact,
        learned=_counted(rows),
        threshold=threshold,
        thresholds=thresholds,
        sources=[
            _of_source(source, scores, labels, np.array([row.source == source for row in tuning]),
                       threshold)
            for source in sorted({row.source for row in tuning})
        ],
        bins=bins,
        calibration_error=calibration_error(bins),
    )  # fmt: skip


def _of_source(
    source: str, scores: Scores, labels: Labels, chosen: Labels, threshold: float
) -> SourceFigures:
    held, wanted = scores[chosen] > threshold, labels[chosen]
    return SourceFigures(
        source=source,
        rows=int(chosen.sum()),
        positive=int(wanted.sum()),
        auc=auc(scores[chosen], wanted),
        macro_f1=macro_f1(held, wanted) if wanted.any() and not wanted.all() else f1(held, wanted),
        held_of_positive=float(held[wanted].mean()) if wanted.any() else None,
        held_of_others=float(held[~wanted].mean()) if not wanted.all() else None,
    )


def _counted(rows: Sequence[Row]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.source] = counts.get(row.source, 0) + 1
    return dict(sorted(counts.items()))
