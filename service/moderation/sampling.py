"""The daily sample: approvals that nobody looked at are put before people.

Without it nothing would be known of how well a rule in the shadow would do, or
of what the rules let through.
"""

from datetime import timedelta

from service.moderation.turns import turn
from service.settings import Settings
from service.storage import Store, database_now, samples

_DAY = timedelta(days=1)
_LEASE_SECONDS = 60


class Sampling:
    """Chooses comments at random, so many within any 24 hours, one process at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def run(self) -> int:
        """Choose what is missing from the last day's sample; return how many."""
        with turn(self._store, "sample", _LEASE_SECONDS) as ours:
            return self._chosen() if ours else 0

    def _chosen(self) -> int:
        with self._store.write() as db:
            now = database_now(db)
            return samples.add_samples(
                db,
                now,
                now - _DAY,
                per_rule=self._settings.sample_per_rule,
                approved=self._settings.sample_approved,
            )
