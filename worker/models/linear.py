"""A linear model: adds up the weights of what it finds in a comment."""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from service.domain.verdict import Span
from worker.models.artefact import Artefact
from worker.models.features import Numbers, Word, pull_of_words
from worker.models.markers import phrase_of
from worker.models.material import PREPARING, Material, Part
from worker.models.score import Reasons, Score
from worker.signals.comment import Signals

#: So many words and marks are told as reasons; more explain nothing more.
_REASONS_SHOWN = 5
#: A word that pulls less than this part of the strongest is no reason.
_WORTH_TELLING = 0.15

Row = NDArray[np.float64]

#: How much something moves a sum, what it is called, and its places.
Pull = tuple[float, str, tuple[Span, ...]]


class LinearModel:
    """Gives the scores that its artefact has weights for; `name` tells which model it is."""

    def __init__(self, artefact: Artefact) -> None:
        header = artefact.header
        self.name = f"{header.name}-{header.language}" if header.language else header.name
        self.version = artefact.version
        self.heads = header.heads
        self._prepare = PREPARING[header.name]
        self._bounds = header.shortest, header.longest
        self._weights = artefact.weights
        self._bias = np.array(header.bias)
        self._calibration = header.calibration
        self._markers = {name: np.array(row) for name, row in header.markers.items()}

    def scores(self, signals: Signals) -> dict[str, Score]:
        """Return each score by its name: the highest of all readings of the comment."""
        return self.scores_of(self.materials(signals))

    def scores_of(self, materials: Sequence[Material]) -> dict[str, Score]:
        """Return each score by its name: the highest of these readings."""
        sums = np.array([self.sums(material) for material in materials])
        return {
            head: self._score(number, sums[:, number], materials)
            for number, head in enumerate(self.heads)
        }

    def materials(self, signals: Signals) -> tuple[Material, ...]:
        """Return the readings of a comment, at least one."""
        return tuple(self._prepare(signals, *self._bounds))

    def sums(self, material: Material) -> Row:
        """Return for each head the sum of the weights of what is there."""
        total = self._bias.copy()
        for part in material.parts:
            total += part.features.values @ self._rows(part)
        for marker in material.markers:
            if (row := self._markers.get(marker)) is not None:
                total += row
        return total

    def probability(self, head: int, total: float) -> float:
        """Return what a sum means as a probability, rounded to what can be told apart."""
        scale = self._calibration[head]
        power = max(-30.0, min(30.0, scale.slope * total + scale.offset))
        return round(1 / (1 + math.exp(-power)), 4)

    def _score(self, head: int, sums: Row, materials: Sequence[Material]) -> Score:
        highest = int(np.argmax(sums))
        reasons = partial(self._reasons, materials[highest], head)
        return Score(self.probability(head, float(sums[highest])), reasons)

    def _rows(self, part: Part) -> Numbers:
        rows: Numbers = self._weights[part.features.buckets(len(self._weights))].astype(np.float32)
        return rows

    def pulls(self, part: Part, head: int) -> Numbers:
        """Return how much each feature of a part moves a head's sum."""
        return self._rows(part)[:, head] * part.features.values

    def pulls_of_words(self, part: Part, head: int) -> Row:
        """Return how much each word of a part moves a head's sum; the part must have a view."""
        assert part.view
        return pull_of_words(part.view, part.words, part.features, self.pulls(part, head))

    def _reasons(self, material: Material, head: int) -> Reasons:
        """Return what pulled a head's sum up most, the strongest first."""
        return told(self._pulls(material, head))

    def _pulls(self, material: Material, head: int) -> Iterator[Pull]:
        """Yield how much each word, field and marker pulls, what it is called, and its place."""
        for part in material.parts:
            yield from self._pulls_of(part, head)
        for marker in material.markers:
            row, phrase = self._markers.get(marker), phrase_of(marker)
            if row is not None and phrase:
                yield float(row[head]), phrase, ()

    def _pulls_of(self, part: Part, head: int) -> Iterator[Pull]:
        if part.view is None:
            yield float(self.pulls(part, head).sum()), part.phrase, ()
            return
        by_word = self.pulls_of_words(part, head)
        for pull, word in zip(by_word, part.words, strict=True):
            yield float(pull), *shown(part, word)


def shown(part: Part, word: Word) -> tuple[str, tuple[Span, ...]]:
    """Return a word of a part as people read it, and its place in the comment."""
    view = part.view
    assert view
    start, end = view.place(word.start, word.end)
    span = Span(part.field, start, end, view=view.name)
    return f"“{view.original[start:end]}”", (span,)


def told(found: Iterable[Pull]) -> Reasons:
    """Return as reasons what pulls up most, the strongest first."""
    pulls = sorted(found, key=lambda pull: -pull[0])
    least = pulls[0][0] * _WORTH_TELLING if pulls else 0.0
    named: dict[str, tuple[Span, ...]] = {}
    for pull, word, spans in pulls:
        if pull > max(0.0, least) and (word in named or len(named) < _REASONS_SHOWN):
            named[word] = named.get(word, ()) + spans
    spans = tuple(span for places in named.values() for span in places)
    return Reasons(", ".join(named), spans)
