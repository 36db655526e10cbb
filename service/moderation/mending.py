"""Mending: what was held only because something broke is judged again once it may work."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.domain.comment import Comment, CommentId, Status
from service.domain.decision import EventKind
from service.jobs import ALONE_FROM, JOB_SIZE, JobQueue
from service.moderation.turns import turn
from service.storage import Store, comments, database_now, mending
from service.storage.comments import Cause

#: Comments looked at in one go, and tried again in one run at the most.
_PAGE = 200
_MOST_COMMENTS = 1000
_LEASE_SECONDS = 60


class Mending:
    """Sends comments back to the rules, one process at a time."""

    def __init__(self, store: Store, jobs: JobQueue) -> None:
        self._store = store
        self._jobs = jobs

    def run(self) -> int:
        """Return how many comments are judged again.

        Holds back while jobs wait, and while the job queue is away.
        """
        if self._jobs.backlog() != 0 or not self._found(limit=1).ids:
            return 0
        with turn(self._store, "mend", _LEASE_SECONDS) as ours:
            return self._retried() if ours else 0

    def _retried(self) -> int:
        retried = 0
        after: CommentId | None = None
        while retried < _MOST_COMMENTS:
            page = self._found(limit=_PAGE, after=after)
            retried += self._retry(page.ids)
            after = page.next
            if after is None:
                break
        return retried

    def _found(self, limit: int, after: CommentId | None = None) -> mending.Mended:
        with self._store.read() as db:
            return mending.mended_comments(db, database_now(db), limit, after)

    def _retry(self, ids: Sequence[CommentId]) -> int:
        together: list[CommentId] = []
        alone: list[CommentId] = []
        with self._store.write() as db:
            for comment in mending.still_broken(db, ids):
                if _sent_back(db, comment):
                    # One that killed its worker may do so again: it takes nobody along.
                    own = comment.attempts >= ALONE_FROM
                    (alone if own else together).append(comment.id)
        for start in range(0, len(together), JOB_SIZE):
            self._jobs.moderate(together[start : start + JOB_SIZE])
        for comment_id in alone:
            self._jobs.moderate_alone(comment_id)
        return len(together) + len(alone)


def _sent_back(db: Connection, comment: Comment) -> bool:
    now = database_now(db)
    cause = Cause(EventKind.RETRIED, "system", now, note="What broke may be mended")
    changed = comments.change_status(db, comment, Status.PENDING, cause, {"pending_since": now})
    return changed is not None
