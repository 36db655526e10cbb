"""Periods of time as ranges of comment ids, which need no index of their own."""

from datetime import datetime

from service.domain.comment import CommentId


def id_at(time: datetime) -> CommentId:
    """Return the least id that a comment accepted at that time could have.

    Ids are UUIDs of version 7: they begin with the milliseconds since 1970.
    """
    digits = f"{round(time.timestamp() * 1000):012x}"
    return CommentId(f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000")
