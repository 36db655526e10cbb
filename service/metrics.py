"""Metrics: what this process counts, and what is read when Prometheus asks.

Counting happens in the web processes. Several of them share their numbers when
PROMETHEUS_MULTIPROC_DIR named a directory before this module was imported;
without it each process tells only its own. Waiting comments, queues and the
workers' own counts are read from the database and from Redis at each scrape, so
that no process has to keep them, and there is nothing to tidy up when one dies.
"""

import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service import __version__
from service.jobs import JobQueue
from service.probes import Motion, Probe, Record, read_motion, read_record
from service.rule_quality import mean_seconds
from service.storage import Store

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# A series for the birth of each series would double them.
disable_created_metrics()  # type: ignore[no-untyped-call]

_own = CollectorRegistry()
_accepted = Counter("anteroom_comments_accepted", "Comments stored and acknowledged", registry=_own)
_refused = Counter(
    "anteroom_comments_refused", "Comments not taken, by reason", ["reason"], registry=_own
)
_requests = Histogram(
    "anteroom_http_request_seconds",
    "Time to answer HTTP requests",
    ["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
    registry=_own,
)
# Finding a labelled child costs as much as counting with it.
_request_children: dict[tuple[str, str, int], Histogram] = {}


def count_accepted() -> None:
    """Count one comment that was stored and acknowledged."""
    _accepted.inc()


def count_refused(reason: str) -> None:
    """Count one comment that was not taken; `reason` is one of a few fixed words."""
    _refused.labels(reason).inc()


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request; `route` is the URL rule, never the path itself."""
    key = (route, method, status)
    child = _request_children.get(key)
    if child is None:
        known = method if method in _METHODS else "other"
        child = _requests.labels(route, known, str(status))
        if known == method:
            _request_children[key] = child
    child.observe(seconds)


class Exposition(Collector):
    """Everything told to Prometheus, as far as the parts asked can be reached."""

    def __init__(self, store: Store, jobs: JobQueue) -> None:
        self._record = Probe(lambda: read_record(store))
        self._motion = Probe(lambda: read_motion(jobs))

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> list[Metric]:
        """Return nothing: registering must not ask the other parts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; those of a part that is away are left out."""
        yield from _shared() if _is_shared() else _own.collect()
        yield InfoMetricFamily("anteroom", "What runs here", {"version": __version__})
        record = self._record.ask()
        yield _gauge("anteroom_database_up", "Whether the database answers", record is not None)
        if record is not None:
            yield from _of_record(record, time.time())
        motion = self._motion.ask()
        yield _gauge("anteroom_redis_up", "Whether Redis answers", motion is not None)
        if motion is not None:
            yield from _of_motion(motion)


def _is_shared() -> bool:
    return values.ValueClass is not values.MutexValue


def _shared() -> Iterator[Metric]:
    yield from MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]


def _of_record(record: Record, now: float) -> Iterator[Metric]:
    count = GaugeMetricFamily(
        "anteroom_comments_waiting", "Comments not yet decided", labels=["status"]
    )
    age = GaugeMetricFamily(
        "anteroom_oldest_comment_age_seconds",
        "Time since the oldest comment not yet decided was accepted",
        labels=["status"],
    )
    for status, waiting in record.waiting.items():
        count.add_metric([status], waiting.count)
        seconds = now - waiting.oldest.timestamp() if waiting.oldest else 0.0
        age.add_metric([status], max(0.0, seconds))
    yield from (count, age)
    if record.ruleset:
        yield InfoMetricFamily("anteroom_ruleset", "The live ruleset", {"ruleset": record.ruleset})
    yield _put_aside(record)


def _of_motion(motion: Motion) -> Iterator[Metric]:
    counts = motion.counts
    yield _by_label("anteroom_jobs_waiting", "Jobs on a queue", "queue", motion.jobs)
    yield _by_label("anteroom_workers", "Workers that serve a queue", "queue", motion.workers)
    yield _total("anteroom_verdicts", "Verdicts by rules", "status", _named(counts, "verdicts"))
    yield _total("anteroom_rule_hits", "Verdicts that a rule hit", "rule", _named(counts, "rule"))
    errors = _named(counts, "rule_errors")
    yield _total("anteroom_rule_errors", "Verdicts for which a rule could not run", "rule", errors)
    yield _judging(counts)
    yield _gauge(
        "anteroom_ruleset_failures",
        "Workers that could not load the live ruleset and keep the one before",
        sum(bool(worker.failed) for worker in motion.rules),
    )
    yield _worker_rules(motion)
    yield from _worker_models(motion)
    times = mean_seconds(counts)
    yield _by_label("anteroom_rule_seconds", "Mean time that a rule takes", "rule", times)


def _put_aside(record: Record) -> Metric:
    family = GaugeMetricFamily(
        "anteroom_rules_put_aside",
        "Live rules that run in the shadow: braked, or off because they failed",
        labels=["rule", "state"],
    )
    for state in record.put_aside:
        family.add_metric([state.rule, state.state.value], 1)
    return family


def _worker_rules(motion: Motion) -> Metric:
    family = GaugeMetricFamily(
        "anteroom_worker_rulesets",
        "Workers by queue and by the ruleset that they run",
        labels=["queue", "ruleset"],
    )
    numbers = Tally((worker.queue, worker.ruleset) for worker in motion.rules)
    for (queue, ruleset), number in numbers.items():
        family.add_metric([queue, ruleset], number)
    return family


def _worker_models(motion: Motion) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "anteroom_worker_models",
        "Workers by the models that they loaded",
        labels=["model", "version"],
    )
    numbers = Tally(item for worker in motion.rules for item in worker.models.items())
    for (model, version), number in numbers.items():
        family.add_metric([model, version], number)
    yield family
    failed = Tally(model for worker in motion.rules for model in worker.models_failed)
    meaning = "Workers that could not load a model and judge without it"
    yield _by_label("anteroom_model_failures", meaning, "model", failed)


def _judging(counts: Mapping[str, float]) -> Metric:
    limits = sorted(_named(counts, "judge_bucket").items(), key=lambda bucket: float(bucket[0]))
    family = HistogramMetricFamily("anteroom_judge_seconds", "Time to judge one comment")
    buckets = [*limits, ("+Inf", counts.get("judge_count", 0.0))]
    family.add_metric([], buckets, counts.get("judge_seconds_sum", 0.0))
    return family


def _named(counts: Mapping[str, float], kind: str) -> dict[str, float]:
    start = f"{kind}:"
    return {
        name.removeprefix(start): value for name, value in counts.items() if name.startswith(start)
    }


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value)


def _by_label(name: str, meaning: str, label: str, numbers: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, number in numbers.items():
        family.add_metric([value], number)
    return family


def _total(name: str, meaning: str, label: str, numbers: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=[label])
    for value, number in numbers.items():
        family.add_metric([value], number)
    return family
