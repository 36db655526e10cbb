"""Training: what models may learn from, and the figures that are told of them."""

import csv
import gzip
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.support.processes import ROOT
from worker.signals import near
from worker.signals.repetition import fingerprint
from worker.signals.text import plain
from worker.training import contrast
from worker.training.authors import with_reader
from worker.training.corpora import SOURCES, Row, may_train, read
from worker.training.figures import (
    auc,
    calibration_error,
    f1,
    macro_f1,
    reliability,
    threshold_for,
)
from worker.training.noise import noisy
from worker.training.references import with_references

CORPORA = ROOT / "tests" / "corpus"
OWN = sorted(path.stem for path in contrast.FOLDER.glob("*.txt"))


def own(name: str) -> list[Row]:
    """Return the sentences of a file of our own."""
    return list(contrast.read(name, "en", Random(7), 1.0))


def frozen() -> list[str]:
    """Return every text of the corpora that only measure."""
    found: list[str] = []
    for path in CORPORA.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found += [row[name] for name in row if name.endswith("text") and row[name]]
    return found


# --- what is learned from -----------------------------------------------------------


@pytest.mark.parametrize("name", OWN)
def test_nothing_that_measures_is_learned_from(name: str) -> None:
    texts = frozen()
    prints = {fingerprint(plain(text)) for text in texts}
    marks = [mark for text in texts if (mark := near.signature(text)) is not None]

    learned = own(name)

    assert len(prints) > 1_000
    assert [row.text for row in learned if fingerprint(plain(row.text)) in prints] == []
    for row in learned:
        mark = near.signature(row.text)
        assert mark is None or not any(near.alike(mark, other) for other in marks), row.text


@pytest.mark.parametrize("name", OWN)
def test_our_own_sentences_are_of_both_kinds_and_complete(name: str) -> None:
    rows = own(name)

    assert {row.positive for row in rows} == {True, False}
    assert not [row.text for row in rows if "{" in row.text or "}" in row.text]
    assert all(row.kinds for row in rows if row.positive and name.startswith("abuse"))


def test_chance_is_the_same_in_every_run() -> None:
    program = (
        "from random import Random\nfrom zlib import crc32\n"
        "from worker.training import contrast\n"
        "rows = contrast.read('abuse-en', 'en', Random(7), 1)\n"
        "print(crc32(repr([row.text for row in rows]).encode()))"
    )

    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(told) == 1


def corpus(folder: Path, *rows: tuple[str, str, str, str, str]) -> Path:
    """Write a corpus of rows: text, label, source, split, orig."""
    with gzip.open(folder / "abuse-en-x.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "source", "lang", "split", "orig"))
        for text, label, source, split, orig in rows:
            writer.writerow((text, label, source, "en", split, orig))
    return folder


def test_rows_of_other_splits_and_profanity_at_nobody_are_left_out(tmp_path: Path) -> None:
    folder = corpus(
        tmp_path,
        ("a", "abusive", "davidson", "train", "hate"),
        ("b", "abusive", "davidson", "train", "offensive"),
        ("c", "ok", "davidson", "dev", "neither"),
        ("d", "ok", "davidson", "test", "neither"),
    )

    trained = [(row.text, row.positive, row.kinds) for row in read([folder], "train", ["abuse"])]

    assert trained == [("a", True, frozenset({"hate"}))]
    assert [row.text for row in read([folder], "dev", ["abuse"])] == ["c"]
    assert list(read([folder], "train", ["spam"])) == []


@pytest.mark.parametrize(
    "source", ["unhealthy-comments", "olid", "hateval-en", "dghs", "ethos", "never heard of"]
)
def test_no_model_learns_where_the_licence_does_not_let_it(source: str) -> None:
    assert not may_train(Row("a", positive=True, source=source, language="en"))


def test_every_source_that_is_learned_from_has_a_licence_that_may() -> None:
    learned = [source.licence for source in SOURCES.values() if source.trains]

    assert not [licence for licence in learned if "NC" in licence or "none" in licence]


def test_made_up_readers_and_noise_leave_the_rest_as_it_is() -> None:
    rng = Random(3)
    row = Row("Nobody answered the letters of the families", False, "x", "en")

    read_by, disguised = with_reader(row, rng), noisy(row.text, rng)

    assert (read_by.text, read_by.positive, bool(read_by.name)) == (row.text, False, True)
    assert disguised != row.text
    assert all(row.text in with_references(row, rng).text for _ in range(100))


# --- figures ------------------------------------------------------------------------


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
