"""The learners that are on in one worker process, as rules hear them beside the models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from service.domain.comment import SiteId
from service.storage import learners
from worker.models.score import SITE_NAMES, Score, Scorer
from worker.signals.comment import Signals

if TYPE_CHECKING:
    from worker.learner.correction import Correction

_SITE = SITE_NAMES[0].partition(".")[0]

log = structlog.get_logger(__name__)


class WithLearners:
    """Gives what the models say, and what the learner of a comment's site makes of it."""

    def __init__(
        self, models: Scorer, corrections: "Mapping[SiteId, tuple[str, Correction]]"
    ) -> None:
        self._models = models
        self._corrections = corrections

    def score(self, name: str, signals: Signals) -> Score | None:
        """Return a score by its name; None where no model speaks, or the learner adds nothing."""
        if name not in SITE_NAMES:
            return self._models.score(name, signals)
        return signals.once(("site score", name), lambda: self._corrected(name, signals))

    def version(self, model: str, signals: Signals) -> str | None:
        """Return who gives the scores that begin so, and of which version."""
        if model != _SITE:
            return self._models.version(model, signals)
        found = self._corrections.get(signals.comment.site_id)
        return f"{signals.comment.site_slug or 'site'} {found[0]}" if found else None

    @property
    def facts(self) -> Mapping[str, str]:
        """What is loaded and what could not be."""
        return self._models.facts

    def _corrected(self, name: str, signals: Signals) -> Score | None:
        found = self._corrections.get(signals.comment.site_id)
        if found is None:
            return None
        head = name.partition(".")[2]
        prior = self._models.score(head, signals)
        return None if prior is None else found[1].score(head, prior.value, signals)


class LiveLearners:
    """Follows which learners are on; one that cannot be loaded is absent and told once."""

    def __init__(self) -> None:
        self._corrections: dict[SiteId, tuple[str, Correction]] = {}
        self._failed: dict[SiteId, str] = {}

    def refresh(self, db: Connection) -> None:
        """Load what was switched on or learned since; one small query if nothing was."""
        wanted = learners.speaking(db)
        for site_id in self._corrections.keys() - wanted.keys():
            del self._corrections[site_id]
        for site_id, version in wanted.items():
            known = self._corrections.get(site_id)
            if (known is None or known[0] != version) and self._failed.get(site_id) != version:
                self._load(db, site_id, version)

    def beside(self, models: Scorer) -> Scorer:
        """Return the models together with the learners that are on now."""
        return WithLearners(models, self._corrections) if self._corrections else models

    def _load(self, db: Connection, site_id: SiteId, version: str) -> None:
        # Until the new one is there, none: what was learned of an erased comment must not stay.
        self._corrections.pop(site_id, None)
        try:
            # Here, so that a worker without numpy goes on without learners.
            from worker.learner.correction import Correction

            correction = Correction.load(learners.weights_of(db, site_id) or "")
        except Exception as error:  # whatever is wrong with it, the models go on without
            log.error("site learner not loaded", site=site_id, error=str(error))
            self._failed[site_id] = version
            return
        self._failed.pop(site_id, None)
        self._corrections[site_id] = version, correction
        log.info("site learner loaded", site=site_id, version=version)
