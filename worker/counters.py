"""Counters in Redis: how often a text came, and the figures that /metrics shows.

They move after the verdicts are recorded, and for recorded verdicts only; so a
count never includes the comment it is asked for, and a job that runs twice
counts once. Losing them loses no promise.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from redis import Redis
from redis.exceptions import RedisError

from service.domain.verdict import Verdict
from service.keyring import Keyring

METRICS = "anteroom:metrics"

#: Upper bounds in seconds of the histogram of judging times.
JUDGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

_HOUR = 3600
#: An hour is counted in six parts; the oldest falls out as a new one begins.
_PART = 600

log = structlog.get_logger(__name__)


class Counters:
    """Counts that rules read, and figures that operators read."""

    def __init__(self, redis: Redis, keyring: Keyring) -> None:
        self._redis = redis
        self._keyring = keyring

    def text_counts(self, texts: Sequence[str], at: datetime) -> list[int] | None:
        """Return how often each text was counted in the hour before; None while Redis is away."""
        parts = [_part(at) - ago for ago in range(_HOUR // _PART)]
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for text in texts:
                    pipe.hmget(self._key(text), [str(part) for part in parts])
                answers = pipe.execute()
        except RedisError as error:
            log.warning("redis away, repetition unknown", error=type(error).__name__)
            return None
        return [sum(int(count) for count in counts if count) for counts in answers]

    def count(self, texts: Iterable[str], verdicts: Sequence[Verdict], at: datetime) -> None:
        """Count recorded verdicts and their texts, in one round trip.

        While Redis is away nothing is counted, and nothing else happens.
        """
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for text, times in Counter(texts).items():
                    pipe.hincrby(self._key(text), str(_part(at)), times)
                    pipe.expire(self._key(text), _HOUR + _PART)
                for name, amount in _figures(verdicts).items():
                    pipe.hincrby(METRICS, name, amount)
                seconds = sum(verdict.took_ms for verdict in verdicts) / 1000
                pipe.hincrbyfloat(METRICS, "judge_seconds_sum", seconds)
                pipe.execute()
        except RedisError as error:
            log.warning("redis away, verdicts not counted", error=type(error).__name__)

    def _key(self, text: str) -> str:
        return f"anteroom:text:{self._keyring.hash('text', text)}"


def _part(at: datetime) -> int:
    return int(at.timestamp()) // _PART


def _figures(verdicts: Sequence[Verdict]) -> Counter[str]:
    figures: Counter[str] = Counter(judge_count=len(verdicts))
    for verdict in verdicts:
        figures[f"verdicts:{verdict.status}"] += 1
        figures.update(f"rule:{hit.rule}" for hit in verdict.hits)
        figures.update(f"rule_errors:{error.rule}" for error in verdict.errors)
        seconds = verdict.took_ms / 1000
        figures.update(f"judge_bucket:{le:g}" for le in JUDGE_BUCKETS if seconds <= le)
    return figures
