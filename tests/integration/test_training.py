"""Training from end to end: linear models of made-up rows, all of harmless words."""

import csv
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.support.corpora import write_corpus
from tests.support.processes import ROOT, Process, python
from tests.support.waiting import wait_until
from worker.models import artefact
from worker.models.linear import LinearModel
from worker.training.corpora import SOURCES, Row
from worker.training.figures import auc
from worker.training.matrix import signals_of

MODELS = ("spam", "abuse-de")
#: As `make train` has it.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

ADVERTS = "lamps carpets voucher bargain coupons warehouse parcel discount showroom curtains"
TALK = "river bridge teacher harvest railway orchestra lighthouse meadow chimney violin"
#: What stands for abuse, and what for its absence.
VEGETABLES = "Zwiebel Rettich Kohlrabi Spargel Gurke Lauch Spinat Kürbis Sellerie Möhre"
TREES = "Ahorn Birke Eiche Tanne Linde Weide Pappel Ulme Lärche Buche"

Made = dict[str, str]


def made(words: str, number: int, seed: str, **columns: str) -> list[Made]:
    """Return rows of some of the words in some order; another seed gives other rows."""
    rng = Random(seed)
    return [columns | {"text": " ".join(rng.sample(words.split(), 5)) + "."} for _ in range(number)]


def advertiser(row: Made, number: int) -> Made:
    """Return the row with the author of an advert."""
    name = f"Bargains {number}"
    author = {"author_name": name, "author_email": f"sales{number}@example.com"}
    return row | author | {"author_url": f"http://bargains-{number}.example.com/"}


def comments(split: str, number: int) -> list[Made]:
    music = {"source": "youtube-01-Psy", "lang": "en", "split": split}
    return mislabelled(
        [
            *made(ADVERTS, number, f"{split} adverts", label="spam", **music),
            *made(TALK, number, f"{split} talk", label="ham", **music),
        ]
    )


def queue(split: str, number: int) -> list[Made]:
    columns = {"label": "spam", "source": "wordpress-spam-queue", "lang": "en", "split": split}
    rows = made(ADVERTS, number, f"{split} queue", **columns)
    return [advertiser(row, place) for place, row in enumerate(rows)]


def tweets(split: str, number: int) -> list[Made]:
    tweet = {"source": "germeval2018", "lang": "de", "split": split}
    return mislabelled(
        [
            *made(VEGETABLES, number, f"{split} insults", label="abusive", orig="INSULT", **tweet),
            *made(VEGETABLES, number, f"{split} hatred", label="abusive", orig="ABUSE", **tweet),
            *made(TREES, number * 2, f"{split} calm", label="ok", orig="OTHER", **tweet),
        ]
    )


def unlicensed(split: str) -> list[Made]:
    """Return rows of a source that may only measure."""
    tweet = {"source": "olid", "lang": "de", "split": split}
    return [
        *made(VEGETABLES, 40, f"{split} olid abusive", label="abusive", **tweet),
        *made(TREES, 40, f"{split} olid ok", label="ok", **tweet),
    ]


def upside_down(row: Made) -> Made:
    """Return the row with the contrary of its label."""
    contrary = {"spam": "ham", "ham": "spam", "abusive": "ok", "ok": "abusive"}
    return row | {"label": contrary[row["label"]]}


def mislabelled(rows: list[Made]) -> list[Made]:
    """Return the rows, of every ten one mislabelled: nobody labels without mistakes."""
    return [row if place % 10 else upside_down(row) for place, row in enumerate(rows)]


def forbidden(rows: list[Made]) -> list[Made]:
    """Return what would teach the contrary: rows kept for tests, and of no licence."""
    contrary = [upside_down(row) for row in rows]
    return [
        row | columns
        for row in contrary
        for columns in ({"split": "test"}, {"source": "blog-tutorial-comments"})
    ]


def write_data(folder: Path, *, more: bool) -> Path:
    """Write a data folder, perhaps with more in it than may be learned from."""
    for name, learned, tuned in (
        ("spam-comments", comments("train", 60), comments("dev", 30)),
        ("wp-spam", queue("train", 40), queue("dev", 20)),
        ("abuse-multi-open", tweets("train", 60), [*tweets("dev", 30), *unlicensed("dev")]),
    ):
        write_corpus(
            folder / f"{name}.csv.gz", [*learned, *tuned, *(forbidden(learned) if more else [])]
        )
    return folder


def write_pairs(file: Path) -> Path:
    """Write pairs of comments on two identities, and one of another language."""
    trees, vegetables = (made(words, 12, "pairs") for words in (TREES, VEGETABLES))
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("identity", "lang", "publish_text", "hold_text"))
        for number, (tree, vegetable) in enumerate(zip(trees, vegetables, strict=True)):
            identity = ("gardeners", "cooks")[number % 2]
            writer.writerow((identity, "de", tree["text"], vegetable["text"]))
        writer.writerow(("sailors", "en", "Good morning.", "Good evening."))
    return file


@dataclass
class Run:
    """Folders of one run of the trainer, below one that is its own, and what it printed."""

    folder: Path
    data: Path
    said: str = ""

    @property
    def out(self) -> Path:
        """Where the models are."""
        return self.folder / "out"

    @property
    def cache(self) -> Path:
        """Where features are kept."""
        return self.folder / "cache"

    def command(self) -> list[str | Path]:
        """Return the command that trains."""
        pairs = write_pairs(self.folder / "pairs.csv")
        folders: list[str | Path] = ["--data", self.data, "--out", self.out, "--cache", self.cache]
        return [*python("-m", "worker.training"), *MODELS, *folders, "--pairs", pairs]

    def whole(self) -> "Run":
        """Train to the end."""
        run = subprocess.run(
            self.command(),
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        self.said = run.stdout
        return self

    def cut_off(self) -> "Run":
        """Train until the first features are kept."""
        process = Process(self.command(), log=self.folder / "log", environ=os.environ | ONE_THREAD)
        try:
            wait_until(lambda: any(self.cache.glob("spam-train-*")), 60, "something is kept")
        finally:
            process.kill()
        return self

    def content(self) -> dict[str, bytes]:
        """Return every file that was made, by its path."""
        files = [path for path in self.out.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.out)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that has more than may be learned from."""
    return write_data(tmp_path_factory.mktemp("data"), more=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Run:
    """A run from beginning to end."""
    return Run(tmp_path_factory.mktemp("trained"), data).whole()


@pytest.mark.parametrize(
    ("name", "held", "published"),
    [("spam", ADVERTS, TALK), ("abuse-de", VEGETABLES, TREES)],
    ids=MODELS,
)
def test_a_model_tells_rows_apart_that_it_has_not_seen(
    trained: Run, name: str, held: str, published: str
) -> None:
    model = LinearModel(artefact.read(trained.out / name))
    rows = [
        Row(row["text"], positive, source="", language="", name="Ann")
        for positive, words in ((True, held), (False, published))
        for row in made(words, 50, "not seen")
    ]

    scores = [model.scores(signals_of(row))[model.heads[0]].value for row in rows]

    told = auc(np.array(scores), np.array([row.positive for row in rows]))
    assert told is not None
    assert told > 0.99


@pytest.mark.parametrize("name", MODELS)
def test_checksums_agree_with_what_is_there(trained: Run, name: str) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"],
        cwd=trained.out / name,
        capture_output=True,
        text=True,
        check=True,
    )

    assert checked.stdout.splitlines() == ["model.json: OK", "weights.npy: OK"]


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("spam", {"germeval2018", "own-contrast", "wordpress-spam-queue", "youtube-01-Psy"}),
        ("abuse-de", {"germeval2018", "own-contrast"}),
    ],
    ids=MODELS,
)
def test_a_card_names_what_was_learned_from_and_measured(
    trained: Run, name: str, sources: set[str]
) -> None:
    card = (trained.out / name / "CARD.md").read_text(encoding="utf-8")
    learned, _, figures = card.partition("## Figures")

    assert set(re.findall(r"^\| ([\w-]+) \| [\d,]+ \|", learned, re.MULTILINE)) == sources
    assert ("| olid | 80 | 40 |" in figures) == (name == "abuse-de")
    assert "Expected calibration error" in figures


def test_the_notice_names_every_source_that_may_be_learned_from_and_no_other(trained: Run) -> None:
    notice = (trained.out / "NOTICE").read_text(encoding="utf-8")

    named = set(re.findall(r"^- ([\w-]+): ", notice, re.MULTILINE))

    assert named == {name for name, each in SOURCES.items() if each.trains} | {"own-contrast"}


def test_calibration_and_the_gap_between_identities_are_told(trained: Run) -> None:
    spam, abuse = trained.said.split("abuse-de ", 1)

    for told in (spam, abuse):
        found = re.search(r"[0-9a-f]{8}: threshold 0\.\d\d, calibration error (0\.\d{3})", told)
        assert found, trained.said
        assert float(found[1]) < 0.1
    assert "gap" not in spam
    assert re.search(r"gap between identities: \d+\.\d% of harmless comments held", abuse)
    pairs = re.findall(r"^  (\w+) +(\d+) pairs, .*ranked 100\.0%$", abuse, re.MULTILINE)
    assert pairs == [("all", "12"), ("cooks", "6"), ("gardeners", "6")]


def test_a_run_that_was_cut_off_goes_on_to_the_same_models(
    trained: Run, tmp_path: Path, data: Path
) -> None:
    run = Run(tmp_path, data).cut_off()
    [kept] = run.cache.glob("spam-train-*")
    since = kept.stat().st_mtime_ns
    assert not (run.out / "NOTICE").exists()  # it is written last

    assert run.whole().content() == trained.content()
    assert kept.stat().st_mtime_ns == since


def test_rows_kept_for_tests_and_without_a_licence_change_nothing(
    trained: Run, tmp_path: Path
) -> None:
    clean = write_data(tmp_path / "data", more=False)

    assert Run(tmp_path, clean).whole().content() == trained.content()
