"""Site learners as people handle them: seen, switched on and off, reset."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.domain.decision import Moderator
from service.domain.errors import LearnerNotProven, SiteNotFound
from service.domain.learner import LearnerState, SiteLearner
from service.domain.site import Site
from service.storage import Store, learners
from service.storage.learners import LearnerVersion
from service.storage.sites import list_sites, site_by_slug

_VERSIONS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class LearnerOfSite:
    """A site with its learner as it stands, and what it was before, newest first."""

    site: Site
    learner: SiteLearner
    versions: list[LearnerVersion]


class Learners:
    """What people see of learners, and change about them."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def all_of(self, moderator: Moderator) -> list[LearnerOfSite]:
        """Return the learners of the sites that a person reviews, by slug."""
        with self._store.read() as db:
            return [
                LearnerOfSite(
                    site,
                    learners.learner_of(db, site.id),
                    learners.versions_of(db, site.id, _VERSIONS_SHOWN),
                )
                for site in list_sites(db)
                if moderator.reviews(site.id)
            ]

    def switch(self, slug: str, *, on: bool, moderator: Moderator) -> SiteLearner:
        """Let rules hear a learner that is proven, or no more; return how it stands.

        Raises SiteNotFound, or LearnerNotProven with what keeps it from being on.
        """
        with self._store.write() as db:
            site = _site(db, slug, moderator)
            learners.lock(db, site.id)
            found = learners.learner_of(db, site.id)
            if on and found.state not in (LearnerState.PROVEN, LearnerState.ON):
                raise LearnerNotProven(found.figures.obstacle or "It was not compared yet.")
            if on is not (found.state is LearnerState.ON):
                state = LearnerState.ON if on else found.figures.state
                learners.switch(db, site.id, state, moderator.actor, self._clock())
            return learners.learner_of(db, site.id)

    def let_by_itself(self, slug: str, *, by_itself: bool, moderator: Moderator) -> SiteLearner:
        """Say whether a learner may switch itself on once proven. Raises SiteNotFound."""
        with self._store.write() as db:
            site = _site(db, slug, moderator)
            learners.let_by_itself(db, site.id, by_itself, moderator.actor, self._clock())
            return learners.learner_of(db, site.id)

    def reset(self, slug: str, *, moderator: Moderator) -> SiteLearner:
        """Let a learner forget everything. Raises SiteNotFound."""
        with self._store.write() as db:
            site = _site(db, slug, moderator)
            learners.reset(db, site.id, moderator.actor, self._clock())
            return learners.learner_of(db, site.id)


def _site(db: Connection, slug: str, moderator: Moderator) -> Site:
    site = site_by_slug(db, slug)
    if site is None or not moderator.reviews(site.id):
        raise SiteNotFound(slug)
    return site
