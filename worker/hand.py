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

#: How long a comment that died in somebody's hand is judged by its own jobs only.
_BURNT_MILLISECONDS = 600_000

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
        return self._marked("hand", ids, self._milliseconds)

    def take_along(self, ids: Sequence[CommentId]) -> list[CommentId]:
        """Return those of `ids` that may be judged in the job of another; now they are in hand.

        Once only: what was never put back may have killed the worker, and would
        kill it again in every job that takes the oldest along.
        """
        return self.take(self._marked("along", ids, _BURNT_MILLISECONDS))

    def put_back(self, ids: Sequence[CommentId]) -> None:
        """Let others have `ids` at once: they are judged, or could not be judged here."""
        try:
            self._redis.delete(*_keys("hand", ids), *_keys("along", ids))
        except RedisError as error:
            log.warning("redis away, nothing put back", error=type(error).__name__)

    def _marked(self, mark: str, ids: Sequence[CommentId], milliseconds: int) -> list[CommentId]:
        if not ids:
            return []
        try:
            fresh = self._mark(keys=_keys(mark, ids), args=[milliseconds])
        except RedisError as error:
            log.warning("redis away, taking all", error=type(error).__name__)
            return list(ids)
        return [comment_id for comment_id, free in zip(ids, fresh, strict=True) if free]


def _keys(mark: str, ids: Sequence[CommentId]) -> list[str]:
    return [f"anteroom:{mark}:{comment_id}" for comment_id in ids]
