"""Figures: what is told of a model, against what one works out by hand."""

import numpy as np
import pytest

from worker.training.figures import (
    auc,
    calibration_error,
    f1,
    macro_f1,
    reliability,
    threshold_for,
)


def test_the_area_under_the_curve_counts_pairs_and_halves_ties() -> None:
    scores = np.array([0.9, 0.4, 0.4, 0.1])
    labels = np.array([True, True, False, False])

    assert auc(scores, labels) == pytest.approx(3.5 / 4)
    assert auc(scores, np.ones(4, bool)) is None


def test_f1_is_of_precision_and_recall() -> None:
    held, labels = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)

    assert f1(held, labels) == 0.5
    assert macro_f1(held, labels) == 0.5
    assert f1(np.zeros(4, bool), labels) == 0.0


def test_a_threshold_lets_no_more_than_its_rate_over_it() -> None:
    scores = np.linspace(0, 0.99, 100)
    weights = np.ones(100)

    threshold = threshold_for(scores, weights, 0.05)

    assert (scores > threshold).mean() <= 0.05 < (scores > threshold - 0.02).mean()
    assert threshold_for(np.ones(10), np.ones(10), 0.05) == 1.0


def test_the_calibration_error_is_how_far_tenths_are_off() -> None:
    scores = np.array([0.05, 0.05, 0.95, 0.95])
    labels = np.array([False, False, True, False])

    bins = reliability(scores, labels, np.array([1.0, 1.0, 1.0, 1.0]))

    first, last = bins
    assert (first.part, last.part) == (0.5, 0.5)
    assert first.mean == pytest.approx(0.05)
    assert last.mean == pytest.approx(0.95)
    assert (first.share, last.share) == (0.0, 0.5)
    assert calibration_error(bins) == pytest.approx(0.25)


def test_the_area_under_the_curve_of_a_wrong_pair() -> None:
    scores = np.array([0.1, 0.4, 0.35, 0.8])

    # Of the four pairs only 0.35 under 0.4 is wrong.
    assert auc(scores, np.array([False, False, True, True])) == pytest.approx(0.75)


def test_macro_f1_is_the_mean_of_both_kinds() -> None:
    held, labels = np.array([1, 1, 0, 0, 0], bool), np.array([1, 0, 0, 0, 0], bool)

    assert macro_f1(held, labels) == pytest.approx((2 / 3 + 6 / 7) / 2)


def test_rows_count_by_their_weights_and_not_at_all_without() -> None:
    scores = np.array([0.25, 0.25, 0.75, 1.0])
    labels = np.array([True, False, True, False])

    bins = reliability(scores, labels, np.array([3.0, 1.0, 4.0, 0.0]))

    assert [(each.part, each.mean, each.share) for each in bins] == [
        (0.5, 0.25, 0.75),
        (0.5, 0.75, 1.0),
    ]
    assert calibration_error(bins) == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)
