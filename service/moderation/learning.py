"""Learning: sites on which something was decided have their learner learn from it."""

from service.jobs import JobQueue
from service.moderation.turns import turn
from service.storage import Store, learners

_LEASE_SECONDS = 60


class Learning:
    """Has learners learn, one process at a time."""

    def __init__(self, store: Store, jobs: JobQueue) -> None:
        self._store = store
        self._jobs = jobs

    def run(self) -> int:
        """Queue the learning of every site that has something new; return how many there are."""
        with turn(self._store, "learning", _LEASE_SECONDS) as ours:
            return self._queued() if ours else 0

    def _queued(self) -> int:
        with self._store.read() as db:
            newest = learners.newest_event(db)
            found = [due.site_id for due in learners.due(db, newest)]
        with self._store.write() as db:
            learners.note_looked(db, found, newest)
        if found and not self._jobs.learn(found):
            return 0
        return len(found)
