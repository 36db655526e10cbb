"""Fairness: is a model harder on some people than on others? Measured, never learned from."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from worker.models.score import Score
from worker.signals.comment import Signals
from worker.training.corpora import Row
from worker.training.matrix import signals_of


class Judging(Protocol):
    """A model; the first of its `heads` is what comments are held for."""

    heads: tuple[str, ...]

    def scores(self, signals: Signals) -> Mapping[str, Score]:
        """Return each score by its name."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How a model does on the pairs of one identity, at the threshold where it holds."""

    identity: str
    pairs: int
    held_wrongly: float
    held_rightly: float
    ranked_rightly: float


def gaps(model: Judging, language: str, threshold: float, pairs: Path) -> list[Gap]:
    """Return the figures of each identity, and of all under the name “all”.

    `pairs` is a csv file with the columns identity, lang, publish_text and hold_text.
    """
    with pairs.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["lang"] == language]
    scored: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        both = tuple(_score(model, row[f"{kind}_text"], language) for kind in ("publish", "hold"))
        for identity in (row["identity"], "all"):
            scored.setdefault(identity, []).append((both[0], both[1]))
    return [_gap(identity, found, threshold) for identity, found in sorted(scored.items())]


def widest(found: Sequence[Gap]) -> float:
    """Return how far the shares held wrongly lie apart between identities."""
    shares = [gap.held_wrongly for gap in found if gap.identity not in ("all", "")]
    return max(shares, default=0.0) - min(shares, default=0.0)


def _score(model: Judging, text: str, language: str) -> float:
    row = Row(text, positive=False, source="", language=language)
    return model.scores(signals_of(row))[model.heads[0]].value


def _gap(identity: str, scored: Sequence[tuple[float, float]], threshold: float) -> Gap:
    number = len(scored)
    return Gap(
        identity=identity,
        pairs=number,
        held_wrongly=sum(publish > threshold for publish, _ in scored) / number,
        held_rightly=sum(hold > threshold for _, hold in scored) / number,
        ranked_rightly=sum(hold > publish for publish, hold in scored) / number,
    )
