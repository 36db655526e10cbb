"""Comments in hand: so that two workers do not judge the same at the same time.

Only to save work. Should both judge a comment all the same, the record takes
the first verdict.
"""

from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from service.domain.comment import CommentId

#: Shorter than the time after which a waiting comment is put into a new job,
#: so that nobody waits longer because the worker that held it died.
_SECONDS = 10

log = structlog.get_logger(__name__)


class Hand:
    """What the workers are judging right now, marked in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def take(self, ids: Sequence[CommentId]) -> list[CommentId]:
        """Return those of `ids` that no other worker has in hand; now this one has.

        All of them while Redis is away.
        """
        if not ids:
            return []
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for comment_id in ids:
                    pipe.set(_key(comment_id), 1, nx=True, ex=_SECONDS)
                taken = pipe.execute()
        except RedisError as error:
            log.warning("redis away, taking all", error=type(error).__name__)
            return list(ids)
        return [comment_id for comment_id, free in zip(ids, taken, strict=True) if free]

    def put_back(self, ids: Sequence[CommentId]) -> None:
        """Let others have `ids` at once, which could not be judged here."""
        try:
            self._redis.delete(*map(_key, ids))
        except RedisError as error:
            log.warning("redis away, nothing put back", error=type(error).__name__)


def _key(comment_id: CommentId) -> str:
    return f"anteroom:hand:{comment_id}"
