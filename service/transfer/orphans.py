"""Replies that a file has before what they answer, put where they belong at its end."""

from collections.abc import Iterable

from sqlalchemy import Connection

from service.domain.comment import CommentId
from service.domain.site import Site
from service.storage import Store, importing
from service.storage.importing import Orphan
from service.transfer.aside import Aside
from service.transfer.report import Report

#: Comments moved in one transaction.
_BATCH = 500


class Orphans:
    """The replies of one import whose parent was not known when they were stored."""

    def __init__(self, store: Store, site: Site, report: Report) -> None:
        self._store = store
        self._site = site
        self._report = report
        self._waiting = Aside()
        self._raised = Aside()
        #: Each waits for the next one, the topmost of its parent's conversation.
        self._line: dict[str, None] = {}

    def add(self, orphans: Iterable[Orphan], raised: Iterable[CommentId]) -> None:
        """Keep replies for the end, and which comments stand higher than they were."""
        for orphan in orphans:
            self._waiting.put(orphan.id, orphan.known_as, orphan.parent)
        self._note_raised(raised)

    def settle(self) -> None:
        """Put all replies where they belong, and count in the report what became of them."""
        while self._line or self._waiting.first():
            with self._store.write() as db:
                for _ in range(_BATCH):
                    if not self._step(db):
                        break
        self._report.raised = len(self._raised)
        self._waiting.close()
        self._raised.close()

    def _step(self, db: Connection) -> bool:
        """Put one reply where it belongs, or find which one must come before it."""
        current = next(reversed(self._line), None) or self._waiting.first()
        if current is None:
            return False
        self._line[current] = None
        known_as, parent = self._waiting.get(current) or ("", "")
        # From the top down: so each conversation is moved but once, to where it stays.
        root = importing.root_of(db, parent)
        if root and root in self._waiting and root not in self._line:
            self._line[root] = None
            return True
        self._adopt(db, Orphan(CommentId(current), known_as, parent))
        self._waiting.drop(current)
        del self._line[current]
        return True

    def _adopt(self, db: Connection, orphan: Orphan) -> None:
        done = importing.adopt(db, self._site, orphan)
        self._report.adopted += done.adopted
        self._report.elsewhere += done.elsewhere
        self._report.parentless += not (done.adopted or done.elsewhere)
        self._note_raised(done.raised)

    def _note_raised(self, raised: Iterable[CommentId]) -> None:
        # By their ids: one may be raised again when what is above it moves.
        for comment_id in raised:
            self._raised.put(comment_id)
