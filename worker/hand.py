"""Comments in hand: so that two workers do not judge the same at the same time.

Only to save work. Should both judge a comment all the same, the record takes
the first verdict.
"""

from collections.abc import Sequence

import structlog
from redis import Redis
from redis.exceptions import RedisError

from service.domain.comment import CommentId

# One script instead of a command for each comment. Returns 1 for each that was free.
_MARK = """
local taken = {}
for index, key in ipairs(KEYS) do
    taken[index] = redis.call('SET', key, 1, 'NX', 'PX', ARGV[1]) and 1 or 0
end
return taken
"""

log = structlog.get_logger(__name__)


class Hand:
    """What the workers are judging right now, marked in Redis for so many seconds."""

    def __init__(self, redis: Redis, seconds: float) -> None:
        self._redis = redis
        self._milliseconds = max(1, round(seconds * 1000))
        self._mark = redis.register_script(_MARK)

    def take(self, ids: Sequence[CommentId]) -> list[CommentId]:
        """Return those of `ids` that no other worker has in hand; now this one has.

        All of them while Redis is away.
        """
        if not ids:
            return []
        try:
            keys = [_key(comment_id) for comment_id in ids]
            taken = self._mark(keys=keys, args=[self._milliseconds])
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
