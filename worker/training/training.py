"""Training one model: learns, tunes, measures, and writes what it made."""

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
from worker.training.corpora import Row, may_train
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
from worker.training.fitting import Fitted, calibrate, fit
from worker.training.labels import Weights, balance, importance, labels_of, origin
from worker.training.matrix import matrix
from worker.training.recipes import NEWS, Recipe

_PART_OF_A_KIND = 0.5
#: Weights smaller than this part of the largest change nothing.
_NEGLIGIBLE = 1e-4
#: Shares of serious comments that thresholds are told for.
_RATES = (0.002, 0.005, 0.01, 0.02, 0.04)


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
class Made:
    """A model as it was made: where it lies, its version, and how it works."""

    directory: str
    version: str
    how: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A trained model and its figures on rows that it was tuned on."""

    model: Made
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
        scale_of(recipe, head, tuning, _sums(fitted, tuned))
        for head, fitted in zip(recipe.heads, heads, strict=True)
    ]
    artefact = _write(recipe, heads, scales, markers, out)
    shape = recipe.shape
    made = (
        "Logistic regression over hashed words, pairs of words and runs of "
        f"{shape.shortest} to\n{shape.longest} characters in {1 << shape.bits:,} buckets."
    )
    model = Made(recipe.directory, artefact.version, made)
    return measured(recipe, model, rows, tuning, _sums(heads[0], tuned), scales[0])


def _fit_head(
    recipe: Recipe, head: str, rows: Sequence[Row], learned: sp.csr_matrix, markers: int
) -> Fitted:
    counts = importance(head, rows)
    asked = counts > 0
    return fit(
        learned[asked],
        labels_of(head, rows)[asked],
        counts[asked],
        [origin(row) for row, use in zip(rows, asked, strict=True) if use],
        markers=markers,
        strength=recipe.strength,
    )


def _sums(fitted: Fitted, rows: sp.csr_matrix) -> Scores:
    return np.asarray(rows @ fitted.weights + fitted.bias)


def _scores_of(sums: Scores, scale: Calibration) -> Scores:
    """Return the probabilities, 0 to 1, that a calibration makes of sums of weights."""
    return np.asarray(1 / (1 + np.exp(-(scale.slope * sums + scale.offset))))


def scale_of(recipe: Recipe, head: str, tuning: Sequence[Row], sums: Scores) -> Calibration:
    """Return what makes probabilities of a head's sums."""
    labels, counts = _reference(recipe, head, tuning)
    used = counts > 0
    return calibrate(sums[used], labels[used], counts[used])


def _scores_by_the_other_half(
    tuning: Sequence[Row], sums: Scores, labels: Labels, counts: Weights
) -> Scores:
    """Return scores such as rows get that the scale was not fitted on."""
    scores = np.zeros(len(sums))
    half = _first_half(tuning)
    for measured in (half, ~half):
        used = (counts > 0) & ~measured
        scale = calibrate(sums[used], labels[used], counts[used])
        scores[measured] = _scores_of(sums[measured], scale)
    return scores


def _first_half(tuning: Sequence[Row]) -> Labels:
    return np.array([bool(crc32(row.text.encode()) & 1) for row in tuning])


def _reference(recipe: Recipe, head: str, tuning: Sequence[Row]) -> tuple[Labels, Weights]:
    """Return labels and weights that make of the tuning rows what a news site gets.

    Only sources that may train count, small ones more than their size; for abuse as such
    only news and talk. A kind of abuse is taken for half of all abuse: corpora do not
    tell. Where it is not known of what kind a row is, that row does not count for kinds.
    """
    kind = head.partition(".")[2]
    labels = labels_of(head, tuning)
    counts = importance(head, tuning) > 0
    counts &= np.array([_counts(recipe, kind, row) for row in tuning])
    prior = recipe.prior * (_PART_OF_A_KIND if kind else 1)
    each = np.where(counts, balance([row.source for row in tuning]), 0.0)
    weights = np.where(labels, prior * each / max(1e-9, each[labels].sum()), 0.0)
    weights += np.where(labels, 0.0, (1 - prior) * each / each[~labels].sum())
    return labels, weights


def _counts(recipe: Recipe, kind: str, row: Row) -> bool:
    return may_train(row) and (recipe.name == "spam" or bool(kind) or row.source in NEWS)


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


def measured(
    recipe: Recipe,
    model: Made,
    rows: Sequence[Row],
    tuning: Sequence[Row],
    sums: Scores,
    scale: Calibration,
) -> Outcome:
    """Return a model's figures; `sums` are what it says of the rows that it was tuned on."""
    scores = _scores_of(sums, scale)
    labels = np.array([row.positive for row in tuning])
    serious = np.array([row.source in NEWS for row in tuning]) & ~labels
    if not serious.any():
        serious = ~labels
    each = balance([row.source for row, use in zip(tuning, serious, strict=True) if use])
    thresholds = {rate: threshold_for(scores[serious], each, rate) for rate in _RATES}
    threshold = thresholds[0.01 if recipe.name == "spam" else 0.04]
    labels_there, counts = _reference(recipe, recipe.heads[0], tuning)
    crossed = _scores_by_the_other_half(tuning, sums, labels_there, counts)
    bins = reliability(crossed, labels_there, counts)
    return Outcome(
        model=model,
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
