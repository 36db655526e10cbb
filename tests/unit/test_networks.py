"""Networks: their files, what they read of a comment, and what a mixture says and why."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.judging import NOON, a_comment
from tests.support.processes import ROOT
from worker.context import Context
from worker.models import artefact, network, wording
from worker.models.artefact import HEADER, SUMS, DamagedArtefact
from worker.models.linear import LinearModel
from worker.models.mixture import MOST_WINDOWS, Mixture
from worker.models.network import NETWORK, TOKENIZER, Network, Read
from worker.models.shelf import DIRECTORY, load_models
from worker.signals.comment import Signals

FILES = (HEADER, NETWORK, TOKENIZER)


def signals_of(body: str) -> Signals:
    return Signals(a_comment(body), Context(at=NOON))


def linear() -> LinearModel:
    """Return the linear model that ships for English."""
    return LinearModel(artefact.read(DIRECTORY / "abuse-en"))


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    """The mixture that ships for English."""
    return Mixture(linear(), network.read(DIRECTORY / "abuse-en-network"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of what ships for English."""
    for name in ("abuse-en", "abuse-en-network"):
        shutil.copytree(DIRECTORY / name, tmp_path / name)
    return tmp_path


# --- files -------------------------------------------------------------------------


def _flip(name: str) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return flip


def _header(**changes: object) -> Callable[[Path], None]:
    """Make a change of the header that the checksums agree with."""

    def change(folder: Path) -> None:
        values = json.loads((folder / HEADER).read_text())
        artefact.seal(folder, values | changes, (NETWORK, TOKENIZER))

    return change


def _replaced(name: str, content: bytes) -> Callable[[Path], None]:
    """Put other content in the place of a file, which the checksums agree with."""

    def replace(folder: Path) -> None:
        (folder / name).write_bytes(content)
        _header()(folder)

    return replace


@pytest.mark.parametrize(
    "damage",
    [
        *(pytest.param(lambda f, n=n: (f / n).unlink(), id=f"no {n}") for n in (*FILES, SUMS)),
        *(pytest.param(_flip(name), id=f"{name} changed") for name in FILES),
        pytest.param(_replaced(NETWORK, b"nonsense"), id="no network, signed"),
        pytest.param(_replaced(TOKENIZER, b"{}"), id="no tokenizer, signed"),
        pytest.param(_header(format=2), id="another form"),
        pytest.param(_header(wording=wording.VERSION + 1), id="other texts"),
        pytest.param(_header(name="weather"), id="a model of nothing known"),
        pytest.param(_header(surplus=1), id="unknown member"),
        pytest.param(_header(heads=["abuse"]), id="fewer heads than shares"),
        pytest.param(_header(linear="00000000"), id="another linear model"),
    ],
)
def test_without_its_network_the_linear_model_alone_speaks(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder / "abuse-en-network")

    models = load_models(folder, ("abuse-en",))

    assert models.facts["models"] == f"abuse-en: {linear().version}"
    assert models.facts["models_failed"].startswith("abuse-en-network: ")
    signals = signals_of("It is what the others would have said")
    score = models.score("abuse", signals)
    assert score
    assert score.value == linear().scores(signals)["abuse"].value


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_without_a_library_the_linear_model_alone_speaks(library: str) -> None:
    program = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "import worker.runtime\n"
        "from worker.models.shelf import load_models\n"
        "print(load_models().facts)"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert f"abuse-en: {linear().version};" in told.stdout
    assert f"abuse-en-network: {library} cannot be loaded" in told.stdout


def test_a_network_of_fewer_heads_than_its_header_names_is_damaged(folder: Path) -> None:
    values = json.loads((folder / "abuse-en-network" / HEADER).read_text())
    more = {"heads": [*values["heads"], "abuse.x"], "shares": values["shares"][:1] * 6}
    _header(**more)(folder / "abuse-en-network")

    with pytest.raises(DamagedArtefact, match="fit"):
        network.read(folder / "abuse-en-network")


def test_the_version_stands_for_both(mixture: Mixture) -> None:
    own = network.read(DIRECTORY / "abuse-en-network").version

    assert mixture.version == f"{linear().version}+{own}"


def test_a_network_serves_processes_that_fork_from_its_own(mixture: Mixture) -> None:
    network_itself = mixture._network
    expected = network_itself.read("You know what you are").sums.tolist()
    reading, writing = os.pipe()

    if (child := os.fork()) == 0:
        said = json.dumps(network_itself.read("You know what you are").sums.tolist())
        os.write(writing, said.encode())
        os._exit(0)

    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert json.loads(pipe.read()) == expected
    assert os.waitpid(child, 0)[1] == 0


def test_a_network_has_no_threads_of_its_own() -> None:
    program = (
        "import os\n"
        "from worker.models import network\n"
        "from worker.models.shelf import DIRECTORY\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "network.read(DIRECTORY / 'abuse-en-network').read('Good morning')\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "0"


# --- what is read ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("see https://example.com/a now", "see                       now"),
        ("@ann you \U0001f921", "     you  clown face "),
        ("\U0001f44d\U0001f3fd", " thumbs up sign "),
    ],
)
def test_pictures_are_read_as_their_names_and_names_of_readers_not(text: str, read: str) -> None:
    assert wording.worded(text) == read


class Counting:
    """A network that remembers what it was asked."""

    def __init__(self, network: Network) -> None:
        self.header = network.header
        self.version = network.version
        self.asked: list[str] = []
        self._network = network

    def read(self, text: str) -> Read:
        """Return what the network says."""
        self.asked.append(text)
        return self._network.read(text)


@pytest.fixture
def counting(mixture: Mixture, monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The network of the mixture, counting."""
    counting = Counting(mixture._network)
    monkeypatch.setattr(mixture, "_network", counting)
    return counting


def test_a_calm_comment_is_left_to_the_linear_model(mixture: Mixture, counting: Counting) -> None:
    signals = signals_of("The report names the places and the dates of it. " * 40)

    scores = mixture.scores(signals)

    assert counting.asked == []
    alone = mixture._linear.scores(signals)
    assert {name: score.value for name, score in scores.items()} == {
        name: score.value for name, score in alone.items()
    }
    assert mixture.scores(signals_of("You are a stupid idiot."))
    assert len(counting.asked) == 1


def test_of_a_long_calm_comment_one_window_is_read(mixture: Mixture, counting: Counting) -> None:
    mixture.found(signals_of("The report names the places and the dates of it. " * 40))

    assert len(counting.asked) == 1
    assert len(counting.asked[0].split()) <= counting.header.words


@pytest.mark.parametrize(
    "unit", ["you are a stupid idiot and ", "1d10t ", "\U0001f921", "x", "a.b ", "\u0436\u0301"]
)
def test_however_long_a_comment_few_windows_are_read(
    unit: str, mixture: Mixture, counting: Counting
) -> None:
    signals = signals_of((unit * 65_000)[:65_000])

    mixture.found(signals)
    assert 1 <= len(counting.asked) <= MOST_WINDOWS
    scores = mixture.scores(signals)
    assert max(map(len, counting.asked)) <= 600
    assert all(0 <= score.value <= 1 for score in scores.values())


def test_the_window_with_an_insult_is_read_wherever_it_stands(mixture: Mixture) -> None:
    calm = "The report names the places and the dates of it. " * 20
    insult = "You are a stupid worthless piece of shit, shut up you idiot. "

    texts = (calm, insult + calm, calm + insult, calm + insult + calm)
    without, *found = [mixture.found(signals_of(text)).worst[0] for text in texts]

    assert min(found) > without + 1


@pytest.mark.parametrize("text", ["", " ", "\ud800", "a", "\U0001f600", "?!", "\u200b"])
def test_no_text_is_too_odd(text: str, mixture: Mixture) -> None:
    scores = mixture.scores(signals_of(text))

    assert all(0 <= score.value <= 1 for score in scores.values())
    assert [score.reasons() for score in scores.values()]


def test_a_score_does_not_depend_on_what_was_judged_before(mixture: Mixture) -> None:
    texts = ["You are an idiot", "Good morning to all", "He is what the others called him", "x"]

    once = [mixture.scores(signals_of(text))["abuse"].value for text in texts]
    again = [mixture.scores(signals_of(text))["abuse"].value for text in reversed(texts)]

    assert once == again[::-1]


# --- scores and reasons ------------------------------------------------------------


def test_reasons_name_the_words_that_moved_the_score(mixture: Mixture) -> None:
    body = "I read the article and you are a stupid idiot, said nobody"

    reasons = mixture.scores(signals_of(body))["abuse"].reasons()

    assert "idiot" in reasons.words
    assert any("idiot" in body[span.start : span.end] for span in reasons.spans)
    assert all(span.field == "body" for span in reasons.spans)


def test_reasons_need_no_further_reading(mixture: Mixture, counting: Counting) -> None:
    scores = mixture.scores(signals_of("You are a stupid idiot"))

    assert all(score.reasons().words for score in scores.values())
    assert len(counting.asked) == 1


def test_a_picture_is_a_reason_under_its_own_name() -> None:
    read = network.read(DIRECTORY / "abuse-en-network").read("you \U0001f921 there")

    pulls = read.pulls(0)

    assert len(pulls) == len("you \U0001f921 there")
    assert pulls[4] != 0
    assert pulls[3] == 0


def test_only_english_is_read(mixture: Mixture) -> None:
    models = load_models()

    told = [
        models.version("abuse", signals_of(text))
        for text in (
            "It is what the others would have said",
            "Das ist es, was die anderen gesagt hätten, und nicht nur sie",
            "C'est ce que les autres auraient dit, et pas seulement eux",
        )
    ]

    assert told[0] == f"abuse-en {mixture.version}"
    assert told[1] is not None
    assert told[1].startswith("abuse-de ")
    assert told[2] is None


def test_every_probability_is_made_of_both(mixture: Mixture) -> None:
    shares = mixture._shares

    assert all(share.linear >= 0 and share.network >= 0 for share in shares)
    assert np.isfinite([share.offset for share in shares]).all()
