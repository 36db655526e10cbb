"""Calling likely spam by its name once it waited long enough, if a person switched that on.

Only the lane of likely spam is ever touched, and each event names the switch
and whoever turned it. Everything can be put back.
"""

from datetime import datetime, timedelta

from service.domain.decision import Decision
from service.domain.lane import Lane
from service.moderation import deciding
from service.moderation.turns import turn
from service.storage import Store, database_now, switches
from service.storage.reviewing import ReviewFilter, matching_ids

SWITCH = "likely_spam_days"
_LEASE_SECONDS = 60


class LikelySpam:
    """Empties the lane of likely spam, one process at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self) -> int:
        """Mark what waited longer than the switch says; return how many, 0 while it is off."""
        with self._store.read() as db:
            switch = switches.switch(db, SWITCH)
        if switch is None or not switch.value:
            return 0
        with turn(self._store, "likely spam", _LEASE_SECONDS) as ours:
            return self._marked(switch) if ours else 0

    def _marked(self, switch: switches.Switch) -> int:
        with self._store.write() as db:
            now: datetime = database_now(db)
            before = now - timedelta(days=switch.value)
            wanted = ReviewFilter(lane=Lane.LIKELY_SPAM, created_before=before)
            ids = matching_ids(db, wanted, limit=deciding.MAX_BATCH)
            login = switch.actor.partition(":")[2]
            note = f"Likely spam for {switch.value} days, as {login} switched on ({SWITCH})"
            said = deciding.Said(Decision.SPAM, f"switch:{login}", now, note=note)
            return len(deciding.decide_many(db, ids, said).decided)
