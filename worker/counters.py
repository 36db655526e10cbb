"""Counters in Redis: how often things were seen, and the figures that /metrics shows.

They move after the verdicts are recorded, and for recorded verdicts only; so a
count never includes the comment it is asked for, and a job that runs twice
counts once. Losing them loses no promise.
"""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import structlog
from redis import Redis
from redis.exceptions import RedisError

from service.domain.verdict import Verdict
from worker.ruleset import Counter
from worker.subjects import Subjects

METRICS = "anteroom:metrics"

#: Upper bounds in seconds of the histogram of judging times; each time counts in
#: the first that holds it.
JUDGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

#: Counts by the counter's name; None while Redis is away.
Counts = dict[str, int | None]

# One script instead of two commands a key: packing and parsing them took
# longer than judging.
_ADD = """
for index, key in ipairs(KEYS) do
    redis.call('INCRBY', key, ARGV[2 * index - 1])
    redis.call('EXPIRE', key, ARGV[2 * index])
end
"""

log = structlog.get_logger(__name__)


class Counters:
    """Counts that rules read, and figures that operators read.

    A period is counted in fixed parts as long as itself: the present one, and
    of the one before it the share that still lies within the period. What is
    counted is given as keyed hashes: nothing that anybody wrote stands in Redis.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._add = redis.register_script(_ADD)

    def read(
        self, batch: Sequence[Subjects], counters: Iterable[Counter], at: datetime
    ) -> "BatchCounts":
        """Return what was counted before of everything in a batch, in one round trip."""
        wanted = sorted(counters)
        keys = list(dict.fromkeys(key for some in batch for key in _read_keys(some, wanted, at)))
        try:
            found = self._redis.mget(keys) if keys else []
        except RedisError as error:
            log.warning("redis away, counts unknown", error=type(error).__name__)
            return BatchCounts(wanted, None, at)
        numbers = {key: int(count) for key, count in zip(keys, found, strict=True) if count}
        return BatchCounts(wanted, numbers, at)

    def count(
        self,
        batch: Sequence[Subjects],
        verdicts: Sequence[Verdict],
        counters: Iterable[Counter],
        at: datetime,
        rule_seconds: Mapping[str, float],
    ) -> None:
        """Count recorded verdicts and what they were on, in one round trip.

        `rule_seconds` are times that rules took, by rule. While Redis is away
        nothing is counted, and nothing else happens.
        """
        if not verdicts:
            return
        moves = _moves(batch, list(counters), at)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                if moves:
                    numbers = [number for move in moves.values() for number in move]
                    self._add(keys=list(moves), args=numbers, client=pipe)
                for name, amount in _figures(verdicts).items():
                    pipe.hincrby(METRICS, name, amount)
                seconds = sum(verdict.took_ms for verdict in verdicts) / 1000
                pipe.hincrbyfloat(METRICS, "judge_seconds_sum", seconds)
                for rule, took in rule_seconds.items():
                    pipe.hincrby(METRICS, f"rule_timed:{rule}", 1)
                    pipe.hincrbyfloat(METRICS, f"rule_seconds:{rule}", took)
                pipe.execute()
        except RedisError as error:
            log.warning("redis away, verdicts not counted", error=type(error).__name__)


class BatchCounts:
    """What was counted before a batch, and what came earlier within it."""

    def __init__(
        self, counters: Sequence[Counter], numbers: Mapping[str, int] | None, at: datetime
    ) -> None:
        self._counters = counters
        self._numbers = numbers
        self._at = at
        self._here: Tally[tuple[str, str]] = Tally()

    def of_next(self, subjects: Subjects) -> Counts:
        """Return the counts for the next comment of the batch.

        Of several links the one that was seen most often counts; what a comment
        lacks was never seen.
        """
        counts = {counter.name: self._count(subjects, counter) for counter in self._counters}
        self._here.update((of, value) for of, values in subjects.items() for value in values)
        return counts

    def _count(self, subjects: Subjects, counter: Counter) -> int | None:
        if self._numbers is None:
            return None
        values = subjects.get(counter.of, ())
        return max((self._seen(counter, value) for value in values), default=0)

    def _seen(self, counter: Counter, value: str) -> int:
        numbers = self._numbers or {}
        part, passed = _part(counter, self._at)
        present = numbers.get(_key(counter, part, value), 0)
        before = numbers.get(_key(counter, part - 1, value), 0)
        return round(present + before * (1 - passed)) + self._here[counter.of, value]


def _read_keys(subjects: Subjects, counters: Iterable[Counter], at: datetime) -> Iterator[str]:
    for counter in counters:
        part, _ = _part(counter, at)
        for value in subjects.get(counter.of, ()):
            yield _key(counter, part, value)
            yield _key(counter, part - 1, value)


def _moves(
    batch: Iterable[Subjects], counters: Sequence[Counter], at: datetime
) -> dict[str, tuple[int, int]]:
    """Return by key how far to count on, and for how many seconds to keep it."""
    moves: dict[str, tuple[int, int]] = {}
    for subjects in batch:
        for counter in counters:
            part, _ = _part(counter, at)
            for value in subjects.get(counter.of, ()):
                key = _key(counter, part, value)
                moves[key] = moves.get(key, (0, 0))[0] + 1, 2 * counter.seconds
    return moves


def _key(counter: Counter, part: int, value: str) -> str:
    return f"anteroom:seen:{counter.name}:{part}:{value}"


def _part(counter: Counter, at: datetime) -> tuple[int, float]:
    """Return the number of the present part, and how much of it has passed."""
    part, seconds = divmod(at.timestamp(), counter.seconds)
    return int(part), seconds / counter.seconds


def _figures(verdicts: Sequence[Verdict]) -> Tally[str]:
    figures: Tally[str] = Tally(judge_count=len(verdicts))
    for verdict in verdicts:
        figures[f"verdicts:{verdict.status}"] += 1
        figures.update(f"rule:{hit.rule}" for hit in verdict.hits)
        figures.update(f"rule_errors:{error.rule}" for error in verdict.errors)
        if (size := bisect_left(JUDGE_BUCKETS, verdict.took_ms / 1000)) < len(JUDGE_BUCKETS):
            figures[f"judge_bucket:{JUDGE_BUCKETS[size]:g}"] += 1
    return figures
