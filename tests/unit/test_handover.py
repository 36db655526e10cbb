"""Stored comments get their jobs, whatever the pace, and none is left at the end."""

from collections.abc import Sequence

import pytest

from service.domain.comment import CommentId
from service.handover import Handover
from service.jobs import JOB_SIZE, JobQueue


class Notes(JobQueue):
    """Notes which jobs were queued."""

    def __init__(self) -> None:
        """Connect to nothing."""
        self.jobs: list[list[CommentId]] = []

    def moderate(self, ids: Sequence[CommentId]) -> bool:
        """Note one job."""
        self.jobs.append(list(ids))
        return True


def test_every_comment_is_in_one_job_and_no_job_is_too_large() -> None:
    notes, ids = Notes(), [CommentId(str(number)) for number in range(3 * JOB_SIZE + 1)]
    with Handover(notes) as handover:
        for start in range(0, len(ids), 5):
            handover.hand_over(ids[start : start + 5])

    assert [comment_id for job in notes.jobs for comment_id in job] == ids
    assert max(map(len, notes.jobs)) <= JOB_SIZE


@pytest.mark.parametrize("ids", [[], ["a"]])
def test_the_end_waits_for_what_was_handed_over(ids: list[CommentId]) -> None:
    notes = Notes()
    with Handover(notes) as handover:
        handover.hand_over(ids)

    assert notes.jobs == ([ids] if ids else [])
