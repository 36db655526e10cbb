"""Models: their files, what they look at, what they say and why."""

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.domain.comment import Author, Status
from service.domain.verdict import ENGINE
from tests.support.judging import NOON, a_comment
from tests.support.processes import ROOT
from tests.support.rulesets import ruleset_when
from worker.context import Context
from worker.engine import judge, replay
from worker.models import features
from worker.models.artefact import (
    HEADER,
    SUMS,
    WEIGHTS,
    Calibration,
    DamagedArtefact,
    Header,
    read,
    write,
)
from worker.models.features import features_of, words_of
from worker.models.linear import LinearModel
from worker.models.score import NO_MODELS, Score
from worker.models.shelf import NETWORKS, SHIPPED, Shelf, load_models, shipped_models
from worker.ruleset import Ruleset
from worker.signals.comment import Signals
from worker.signals.text import plain

BUCKETS = 1 << 12


def header(name: str = "abuse", **changes: Any) -> Header:
    """Return the header of a made-up model with one head."""
    given: dict[str, Any] = {
        "name": name,
        "language": "en" if name == "abuse" else "",
        "features": features.VERSION,
        "shortest": 3,
        "longest": 4,
        "heads": (name,),
        "bias": (-1.0,),
        "calibration": (Calibration(4.0, 0.0),),
        "markers": {},
    }
    return Header(**(given | changes))


def weights_for(*words: str) -> np.ndarray[Any, np.dtype[np.float16]]:
    """Return weights that know these words and nothing else."""
    weights = np.zeros((BUCKETS, 1), np.float16)
    for word in words:
        view = plain(word)
        found = features_of(view.text, words_of(view), 3, 4)
        weights[found.buckets(BUCKETS)[0], 0] = 8.0  # the word itself comes first
    return weights


@pytest.fixture
def zebra(tmp_path: Path) -> LinearModel:
    """A model for which zebras are abuse."""
    return LinearModel(write(tmp_path / "abuse-en", header(), weights_for("zebra")))


def signals_of(body: str, **fields: Any) -> Signals:
    return Signals(a_comment(body, **fields), Context(at=NOON))


# --- files -------------------------------------------------------------------------


def test_what_is_written_is_read_again_and_cannot_be_changed(tmp_path: Path) -> None:
    weights = weights_for("zebra")

    written = write(tmp_path, header(markers={"url": (0.5,)}), weights)
    again = read(tmp_path)

    assert again.header == header(markers={"url": (0.5,)})
    assert again.version == written.version
    assert np.array_equal(again.weights, weights)
    assert isinstance(again.weights, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        again.weights[0, 0] = 1


def test_the_version_stands_for_all_of_the_content(tmp_path: Path) -> None:
    versions = {
        write(tmp_path, head, weights).version
        for head in (header(), header(bias=(-2.0,)))
        for weights in (weights_for("zebra"), weights_for("giraffe"))
    }

    assert len(versions) == 4


def _lose(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def _flip(name: str) -> Callable[[Path], object]:
    def flip(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[-2] ^= 1
        (folder / name).write_bytes(content)

    return flip


def _truncate(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def _sign_again(change: Callable[[Path], object]) -> Callable[[Path], object]:
    """Make a change that the checksums agree with."""

    def changed(folder: Path) -> None:
        change(folder)
        sums = (
            f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
            for name in (HEADER, WEIGHTS)
        )
        (folder / SUMS).write_text("".join(sums))

    return changed


def _head(**changes: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        values = json.loads((folder / HEADER).read_text())
        (folder / HEADER).write_text(json.dumps(values | changes))

    return _sign_again(change)


def _pickled(folder: Path) -> None:
    np.save(folder / WEIGHTS, np.array([{"a": 1}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_lose(HEADER), id="no header"),
        pytest.param(_lose(WEIGHTS), id="no weights"),
        pytest.param(_lose(SUMS), id="no checksums"),
        pytest.param(_flip(HEADER), id="header changed"),
        pytest.param(_flip(WEIGHTS), id="weights changed"),
        pytest.param(_truncate, id="half of the weights"),
        pytest.param(_sign_again(_truncate), id="half of the weights, signed"),
        pytest.param(_sign_again(_pickled), id="pickled objects"),
        pytest.param(_head(format=2), id="another form"),
        pytest.param(_head(features=features.VERSION + 1), id="other features"),
        pytest.param(_head(heads=["abuse", "more"]), id="more heads than columns"),
        pytest.param(_head(name="weather"), id="a model of nothing known"),
        pytest.param(_head(surplus=1), id="unknown member"),
    ],
)
def test_damage_is_noticed_and_the_model_is_done_without(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    folder = tmp_path / "abuse-en"
    write(folder, header(), weights_for("zebra"))
    damage(folder)

    with pytest.raises(DamagedArtefact):
        read(folder)
    facts = load_models(tmp_path, ("abuse-en",)).facts
    assert facts["models"] == ""
    assert facts["models_failed"].startswith("abuse-en: ")


def test_without_numpy_rules_go_on_without_models() -> None:
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "import worker.runtime\n"
        "from worker.models.shelf import load_models\n"
        "print(load_models().facts)"
    )

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "spam: numpy cannot be loaded" in told.stdout


def test_every_model_that_ships_is_whole_and_together_they_are_small() -> None:
    folder = ROOT / "worker" / "models" / "shipped"

    facts = shipped_models().facts

    assert facts["models_failed"] == ""
    assert [each.partition(": ")[0] for each in facts["models"].split("; ")] == list(SHIPPED)
    sizes = {file: file.stat().st_size for file in folder.rglob("*.*")}
    assert sum(sizes.values()) < 30_000_000
    assert max(sizes.values()) < 20_000_000
    assert {path.name for path in folder.iterdir()} == {*SHIPPED, *NETWORKS.values(), "NOTICE"}
    assert all((folder / name / "CARD.md").exists() for name in (*SHIPPED, *NETWORKS.values()))


# --- features ----------------------------------------------------------------------


def test_features_are_the_same_on_every_machine() -> None:
    view = plain("Ein Zebra")

    found = features_of(view.text, words_of(view), 3, 3)

    assert found.hashes[:3].tolist() == FROZEN
    assert len(found.hashes) == 3 + len(" ein zebra ") - 2


FROZEN = [2100579455, 3240735300, 1336616272]


def test_each_feature_knows_its_place() -> None:
    view = plain("one two")
    found = features_of(view.text, words_of(view), 3, 3)

    places = {view.text[start:end] for start, end in zip(found.starts, found.ends, strict=True)}

    assert {"one", "two", "one two", "ne ", "e t", "on", "wo"} <= places


def test_fields_share_no_features() -> None:
    view = plain("zebra")
    own, other = (
        set(features_of(view.text, words_of(view), 3, 4, salt).hashes.tolist()) for salt in (0, 101)
    )

    assert not own & other


@pytest.mark.parametrize("text", ["", " ", "\ud800", "a", "\U0001f600", "x" * 70_000])
def test_no_text_is_too_odd(text: str, zebra: LinearModel) -> None:
    assert 0 <= zebra.scores(signals_of(text))["abuse"].value <= 1


# --- scores and reasons ------------------------------------------------------------


def test_known_words_raise_the_score(zebra: LinearModel) -> None:
    calm = zebra.scores(signals_of("What a calm day it is"))["abuse"].value
    loud = zebra.scores(signals_of("What a zebra it is"))["abuse"].value

    assert calm < 0.1 < 0.9 < loud


@pytest.mark.parametrize("hidden", ["z e b r a", "z.e.b.r.a", "z\u200bebra", "zebrа", "z3bra"])
def test_words_in_disguise_are_scored_as_what_they_are(hidden: str, zebra: LinearModel) -> None:
    score = zebra.scores(signals_of(f"What a {hidden} it is"))["abuse"]

    assert score.value > 0.9


def test_reasons_name_the_words_and_their_places(zebra: LinearModel) -> None:
    body = "Oh! What a ZÉBRA it is"

    reasons = zebra.scores(signals_of(body))["abuse"].reasons()

    assert reasons.words == "“ZÉBRA”"
    [span] = reasons.spans
    assert (span.field, body[span.start : span.end]) == ("body", "ZÉBRA")


def test_reasons_name_what_is_no_word(tmp_path: Path) -> None:
    spam = header("spam", markers={"url": (2.0,), "length:0": (9.0,)})
    model = LinearModel(write(tmp_path, spam, np.zeros((BUCKETS, 1), np.float16)))
    author = Author(name="Ann", url="http://example.com")

    score = model.scores(signals_of("Hello", author=author))["spam"]

    assert score.reasons().words == "the author's website"
    assert score.reasons().spans == ()


# --- rules and models --------------------------------------------------------------


class Broken:
    """A model that cannot judge."""

    version = "0"

    def scores(self, signals: Signals) -> dict[str, Score]:
        """Raise."""
        raise ZeroDivisionError("secret words of the comment")


def learned() -> Ruleset:
    """Return a ruleset that believes the abuse model alone."""
    return ruleset_when("{ score: { of: abuse, over: 90% } }")


def test_a_verdict_tells_model_version_score_and_words(zebra: LinearModel) -> None:
    shelf = Shelf({"abuse-en": zebra}, {})
    comment = a_comment("It is what the zebra would have said to the others")

    verdict = judge(comment, learned(), Context(at=NOON, models=shelf))

    [hit] = verdict.hits
    assert verdict.status is Status.HELD
    assert "“zebra”" in hit.why
    assert comment.body[hit.spans[0].start : hit.spans[0].end] == "zebra"
    assert verdict.signals["model.abuse"] == f"abuse-en {zebra.version}"
    assert verdict.signals["score.abuse"] > 0.9
    assert "score.spam" in verdict.absent


def test_no_model_for_a_language_is_no_score(zebra: LinearModel) -> None:
    shelf = Shelf({"abuse-en": zebra}, {})
    comment = a_comment("Das ist das Zebra, und es ist nicht so wie die anderen")

    verdict = judge(comment, learned(), Context(at=NOON, models=shelf))

    assert verdict.status is Status.APPROVED
    assert {"model.abuse", "score.abuse"} <= set(verdict.absent)


def test_a_model_that_raises_holds_as_a_broken_rule_does() -> None:
    shelf = Shelf({"abuse-en": Broken()}, {})

    verdict = judge(a_comment("This is what it is"), learned(), Context(at=NOON, models=shelf))

    assert verdict.status is Status.HELD
    assert [(hit.category, hit.why) for hit in verdict.hits] == [(ENGINE, "Rule it could not run")]
    assert "secret" not in str(verdict.as_dict())
    assert "score.abuse" in verdict.absent


def test_a_score_from_outside_wins(zebra: LinearModel) -> None:
    shelf = Shelf({"abuse-en": zebra}, {})
    context = Context(at=NOON, models=shelf, scores={"abuse": 0.2})

    assert judge(a_comment("It is the zebra"), learned(), context).status is Status.APPROVED


def test_a_replay_asks_the_models_and_without_them_believes_the_record(zebra: LinearModel) -> None:
    comment = a_comment("It is what the zebra would have said to the others")
    kept = {"author.approved": 0, "score.abuse": 0.99}
    shelf = Shelf({"abuse-en": zebra}, {})

    believed = replay(a_comment("It is what it is"), learned(), kept, ())
    asked = replay(a_comment("It is what it is"), learned(), kept, (), shelf)
    found = replay(comment, learned(), {"author.approved": 0}, (), shelf)

    held = [getattr(each, "status", None) is Status.HELD for each in (believed, asked, found)]
    assert held == [True, False, True]
    assert NO_MODELS.facts == {}


def test_a_few_plain_words_are_taken_for_english(zebra: LinearModel) -> None:
    shelf = Shelf({"abuse-en": zebra}, {})

    told = [shelf.version("abuse", signals_of(text)) for text in ("zebra!", "зебра!", "日本")]

    assert told == [f"abuse-en {zebra.version}", None, None]
