"""What the job queue calls, by these names: see service/jobs.py."""

from collections.abc import Sequence
from typing import Any

from service.domain.comment import CommentId
from worker import delivery, runtime


def moderate(ids: Sequence[str]) -> None:
    """Judge the named comments and record the verdicts."""
    runtime.current().moderate([CommentId(comment_id) for comment_id in ids])


def moderate_alone(ids: Sequence[str]) -> None:
    """Judge comments that gave trouble before, and no others with them."""
    runtime.current().moderate_alone([CommentId(comment_id) for comment_id in ids])


def check(payloads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the verdicts on texts that are stored nowhere."""
    return runtime.current().check_all(payloads)


def call_back() -> None:
    """Have late verdicts told to the Akismet clients that wait for them."""
    delivery.current().call_back()


def deliver(endpoints: Sequence[int]) -> None:
    """Have these endpoints told what is due."""
    delivery.current().send_out(endpoints)
