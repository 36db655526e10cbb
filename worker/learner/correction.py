"""Corrections: what each person's decisions taught, added to what a model says.

Every person has weights of their own, and the pull of each is bounded: so nobody alone,
however much they decide, moves a score further than `PULL_OF_ONE`, and all together not
further than `PULL_OF_ALL`. Both are on the scale of log-odds.
"""

import base64
import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from worker.models.features import Numbers, pull_of_words
from worker.models.linear import Pull, shown, told
from worker.models.markers import phrase_of
from worker.models.material import PREPARING, Material, Part
from worker.models.score import Reasons, Score
from worker.signals.comment import Signals

#: What a learner corrects, in the order of its columns.
HEADS = ("spam", "abuse")

PULL_OF_ONE = 2.0
PULL_OF_ALL = 3.0
#: A smaller pull says nothing: the learner is silent on that comment.
LEAST_PULL = 0.5
#: A model that is nearly sure is taken for no surer than this.
SUREST = 4.0

#: People with weights of their own; all others share one more column.
MOST_PEOPLE = 7
BUCKETS = 1 << 15
_SHORTEST, _LONGEST = 2, 4
_MARKER = np.float32(0.3)
_RATE = np.float32(0.5)
_BIAS_RATE = np.float32(0.1)
#: The form of what is kept. Another number is another form.
_FORMAT = 1

Weights = NDArray[np.float32]
Row = NDArray[np.float64]


class DamagedLearner(Exception):
    """What was kept of a learner cannot be read."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a learner looks at in a comment for one head: the buckets and values of it all."""

    material: Material
    buckets: NDArray[np.intp]
    values: Numbers


def sight_of(head: str, signals: Signals) -> Sight:
    """Return what there is to see in a comment, looked at once."""
    return signals.once(("sight", head), lambda: _seen(head, signals))


class Correction:
    """What a site's people taught: weights by head, person and bucket."""

    def __init__(self, weights: Weights, bias: Weights) -> None:
        self._weights = weights
        self._bias = bias

    @classmethod
    def empty(cls) -> "Correction":
        """Return what knows nothing yet."""
        people = MOST_PEOPLE + 1
        return cls(
            np.zeros((len(HEADS), people, BUCKETS), np.float32),
            np.zeros((len(HEADS), people), np.float32),
        )

    @property
    def hash(self) -> str:
        """What stands for everything that was learned."""
        return sha256(self._packed()).hexdigest()[:8]

    def pull(self, head: str, sight: Sight) -> float:
        """Return how far all people together move that score for the better or worse."""
        pulls = np.clip(self._by_person(HEADS.index(head), sight), -PULL_OF_ONE, PULL_OF_ONE)
        return float(np.clip(pulls.sum(), -PULL_OF_ALL, PULL_OF_ALL))

    def learn(self, head: str, sight: Sight, person: int, prior: float, target: float) -> None:
        """Take one decision in: what a person of that number says, where the model says `prior`.

        Whoever pulls as far as they may in that direction learns no more of it.
        """
        column = HEADS.index(head)
        error = target - _logistic(prior + self.pull(head, sight))
        own = float(self._by_person(column, sight)[person])
        if abs(own) >= PULL_OF_ONE and (own > 0) == (error > 0):
            return
        step = np.float32(error)
        np.add.at(self._weights[column, person], sight.buckets, _RATE * step * sight.values)
        self._bias[column, person] += _BIAS_RATE * step

    def score(self, head: str, prior: float, signals: Signals) -> Score | None:
        """Return the corrected score of a comment; None where the pull says nothing."""
        sight = sight_of(head, signals)
        pull = self.pull(head, sight)
        if abs(pull) < LEAST_PULL:
            return None
        value = round(_logistic(log_odds(prior) + pull), 4)
        direction = math.copysign(1.0, pull)
        return Score(value, partial(self._reasons, HEADS.index(head), sight, direction))

    def dump(self) -> str:
        """Return everything learned as text; no comment and no person is in it."""
        return base64.b64encode(zlib.compress(self._packed(), 6)).decode("ascii")

    @classmethod
    def load(cls, kept: str) -> "Correction":
        """Return what `dump` was called on. Raises DamagedLearner."""
        try:
            file = io.BytesIO(zlib.decompress(base64.b64decode(kept, validate=True)))
            form, weights, bias = (np.load(file, allow_pickle=False) for _ in range(3))
        except (ValueError, OSError, EOFError, zlib.error) as error:
            raise DamagedLearner(f"unreadable: {type(error).__name__}") from error
        wanted = (len(HEADS), MOST_PEOPLE + 1)
        if int(form) != _FORMAT or weights.shape != (*wanted, BUCKETS) or bias.shape != wanted:
            raise DamagedLearner("it is of another form")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise DamagedLearner("it has weights that are no numbers")
        return cls(weights.astype(np.float32), bias.astype(np.float32))

    def _packed(self) -> bytes:
        file = io.BytesIO()
        for array in (np.int64(_FORMAT), self._weights.astype(np.float16), self._bias):
            np.save(file, array, allow_pickle=False)
        return file.getvalue()

    def _by_person(self, column: int, sight: Sight) -> Numbers:
        told: Numbers = self._weights[column][:, sight.buckets] @ sight.values + self._bias[column]
        return told

    def _reasons(self, column: int, sight: Sight, direction: float) -> Reasons:
        """Return what pulled a score most in the direction that it went, the strongest first."""
        return told(self._pulls(column, sight, direction))

    def _pulls(self, column: int, sight: Sight, direction: float) -> Iterator[Pull]:
        # Of those who pull further than they may, only the part that counts is told.
        by_person = self._by_person(column, sight)
        shares = np.clip(by_person, -PULL_OF_ONE, PULL_OF_ONE) / np.where(by_person, by_person, 1)
        weights = shares @ self._weights[column][:, sight.buckets] * direction * sight.values
        start = 0
        for part in sight.material.parts:
            end = start + len(part.features.values)
            yield from _pulls_of(part, weights[start:end])
            start = end
        for marker, pull in zip(sight.material.markers, weights[start:], strict=True):
            if phrase := phrase_of(marker):
                yield float(pull), phrase, ()


def log_odds(probability: float) -> float:
    """Return a model's score on the scale of log-odds, no surer than a learner lets it be."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return max(-SUREST, min(SUREST, math.log(kept / (1 - kept))))


def _logistic(power: float) -> float:
    return 1 / (1 + math.exp(-power))


def _seen(head: str, signals: Signals) -> Sight:
    """Look at the comment as it was written: tricks are for the rules and models to undo."""
    material = next(PREPARING[head](signals, _SHORTEST, _LONGEST))
    buckets = [part.features.buckets(BUCKETS) for part in material.parts]
    values = [part.features.values for part in material.parts]
    marks = [crc32(f"marker {name}".encode()) % BUCKETS for name in material.markers]
    return Sight(
        material,
        np.concatenate([*buckets, np.array(marks, np.uint32)]).astype(np.intp),
        np.concatenate([*values, np.full(len(marks), _MARKER, np.float32)]),
    )


def _pulls_of(part: Part, pulls: Row) -> Iterator[Pull]:
    if part.view is None:
        yield float(pulls.sum()), part.phrase, ()
        return
    by_word = pull_of_words(part.view, part.words, part.features, pulls.astype(np.float32))
    for pull, word in zip(by_word, part.words, strict=True):
        yield float(pull), *shown(part, word)
