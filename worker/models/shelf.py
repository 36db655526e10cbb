"""The shelf: all models of this process, and which of them speaks on a comment."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog

import worker
from worker.models.score import Score, Scorer
from worker.signals.comment import Signals

if TYPE_CHECKING:
    from worker.models.linear import LinearModel

DIRECTORY = Path(worker.__file__).parent / "models" / "shipped"

#: The models that ship, by directory: a name, and a language if it speaks only one.
SHIPPED = ("spam", "abuse-en", "abuse-de", "abuse-ko")

#: The networks that ship, by the linear model that each is mixed with.
NETWORKS = {"abuse-en": "abuse-en-network"}

_FOREIGN_LETTER = re.compile(r"(?![a-z])[^\W\d_]")

log = structlog.get_logger(__name__)


class ModelFailed(Exception):
    """A model could not judge a comment; the message names it and the kind of error."""


class Model(Protocol):
    """Gives scores by their names."""

    version: str

    def scores(self, signals: Signals) -> Mapping[str, Score]:
        """Return every score that the model has for a comment."""


class Shelf:
    """The models that could be loaded, and why the others could not."""

    def __init__(self, models: Mapping[str, Model], failed: Mapping[str, str]) -> None:
        self._models = models
        self.failed = failed

    def score(self, name: str, signals: Signals) -> Score | None:
        """Return a score by its name; None where no model speaks.

        Raises ModelFailed.
        """
        speaker = self._speaker(name.partition(".")[0], signals)
        return self._scores(speaker, signals).get(name) if speaker else None

    def version(self, model: str, signals: Signals) -> str | None:
        """Return who gives the scores that begin so, and of which version."""
        speaker = self._speaker(model, signals)
        return f"{speaker} {self._models[speaker].version}" if speaker else None

    @property
    def facts(self) -> Mapping[str, str]:
        """The loaded models with their versions, and those that could not be, with the cause."""
        loaded = (f"{name}: {model.version}" for name, model in self._models.items())
        failed = (f"{name}: {why}" for name, why in self.failed.items())
        return {"models": "; ".join(loaded), "models_failed": "; ".join(failed)}

    def _speaker(self, model: str, signals: Signals) -> str | None:
        """Return the model of that name which knows the comment's language."""
        if model in self._models:
            return model
        own = f"{model}-{_language(signals)}"
        return own if own in self._models else None

    def _scores(self, name: str, signals: Signals) -> Mapping[str, Score]:
        """Return a model's scores, worked out once; a failure is not tried again either."""
        model = self._models[name]
        outcome = signals.once(("scores", name), lambda: _attempt(model, signals))
        if isinstance(outcome, Exception):
            raise ModelFailed(f"{name}: {type(outcome).__name__}") from outcome
        return outcome


def load_models(directory: Path = DIRECTORY, names: tuple[str, ...] = SHIPPED) -> Scorer:
    """Return the models in a directory; what is missing or damaged is told, not raised."""
    try:
        # Here, so that a worker without numpy goes on without models.
        from worker.models.artefact import DamagedArtefact, read
        from worker.models.linear import LinearModel
    except ImportError as error:
        log.error("no models, rules alone judge", error=str(error))
        return Shelf({}, dict.fromkeys(names, "numpy cannot be loaded"))
    models: dict[str, Model] = {}
    failed: dict[str, str] = {}
    for name in names:
        try:
            models[name] = linear = LinearModel(read(directory / name))
        except DamagedArtefact as error:
            log.error("model not loaded", model=name, error=str(error))
            failed[name] = str(error)
            continue
        if network := NETWORKS.get(name):
            try:
                models[name] = _mixed(linear, directory / network)
            except DamagedArtefact as error:
                log.error("the linear model alone judges", model=name, error=str(error))
                failed[network] = str(error)
    return Shelf(models, failed)


def _mixed(linear: "LinearModel", directory: Path) -> Model:
    """Return a linear model mixed with the network in a directory; raises DamagedArtefact."""
    from worker.models.artefact import DamagedArtefact

    try:
        from worker.models.mixture import Mixture
        from worker.models.network import read
    except ImportError as error:
        raise DamagedArtefact(f"{error.name} cannot be loaded") from error
    return Mixture(linear, read(directory))


@cache
def shipped_models() -> Scorer:
    """Return the models that ship, loaded once a process."""
    return load_models()


def _language(signals: Signals) -> str | None:
    """Return the language of the text; English for a few words whose language is not clear.

    Short insults are mostly such. Measured on development rows: of texts in German,
    French, Italian and Spanish some 5 % are taken for English so, and none of those
    gets a score over 0.8.
    """
    if signals.language or _FOREIGN_LETTER.search(signals.views("text")[0].text):
        return signals.language
    return "en"


def _attempt(model: Model, signals: Signals) -> Mapping[str, Score] | Exception:
    try:
        return model.scores(signals)
    except Exception as error:  # raised again for every rule that asks
        return error
