"""Fitting: features of rows, weights learned of them, and what sums of weights mean."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from tests.support.processes import ROOT
from worker.models import features
from worker.models.artefact import Calibration, Header, write
from worker.models.linear import LinearModel
from worker.training.corpora import Row
from worker.training.fitting import calibrate, fit
from worker.training.keeping import kept_whole
from worker.training.matrix import Shape, matrix, signals_of
from worker.training.mixing import _parts
from worker.training.recipes import RECIPES
from worker.training.training import _reference

SHAPE = Shape("abuse", 2, 3, 10)
ROWS = [
    Row("The letters of the families", positive=False, source="edos", language="en"),
    Row("The l.e.t.t.e.r.s of nobody", positive=True, source="edos", language="en"),
]


def news(*, positive: bool) -> Row:
    """Return a row such as a news site gets."""
    return Row("a", positive, "germeval2018", "de", kinds=frozenset({"insult"} if positive else ()))


# --- features ----------------------------------------------------------------------


def test_what_is_learned_from_is_what_judges(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(1 << SHAPE.bits, 1)).astype(np.float16)
    scale = (Calibration(1.0, 0.0),)
    header = Header(
        "abuse", "en", features.VERSION, 2, 3, ("abuse",), (0.0,), calibration=scale, markers={}
    )
    model = LinearModel(write(tmp_path / "model", header, weights))

    learned = matrix(ROWS, SHAPE, (), tmp_path / "cache", "rows") @ weights.astype(np.float64)

    judged = [model.sums(model.materials(signals_of(row))[-1]) for row in ROWS]
    assert learned == pytest.approx(np.array(judged), abs=1e-4)


def test_features_are_worked_out_once_for_the_same_rows(tmp_path: Path) -> None:
    first = matrix(ROWS, SHAPE, (), tmp_path, "rows")
    [kept] = tmp_path.iterdir()
    sp.save_npz(kept, first * 2)

    again = matrix(ROWS, SHAPE, (), tmp_path, "rows")
    other = matrix(ROWS[:1], SHAPE, (), tmp_path, "rows")

    assert (again != first * 2).nnz == 0
    assert (other != first[:1]).nnz == 0


def test_what_was_cut_off_while_it_was_kept_is_not_taken_for_whole(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "features"

    def keep(text: str, stop: BaseException | None = None) -> None:
        with kept_whole(file) as unfinished:
            unfinished.write_text(text)
            if stop:
                raise stop

    with pytest.raises(KeyboardInterrupt):
        keep("half", KeyboardInterrupt())
    assert not file.exists()

    keep("whole")
    assert file.read_text() == "whole"
    assert list(file.parent.iterdir()) == [file]


# --- weights -----------------------------------------------------------------------


def test_features_of_few_rows_are_forgotten_and_the_others_tell_the_labels_apart() -> None:
    common, rare = [1.0, 0.0], [0.0, 1.0]
    rows = sp.csr_matrix(np.array([common] * 3 + [rare] * 2 + [[0.0, 0.0]] * 5))
    labels = np.arange(10) < 5

    fitted = fit(rows, labels, np.ones(10), ["x"] * 10, markers=0, strength=1.0)

    assert fitted.weights[0] > 1
    assert fitted.weights[1] == 0
    assert fitted.bias < 0


def test_a_scale_makes_the_shares_of_positives_of_sums() -> None:
    sums = np.array([1.0] * 4 + [-1.0] * 4)
    labels = np.array([1, 1, 1, 0, 1, 0, 0, 0], bool)

    scale = calibrate(sums, labels, np.ones(8))

    # Three of four are odds of 3 : 1.
    assert scale.slope == pytest.approx(math.log(3), abs=1e-3)
    assert scale.offset == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("head", "prior"), [("abuse", 0.3), ("abuse.insult", 0.15)])
def test_what_scales_are_fitted_on_has_the_share_of_positives_of_the_recipe(
    head: str, prior: float
) -> None:
    recipe = RECIPES["abuse-de"]
    rows = [news(positive=True), news(positive=False), news(positive=False)]

    labels, counts = _reference(recipe, head, rows)

    assert labels.tolist() == [True, False, False]
    assert counts == pytest.approx(np.array([prior, (1 - prior) / 2, (1 - prior) / 2]))


def test_scores_of_abuse_are_for_news_and_talk() -> None:
    rows = [news(positive=True), news(positive=False), Row("a", True, "olid", "de")]

    _, counts = _reference(RECIPES["abuse-de"], "abuse", rows)

    assert counts == pytest.approx(np.array([0.3, 0.7, 0]))


def test_a_model_that_is_of_no_use_has_no_part_in_a_mixture() -> None:
    rows = [news(positive=place % 2 == 0) for place in range(8)]
    useful = np.array([1.0 if row.positive else -1.0 for row in rows])
    contrary = [Row("a", not row.positive, "olid", "de") for row in rows]

    parts = _parts("abuse", rows, np.stack([useful, -useful], axis=1))
    measured_too = _parts(
        "abuse", rows + contrary, np.stack([[*useful] * 2, [*-useful] * 2], axis=1)
    )

    assert parts[0] > 0
    assert parts[1] == 0
    assert measured_too == pytest.approx(parts, abs=1e-3)


# --- what it takes -----------------------------------------------------------------


def test_torch_is_loaded_only_to_teach_a_network() -> None:
    program = (
        "import sys, worker.training.__main__\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout == "[]\n"
