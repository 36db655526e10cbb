"""Handing stored comments to the workers, out of the way of those who store them.

A comment is durable before it comes here, and the sweep finds whatever gets
lost here, so nobody waits: RQ's bookkeeping for one job takes as long as storing
a group of comments.
"""

import threading
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Self

from service.domain.comment import CommentId
from service.jobs import JOB_SIZE, JobQueue

#: Between two jobs. A lone comment gets its job at once; under load the comments
#: of many groups share one.
_PAUSE_SECONDS = 0.02


class Handover:
    """Queues jobs for stored comments, in a thread that lives as long as the `with` block."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._stored: SimpleQueue[CommentId | None] = SimpleQueue()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="handover", daemon=True)

    def __enter__(self) -> Self:
        """Begin to queue jobs."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Queue jobs for what was handed over, and end."""
        self._stored.put(None)
        self._ending.set()
        self._thread.join(timeout=10)

    def hand_over(self, ids: Iterable[CommentId]) -> None:
        """Have stored comments judged soon; returns at once."""
        for comment_id in ids:
            self._stored.put(comment_id)

    def _run(self) -> None:
        while batch := self._next_batch():
            self._jobs.moderate(batch)
            self._ending.wait(_PAUSE_SECONDS)

    def _next_batch(self) -> list[CommentId]:
        """Wait for a comment; return it with those that came meanwhile, or nothing at the end."""
        batch: list[CommentId] = []
        with suppress(Empty):
            while len(batch) < JOB_SIZE:
                comment_id = self._stored.get(block=not batch)
                if comment_id is None:
                    self._stored.put(None)  # the next batch is the empty one
                    break
                batch.append(comment_id)
        return batch
