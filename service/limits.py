"""Rate limits by the minute: counted in Redis, in the process's own memory while that is away.

The uses that a whole group of comments makes are counted in one round trip.
A library that counts one use at a time took 0.5 ms of processor time a
comment, more than everything else a request does.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from redis import Redis
from redis.exceptions import RedisError

from service.domain.errors import RateLimited

_WINDOW_SECONDS = 60
#: After a failure nobody asks Redis again for this long: others wait for a turn to write
#: while uses are counted.
_REST_SECONDS = 5.0

#: Counts each key up once; a key ends with its window.
_COUNT = """
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = redis.call('INCR', key)
  if counts[i] == 1 then redis.call('EXPIRE', key, ARGV[1]) end
end
return counts
"""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of what `policy` bounds; `key` is whose, as a keyed hash."""

    policy: str
    key: str
    per_minute: int


class Limiter:
    """Counts uses in windows of one minute.

    While Redis is away each process counts for itself, so that limits get
    laxer by the number of processes but never end.
    """

    def __init__(self, connection: Redis) -> None:
        self._count = connection.register_script(_COUNT)
        self._own: Counter[str] = Counter()
        self._own_window = 0
        self._own_lock = Lock()
        self._resting_until = 0.0

    def hit(self, policy: str, key: str, per_minute: int) -> None:
        """Count one use; raise RateLimited if it is one too many."""
        (refusal,) = self.hit_all([[Use(policy, key, per_minute)]])
        if refusal:
            raise refusal

    def hit_all(self, visits: Sequence[Sequence[Use]]) -> list[RateLimited | None]:
        """Count the uses of every visit; return for each the limit it breaks, or None."""
        now = time.time()
        window = int(now // _WINDOW_SECONDS)
        keys = [_key(use, window) for uses in visits for use in uses]
        counts = iter(self._counts(keys, window) if keys else ())
        wait = _WINDOW_SECONDS - int(now % _WINDOW_SECONDS)
        return [_refusal([(use, next(counts)) for use in uses], wait) for uses in visits]

    def _counts(self, keys: list[str], window: int) -> list[int]:
        if time.monotonic() >= self._resting_until:
            try:
                counted: list[int] = self._count(keys=keys, args=[_WINDOW_SECONDS])
                return counted
            except RedisError:
                self._resting_until = time.monotonic() + _REST_SECONDS
        return self._own_counts(keys, window)

    def _own_counts(self, keys: list[str], window: int) -> list[int]:
        with self._own_lock:
            if self._own_window != window:
                self._own.clear()
                self._own_window = window
            counts = []
            for key in keys:
                self._own[key] += 1
                counts.append(self._own[key])
            return counts


def _key(use: Use, window: int) -> str:
    return f"anteroom:limit:{use.policy}:{window}:{use.key}"


def _refusal(counted: Sequence[tuple[Use, int]], wait: int) -> RateLimited | None:
    for use, count in counted:
        if count > use.per_minute:
            return RateLimited(
                use.policy, limit=use.per_minute, window=_WINDOW_SECONDS, retry_after=wait
            )
    return None
