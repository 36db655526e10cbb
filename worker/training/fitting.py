"""Fitting: weights from features and labels, and what sums of weights mean."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from worker.models.artefact import Calibration
from worker.training.figures import Labels, Scores
from worker.training.labels import Weights

#: Features of fewer rows are forgotten: they may be names.
_FEWEST_ROWS = 3
#: How large the columns are that stand for the origin of a row, so that the habits
#: of a corpus need no words to explain them. They are dropped afterwards.
_ORIGIN = 3.0
#: How much hashed features are stretched before they are held small.
_STRETCH = 4.0
_ITERATIONS = 60


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights of one head: of the buckets, of the markers, and the constant."""

    weights: Weights
    bias: float


def fit(
    rows: sp.csr_matrix,
    labels: Labels,
    importance: Weights,
    origins: Sequence[str],
    *,
    markers: int,
    strength: float,
) -> Fitted:
    """Return the weights that tell the labels apart best, held small by 1 / `strength`.

    The last `markers` columns are markers.
    """
    stretch = _stretch(rows, markers)
    names = sorted(set(origins))
    places = np.array([names.index(origin) for origin in origins])
    beside = sp.csr_matrix(
        (np.full(len(origins), _ORIGIN), (np.arange(len(origins)), places)),
        shape=(len(origins), len(names)),
    )
    stretched = sp.hstack([rows @ sp.diags(stretch), beside]).tocsr()
    model = LogisticRegression(C=strength, max_iter=_ITERATIONS, tol=2e-3)
    model.fit(stretched, labels, sample_weight=importance)
    coefficients = model.coef_[0]
    origin = float(_ORIGIN * coefficients[rows.shape[1] :].mean())
    return Fitted(coefficients[: rows.shape[1]] * stretch, float(model.intercept_[0]) + origin)


def calibrate(sums: Scores, labels: Labels, importance: Weights) -> Calibration:
    """Return the logistic function that makes probabilities of sums (Platt)."""
    model = LogisticRegression(C=1e6, max_iter=1_000)
    model.fit(sums[:, None], labels, sample_weight=importance)
    return Calibration(round(float(model.coef_[0, 0]), 5), round(float(model.intercept_[0]), 5))


def _stretch(rows: sp.csr_matrix, markers: int) -> Weights:
    frequency = np.bincount(rows.indices, minlength=rows.shape[1])
    stretch = np.where(frequency < _FEWEST_ROWS, 0.0, _STRETCH)
    if markers:
        stretch[-markers:] = np.where(frequency[-markers:] < _FEWEST_ROWS, 0.0, 1.0)
    return stretch
