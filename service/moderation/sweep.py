"""The sweep: finds comments whose job was lost and gives them a new one.

Recovery is the normal path run again. Whatever happened to a job, its comment
is still pending in the record, and that is all the sweep looks at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.domain.comment import CommentId
from service.jobs import ALONE_FROM, JOB_SIZE, JobQueue
from service.moderation.turns import turn
from service.storage import Store, database_now, judging, upkeep
from service.storage.upkeep import Overdue

#: After this many attempts a person looks at the comment instead.
_MOST_ATTEMPTS = 5
#: Comments in one sweep: a minute's work for a slow worker, and the next sweep
#: goes on where this one ended.
_MOST_COMMENTS = 64 * JOB_SIZE
_LEASE_SECONDS = 60

Put = Callable[[Sequence[CommentId]], list[CommentId]]


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How many comments got a shared job, one of their own, or were given up and held.

    `skipped` says why nothing was looked at; None if something was.
    """

    requeued: int = 0
    alone: int = 0
    given_up: int = 0
    skipped: str | None = None


class Sweep:
    """Gives overdue comments new jobs, one process at a time."""

    def __init__(self, store: Store, jobs: JobQueue, *, overdue_seconds: float) -> None:
        self._store = store
        self._jobs = jobs
        self._overdue_seconds = overdue_seconds

    def run(self) -> SweepResult:
        """Sweep once.

        Holds back while jobs wait: a comment is not lost because others are
        before it. While the job queue is away nothing is done or counted.
        """
        waiting = self._jobs.backlog()
        if waiting is None:
            return SweepResult(skipped="the job queue is away")
        if waiting:
            return SweepResult(skipped=f"{waiting} jobs wait already")
        if not self._overdue(limit=1):
            return SweepResult()
        with turn(self._store, "sweep", _LEASE_SECONDS) as ours:
            return self._swept() if ours else SweepResult(skipped="another sweep is at work")

    def _overdue(self, limit: int) -> list[Overdue]:
        with self._store.read() as db:
            return upkeep.overdue_comments(db, self._overdue_seconds, limit)

    def _swept(self) -> SweepResult:
        # Looked up again: another sweep may have ended between the look and the turn.
        overdue = self._overdue(_MOST_COMMENTS)
        lost = [comment.id for comment in overdue if comment.attempts >= _MOST_ATTEMPTS]
        return SweepResult(
            requeued=self._requeue(_due(overdue, 1, ALONE_FROM), self._put_together),
            alone=self._requeue(_due(overdue, ALONE_FROM, _MOST_ATTEMPTS + 1), self._put_alone),
            given_up=self._give_up(lost),
        )

    def _requeue(self, ids: Sequence[CommentId], put: Put) -> int:
        """Queue first, count after: an attempt that never was is never counted."""
        requeued = 0
        for start in range(0, len(ids), JOB_SIZE):
            queued = put(ids[start : start + JOB_SIZE])
            if not queued:
                break
            with self._store.write() as db:
                upkeep.count_attempts(db, queued)
            requeued += len(queued)
        return requeued

    def _put_together(self, ids: Sequence[CommentId]) -> list[CommentId]:
        return list(ids) if self._jobs.moderate(ids) else []

    def _put_alone(self, ids: Sequence[CommentId]) -> list[CommentId]:
        return [comment_id for comment_id in ids if self._jobs.moderate_alone(comment_id)]

    def _give_up(self, ids: Sequence[CommentId]) -> int:
        if not ids:
            return 0
        with self._store.write() as db:
            return len(judging.hold_unjudgeable(db, ids, database_now(db)))


def _due(overdue: Sequence[Overdue], first: int, end: int) -> list[CommentId]:
    """Return the comments whose coming attempt is at least `first` and before `end`."""
    return [comment.id for comment in overdue if first <= comment.attempts + 1 < end]
