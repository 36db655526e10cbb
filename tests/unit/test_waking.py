"""Who waits for a commit is woken by the one before, even if that one gave up waiting."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from service import intake
from service.domain.comment import Author, CommentId, SiteId, Submission, ThreadRef
from service.domain.errors import StoreUnavailable
from service.domain.site import Caller, KeyKind, Site
from service.storage.intake import Accepted, Waiting


@pytest.mark.parametrize("gone", [{0}, {1}, {2}, {0, 1}, {0, 1, 2}, set()])
def test_one_who_gave_up_stops_nobody_behind(gone: set[int]) -> None:
    entries = [intake.Entry(_waiting()) for _ in range(4)]
    for number in gone:
        with pytest.raises(StoreUnavailable):
            entries[number].result(0.001)

    for number, entry in enumerate(entries):
        entry.outcome = Accepted(CommentId(str(number)), "new")
    for entry, following in pairwise(entries):
        entry.next = following
    with ThreadPoolExecutor(4) as threads:
        waiting = [n for n in range(4) if n not in gone]
        answers = [threads.submit(entries[number].result, 10.0) for number in waiting]
        entries[0].wake()
        told = [answer.result().comment_id for answer in answers]

    assert told == [str(number) for number in waiting]


def _waiting() -> Waiting:
    caller = Caller(Site(SiteId(1), "news", "News"), 1, KeyKind.SERVER)
    submission = Submission(ThreadRef("article"), Author(name="Ann"), "A remark.")
    return Waiting(caller, submission, request_id="", fingerprint="f", duplicate="d")
