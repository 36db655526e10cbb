"""Learning: a site's learner is worked out anew from the decisions that stand."""

import structlog

from service.domain.comment import SiteId
from service.domain.learner import SiteLearner
from service.moderation.turns import turn
from service.storage import Store, database_now, learners
from worker.learner.lessons import lesson_of
from worker.learner.teaching import taught
from worker.models.score import Scorer
from worker.rulesets import LiveRules

#: The newest decisions that a learner learns from; older ones tell of another time.
MOST_LESSONS = 3_000
_LEASE_SECONDS = 600

log = structlog.get_logger(__name__)


def learn(store: Store, site_id: SiteId, models: Scorer, rules: LiveRules) -> SiteLearner | None:
    """Let a site's learner learn if anything was decided there since; None if nothing was.

    Raises StoreUnavailable while the database is away.
    """
    with turn(store, f"learner {site_id}", _LEASE_SECONDS) as ours:
        return _learned(store, site_id, models, rules) if ours else None


def _learned(store: Store, site_id: SiteId, models: Scorer, rules: LiveRules) -> SiteLearner | None:
    with store.read() as db:
        due = next(iter(learners.due(db, learners.newest_event(db), site_id)), None)
        live = rules.current(db)
    if due is None:
        return None
    found = learners.taught(store, site_id, due.since_event, MOST_LESSONS)
    teaching = taught(map(lesson_of, found), models, live.ruleset)
    correction = teaching.correction
    with store.write() as db:
        learner = learners.keep(
            db, due, correction.hash, correction.dump(), teaching.figures, database_now(db)
        )
    log.info("site learner learned", site=site_id, version=learner.hash, state=learner.state)
    return learner
