"""The watch over live rules: one that holds too much, or that keeps failing, is put aside.

Put aside means that it runs in the shadow: it is counted and decides nothing.
Changing the rule, or publishing the very same ruleset once more, brings it back.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from service.domain.ruleset import Hindrance, RulesetVersion, RuleState
from service.storage import Store, database_now, quality, rulesets

#: The brake watches what people changed within this time, ...
_NEW_HOURS = 24
#: ... and pulls when a rule alone held more than this share of the comments of an
#: hour, if there were so many.
_BRAKE_SHARE = 0.05
_BRAKE_COMMENTS = 100
_BRAKE_WINDOW = timedelta(hours=1)

#: A rule that could not run on more than this share of so many comments is no use.
_FAILURE_SHARE = 0.01
_FAILURE_COMMENTS = 200
_FAILURE_WINDOW = timedelta(days=7)

log = structlog.get_logger(__name__)


class Watch:
    """Looks at what the live ruleset did of late."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self) -> list[RuleState]:
        """Put aside what must be; return what was, each with its reason."""
        with self._store.read() as db:
            live = rulesets.live_version(db)
            if live is None:
                return []
            now = database_now(db)
            found = [*_too_greedy(db, live, now), *_failing(db, live, now)]
            known = {state.rule for state in rulesets.states_of(db, live.number)}
        fresh = [state for state in found if state.rule not in known]
        return [state for state in fresh if self._put_aside(live, state)]

    def _put_aside(self, live: RulesetVersion, state: RuleState) -> bool:
        with self._store.write() as db:
            if rulesets.live_version(db) != live or not rulesets.add_state(db, live.number, state):
                return False
        log.error("rule put into the shadow", rule=state.rule, state=state.state, why=state.why)
        return True


def _too_greedy(db: Connection, live: RulesetVersion, now: datetime) -> Iterator[RuleState]:
    for rule, changed_at in _watched(db, live, now).items():
        since = max(changed_at, now - _BRAKE_WINDOW)
        comments = quality.judged_between(db, since, now)
        if comments < _BRAKE_COMMENTS:
            continue
        alone = quality.decisive_counts(db, since).get(rule, 0)
        if alone > _BRAKE_SHARE * comments:
            why = f"Held {alone} of {comments} comments within an hour by itself"
            yield RuleState(rule, Hindrance.BRAKED, why, now)


def _watched(db: Connection, live: RulesetVersion, now: datetime) -> dict[str, datetime]:
    """Return the live rules that people changed of late, and when they did.

    Whoever publishes the same once more has seen what a rule does and wants it
    so: what was changed before that is not watched any more.
    """
    changed_at: dict[str, datetime] = {}
    for version in rulesets.versions_since(db, now - timedelta(hours=_NEW_HOURS)):
        if version.is_shipped or version.confirms:
            break
        for rule in version.changed:
            changed_at.setdefault(rule, version.published_at)
    live_rules = {rule.id for rule in rulesets.outline_of(db, live.hash) if rule.mode == "live"}
    return {rule: time for rule, time in changed_at.items() if rule in live_rules}


def _failing(db: Connection, live: RulesetVersion, now: datetime) -> Iterator[RuleState]:
    since = max(live.published_at, now - _FAILURE_WINDOW)
    failures = quality.failure_counts(db, since)
    ours = [rule.id for rule in rulesets.outline_of(db, live.hash) if failures.get(rule.id)]
    comments = quality.judged_between(db, since, now) if ours else 0
    if comments < _FAILURE_COMMENTS:
        return
    for rule in ours:
        if failures[rule] > _FAILURE_SHARE * comments:
            why = f"Could not run on {failures[rule]} of {comments} comments"
            yield RuleState(rule, Hindrance.SWITCHED_OFF, why, now)
