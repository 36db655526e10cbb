"""Who has which comment open: a claim of five minutes, so that no two people read the same.

Claims live in Redis and are only advice: what keeps decisions apart is the
version of each comment. While Redis is away nobody claims anything.
"""

import json
import time
from collections.abc import Callable
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from service.domain.comment import CommentId

LIFE_SECONDS = 300

_KEY = "anteroom:claims"

#: Takes the comment for a person, in place of what they had, unless another has
#: it; returns that other's login, or "".
_TAKE = """
local now, claims = tonumber(ARGV[3]), redis.call('HGETALL', KEYS[1])
for i = 1, #claims, 2 do
  local claim = cjson.decode(claims[i + 1])
  if claim[2] <= now then
    redis.call('HDEL', KEYS[1], claims[i])
  elseif claim[1] == ARGV[2] and claims[i] ~= ARGV[1] then
    return claims[i]
  end
end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({ARGV[2], now + tonumber(ARGV[4])}))
return ''
"""


class Claims:
    """One claim a person: opening a comment gives up the one before."""

    def __init__(self, connection: Redis, clock: Callable[[], float] = time.time) -> None:
        self._connection = connection
        self._take = connection.register_script(_TAKE)
        self._clock = clock

    def take(self, comment_id: CommentId, login: str) -> str | None:
        """Claim the comment; return who else has it open, None if it is ours now."""
        arguments: list[str | float] = [login, comment_id, self._clock(), LIFE_SECONDS]
        try:
            other: bytes = self._take(keys=[_KEY], args=arguments)
        except RedisError:
            return None
        return other.decode() or None

    def release(self, login: str) -> None:
        """Give up what the person has open."""
        try:
            self._connection.hdel(_KEY, login)
        except RedisError:
            return

    def held(self) -> dict[CommentId, str]:
        """Return who has which comment open."""
        try:
            stored = cast(dict[bytes, bytes], self._connection.hgetall(_KEY))
        except RedisError:
            return {}
        now = self._clock()
        claims = {login.decode(): json.loads(claim) for login, claim in stored.items()}
        return {CommentId(claim[0]): login for login, claim in claims.items() if claim[1] > now}
