"""The live ruleset as one worker process runs it: noticed, loaded and swapped between batches."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from service.domain.errors import RulesetNotFound, StoreUnavailable
from service.domain.ruleset import RULE_FILE, RulesetSource
from service.storage import Store, database_now, rulesets
from worker.ruleset import Problem, Ruleset, RulesetError, load
from worker.ruleset.shipped import load_ruleset, shipped_outline, shipped_source

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    """What comments are judged by now; `ruleset` None if there is nothing that runs.

    The rules in `muted` are counted but decide nothing.
    """

    ruleset: Ruleset | None
    muted: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        """What verdicts call it by."""
        return self.ruleset.hash if self.ruleset else "none"


class LiveRules:
    """Follows the record; what cannot be loaded never replaces what runs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ruleset: Ruleset | None = None
        self._failed = ""
        self._has_published = False

    def prepare(self) -> Live:
        """Publish what ships, if nobody chose rules yet, and return what is live.

        While the database is away nothing is; the next batch tries again.
        """
        try:
            self._publish_shipped()
            with self._store.read() as db:
                return self.current(db)
        except StoreUnavailable as error:
            log.warning("database away, no ruleset yet", error=str(error))
            return Live(self._ruleset)

    def current(self, db: Connection) -> Live:
        """Return what is live at this moment; one small query if that is known already."""
        found = rulesets.live_with_states(db)
        if found is None:
            log.error("no ruleset is live, everything is held")
            self._ruleset = None
            return Live(None)
        _, wanted, muted = found
        if wanted != self._running and wanted != self._failed:
            self._swap(db, wanted)
        if self._ruleset is None:
            log.error("the live ruleset does not run, everything is held", ruleset=wanted)
        return Live(self._ruleset, muted)

    @property
    def facts(self) -> dict[str, str]:
        """Which ruleset this process runs, and which one it could not load, if any."""
        return {"ruleset": self._running, "ruleset_failed": self._failed}

    @property
    def _running(self) -> str:
        return self._ruleset.hash if self._ruleset else ""

    def _publish_shipped(self) -> None:
        if self._has_published:
            return
        source = shipped_source()
        with self._store.write() as db:
            now = database_now(db)
            version = rulesets.publish_shipped(db, source, shipped_outline(), now)
        self._has_published = True
        if version:
            log.info("shipped ruleset published", ruleset=version.hash, number=version.number)

    def _swap(self, db: Connection, wanted: str) -> None:
        try:
            self._ruleset = _compiled(rulesets.source_of(db, wanted))
        except (RulesetError, RulesetNotFound) as error:
            self._failed = wanted
            log.error(
                "ruleset does not load, keeping the last good one",
                ruleset=wanted,
                running=self._running,
                error=str(error),
            )
            return
        self._failed = ""
        log.info("ruleset loaded", ruleset=wanted)


def _compiled(source: RulesetSource) -> Ruleset:
    """Return the ruleset; whatever goes wrong is a RulesetError: comments must not wait for it."""
    try:
        return loaded(source)
    except RulesetError:
        raise
    except Exception as error:
        log.exception("ruleset cannot be compiled", ruleset=source.hash)
        raise RulesetError([Problem(RULE_FILE, 1, 1, type(error).__name__)]) from error


def loaded(source: RulesetSource) -> Ruleset:
    """Return a ruleset that was examined before; the shipped one is loaded once a process."""
    if source.hash == shipped_source().hash:
        return load_ruleset()
    return load(source, tested=True)
