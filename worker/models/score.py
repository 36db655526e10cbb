"""Scores: what a model says of a comment, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from service.domain.verdict import Span

if TYPE_CHECKING:
    from worker.signals.comment import Signals

#: Every score that rules can ask for, and the model's name that stands before the dot.
NAMES = ("spam", "abuse", "abuse.hate", "abuse.threat", "abuse.insult", "abuse.sexual")
MODELS = tuple(dict.fromkeys(name.partition(".")[0] for name in NAMES))

#: What the learner of a site makes of the models' scores, where one is on.
SITE_NAMES = ("site.spam", "site.abuse")


@dataclass(frozen=True, slots=True)
class Reasons:
    """What moved a score up most: in words for people, and the places in the comment."""

    words: str = ""
    spans: tuple[Span, ...] = ()


def no_reasons() -> Reasons:
    """Return the reasons of a score that was given from outside."""
    return Reasons()


@dataclass(frozen=True, slots=True)
class Score:
    """A probability from 0 to 1; `reasons` are worked out only when somebody asks."""

    value: float
    reasons: Callable[[], Reasons] = no_reasons


class Scorer(Protocol):
    """Whoever gives scores: the models of this process, or none."""

    def score(self, name: str, signals: "Signals") -> Score | None:
        """Return a score by its name; None where no model speaks. Raises what a model raises."""

    def version(self, model: str, signals: "Signals") -> str | None:
        """Return which model gives the scores that begin so; None where none speaks."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What is loaded (`models`) and what could not be (`models_failed`); or nothing."""


class NoModels:
    """Says nothing about any comment."""

    facts: Mapping[str, str] = {}

    def score(self, name: str, signals: "Signals") -> Score | None:
        """Return None."""
        return None

    def version(self, model: str, signals: "Signals") -> str | None:
        """Return None."""
        return None


NO_MODELS = NoModels()
