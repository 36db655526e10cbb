"""For those who operate the service: is it alive, is it ready, what are its figures."""

from collections.abc import Sequence
from hmac import compare_digest
from ipaddress import ip_address
from typing import Literal, NamedTuple

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from werkzeug.exceptions import Forbidden, Unauthorized

from service.metrics import Exposition
from service.probes import SAFE_POLICY, Motion, Probe, WorkerRules, models_warning, read_motion
from service.storage import Store
from service.storage.rulesets import live_version
from service.web.answers import answer
from service.web.callers import bearer_token, normal_address
from service.web.context import EXTENSION, Services, services
from service.web.openapi import documented

bp = Blueprint("health", __name__)

_PARTS = "anteroom.health"
#: An orchestrator's own patience is often a second.
_PATIENCE_SECONDS = 0.8


class HealthOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class DatabaseOut(BaseModel):
    """The record, without which nothing can be accepted."""

    reachable: bool
    schema_current: bool = Field(description="Whether all migrations were run")


class RedisOut(BaseModel):
    """The job queue. While it is away comments are accepted and wait."""

    reachable: bool
    memory_policy: str | None = Field(
        description="Its maxmemory-policy; null if it is away or does not tell"
    )
    warning: str | None = Field(description="What an operator should change")


class WorkerRulesOut(BaseModel):
    """What one worker process judges by."""

    queue: str
    ruleset: str = Field(description="Empty: it has none, and everything is held")
    failed: str = Field(description="The ruleset that it could not load; empty if it could")

    @classmethod
    def of(cls, worker: WorkerRules) -> "WorkerRulesOut":
        """Return what is told of a worker."""
        return cls(queue=worker.queue, ruleset=worker.ruleset, failed=worker.failed)


class RulesetOut(BaseModel):
    """What comments are judged by."""

    live: str | None = Field(description="As the record has it; null before the first one")
    workers: list[WorkerRulesOut] | None = Field(description="Null while Redis is away")
    warning: str | None = Field(description="What an operator should look at")


class ModelsOut(BaseModel):
    """What was learned, beside the rules. Without models rules alone judge."""

    loaded: dict[str, str] = Field(description="Models that all workers have, with their versions")
    warning: str | None = Field(description="What an operator should look at")


class ReadinessOut(BaseModel):
    """Whether comments can be accepted, and how the other parts do."""

    status: Literal["ready", "unready"]
    database: DatabaseOut
    redis: RedisOut
    workers: dict[str, int] | None = Field(
        description="Workers seen by queue; null while Redis is away"
    )
    ruleset: RulesetOut
    models: ModelsOut | None = Field(description="Null while Redis or all workers are away")


class _Schema(NamedTuple):
    """Whether all migrations were run, and the live ruleset."""

    current: bool
    ruleset: str | None


class _Parts:
    """The questions that health asks, kept so that askers share a slow answer."""

    def __init__(self, parts: Services) -> None:
        self.record = Probe(lambda: _read_schema(parts.store), _PATIENCE_SECONDS)
        self.motion = Probe(lambda: read_motion(parts.jobs), _PATIENCE_SECONDS)
        self.exposition = Exposition(parts.store, parts.jobs)


@bp.record
def _set_parts(state: BlueprintSetupState) -> None:
    state.app.extensions[_PARTS] = _Parts(state.app.extensions[EXTENSION])


@bp.get("/healthz")
@documented("Is the process alive?", responses={200: HealthOut}, tags=["Operations"])
def alive() -> Response:
    """Answers as long as the process serves requests; asks no other part."""
    return answer(HealthOut())


@bp.get("/readyz")
@documented(
    "Can comments be accepted?",
    responses={200: ReadinessOut, 503: ReadinessOut},
    tags=["Operations"],
)
def ready() -> Response:
    """503 while the database is away or its schema is not current.

    Redis and the workers are reported but not required: without them comments
    are accepted and judged later.
    """
    parts: _Parts = current_app.extensions[_PARTS]
    schema = parts.record.ask()
    motion = parts.motion.ask()
    told = ReadinessOut(
        status="ready" if schema and schema.current else "unready",
        database=DatabaseOut(
            reachable=schema is not None, schema_current=bool(schema and schema.current)
        ),
        redis=_redis(motion),
        workers=dict(motion.workers) if motion else None,
        ruleset=_ruleset(schema, motion),
        models=_models(motion),
    )
    return answer(told, 200 if told.status == "ready" else 503)


def missing_models() -> str | None:
    """Return which models the workers do without, in words; None if none, or nobody tells."""
    parts: _Parts = current_app.extensions[_PARTS]
    motion = parts.motion.ask()
    return models_warning(motion.rules) if motion else None


@bp.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus: by METRICS_TOKEN, or without one from private addresses."""
    _require_scraper(services().settings.metrics_token)
    parts: _Parts = current_app.extensions[_PARTS]
    return Response(parts.exposition.text(), content_type=CONTENT_TYPE_LATEST)


def _redis(motion: Motion | None) -> RedisOut:
    policy = motion.memory_policy if motion else None
    warning = None
    if policy not in (None, SAFE_POLICY):
        warning = f"Set maxmemory-policy to {SAFE_POLICY}: under {policy} Redis may drop jobs."
    return RedisOut(reachable=motion is not None, memory_policy=policy, warning=warning)


def _read_schema(store: Store) -> _Schema:
    current = store.is_current()
    with store.read() as db:
        live = live_version(db) if current else None
    return _Schema(current, live.hash if live else None)


def _ruleset(schema: _Schema | None, motion: Motion | None) -> RulesetOut:
    live = schema.ruleset if schema else None
    workers = None
    if motion:
        workers = [WorkerRulesOut.of(worker) for worker in motion.rules]
    return RulesetOut(live=live, workers=workers, warning=_warning(live, workers or []))


def _warning(live: str | None, workers: Sequence[WorkerRulesOut]) -> str | None:
    if any(not worker.ruleset for worker in workers):
        return "A worker has no ruleset that runs: it holds every comment; its log says why."
    if failed := sum(bool(worker.failed) for worker in workers):
        return f"{failed} workers could not load the live ruleset and keep the one before."
    behind = sum(worker.ruleset != live for worker in workers)
    return f"{behind} workers do not run the live ruleset yet." if live and behind else None


def _models(motion: Motion | None) -> ModelsOut | None:
    if not motion or not motion.rules:
        return None
    everywhere = set.intersection(*(set(worker.models.items()) for worker in motion.rules))
    return ModelsOut(loaded=dict(sorted(everywhere)), warning=models_warning(motion.rules))


def _require_scraper(token: str) -> None:
    if token:
        given = bearer_token() or ""
        if not compare_digest(given.encode(), token.encode()):
            raise Unauthorized("The metrics token is needed.")
    elif not _is_near(request.remote_addr) or _came_through_a_proxy():
        raise Forbidden("Metrics are read from private addresses, or with METRICS_TOKEN.")


def _is_near(address: str | None) -> bool:
    normal = normal_address(address or "")
    return normal is not None and ip_address(normal).is_private


def _came_through_a_proxy() -> bool:
    # Behind a proxy on this machine the whole world comes from a private address.
    return any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
