"""Training: what models may learn from, and what is made of it first."""

import csv
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.support.corpora import write_corpus
from tests.support.processes import ROOT
from worker.signals import near
from worker.signals.repetition import fingerprint
from worker.signals.text import plain
from worker.training import contrast
from worker.training.authors import with_reader
from worker.training.corpora import SOURCES, Row, may_train, read
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
    names = ("text", "label", "source", "split", "orig")
    columns = ({"lang": "en", **dict(zip(names, row, strict=True))} for row in rows)
    write_corpus(folder / "abuse-en-x.csv.gz", columns)
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


def test_noise_and_readers_are_the_same_from_the_same_seed() -> None:
    row = Row("Nobody answered the letters of the families", False, "x", "en")

    def twenty(seed: int) -> list[tuple[str, Row]]:
        rng = Random(seed)
        return [(noisy(row.text, rng), with_reader(row, rng)) for _ in range(20)]

    assert twenty(3) == twenty(3)
    assert twenty(3) != twenty(4)
    assert len({text for text, _ in twenty(3)}) > 10
