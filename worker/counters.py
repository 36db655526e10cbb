"""Counters in Redis: how often a text came, and the figures that /metrics shows.

They move after the verdicts are recorded, and for recorded verdicts only; so a
count never includes the comment it is asked for, and a job that runs twice
counts once. Losing them loses no promise.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog
from redis import Redis
from redis.exceptions import RedisError

from service.domain.verdict import Verdict

METRICS = "anteroom:metrics"

#: Upper bounds in seconds of the histogram of judging times; each time counts in
#: the first that holds it.
JUDGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

_HOUR = 3600
#: An hour is counted in parts; the oldest falls out as a new one begins.
_PARTS = 3

#: How Redis answers a count.
Count = bytes | str | None

# One script instead of two commands a comment: packing and parsing them took
# longer than judging.
_ADD = """
for _, key in ipairs(KEYS) do
    redis.call('INCR', key)
    redis.call('EXPIRE', key, ARGV[1])
end
"""

log = structlog.get_logger(__name__)


class Counters:
    """Counts that rules read, and figures that operators read.

    Texts are given as keyed hashes: nothing that anybody wrote stands in Redis.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._add = redis.register_script(_ADD)

    def text_counts(self, texts: Sequence[str], at: datetime) -> list[int] | None:
        """Return how often each text was counted in the hour before; None while Redis is away."""
        parts = [_part(at) - ago for ago in range(_PARTS)]
        try:
            counts = self._redis.mget([_key(text, part) for text in texts for part in parts])
        except RedisError as error:
            log.warning("redis away, repetition unknown", error=type(error).__name__)
            return None
        return [sum(int(count or 0) for count in some) for some in _groups(counts)]

    def count(self, texts: Sequence[str], verdicts: Sequence[Verdict], at: datetime) -> None:
        """Count recorded verdicts and their texts, in one round trip.

        While Redis is away nothing is counted, and nothing else happens.
        """
        if not verdicts:
            return
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                self._add(keys=[_key(text, _part(at)) for text in texts], args=[_HOUR], client=pipe)
                for name, amount in _figures(verdicts).items():
                    pipe.hincrby(METRICS, name, amount)
                seconds = sum(verdict.took_ms for verdict in verdicts) / 1000
                pipe.hincrbyfloat(METRICS, "judge_seconds_sum", seconds)
                pipe.execute()
        except RedisError as error:
            log.warning("redis away, verdicts not counted", error=type(error).__name__)


def _groups(counts: Sequence[Count]) -> Iterator[Sequence[Count]]:
    return (counts[start : start + _PARTS] for start in range(0, len(counts), _PARTS))


def _key(text: str, part: int) -> str:
    return f"anteroom:text:{part}:{text}"


def _part(at: datetime) -> int:
    return int(at.timestamp()) // (_HOUR // _PARTS)


def _figures(verdicts: Sequence[Verdict]) -> Counter[str]:
    figures: Counter[str] = Counter(judge_count=len(verdicts))
    for verdict in verdicts:
        figures[f"verdicts:{verdict.status}"] += 1
        figures.update(f"rule:{hit.rule}" for hit in verdict.hits)
        figures.update(f"rule_errors:{error.rule}" for error in verdict.errors)
        if (size := bisect_left(JUDGE_BUCKETS, verdict.took_ms / 1000)) < len(JUDGE_BUCKETS):
            figures[f"judge_bucket:{JUDGE_BUCKETS[size]:g}"] += 1
    return figures
