"""The use cases of rulesets: who looks at them, tries them and makes them live.

A worker examines every ruleset before it is kept, because the service knows
nothing of judging.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.domain.clock import utc_now
from service.domain.decision import Role
from service.domain.errors import (
    InvalidRuleset,
    RulesetConflict,
    RulesetNotAllowed,
    RulesetNotFound,
    RulesetProblem,
)
from service.domain.listing import entries_of, with_entries, without_entries
from service.domain.ruleset import (
    RuleOutline,
    RulesetSource,
    RulesetVersion,
    RuleState,
    changed_rules,
    difference,
    role_needed,
)
from service.jobs import JobQueue
from service.storage import Store, rulesets, trials
from service.storage.trials import Trial, TrialKind


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes to a version: texts as they should be; what is left out stays.

    `rules` None leaves the rule file as it is. `lists` holds new texts by path;
    None takes a list away.
    """

    rules: str | None = None
    lists: Mapping[str, str | None] | None = None

    def applied_to(self, base: RulesetSource) -> RulesetSource:
        """Return the ruleset that the changes make of `base`."""
        lists = {**base.lists, **(self.lists or {})}
        kept = {path: text for path, text in lists.items() if text is not None}
        return RulesetSource(base.rules if self.rules is None else self.rules, kept)


@dataclass(frozen=True, slots=True)
class ListChange:
    """Entries to add to the list at `path` and to take out of it."""

    path: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def applied_to(self, base: RulesetSource) -> Draft | None:
        """Return the change as a draft of `base`; None if it would change nothing.

        A list that is not there yet is made.
        """
        old = base.lists.get(self.path, "")
        new = with_entries(without_entries(old, self.removed), self.added)
        known = {entry for _, entry in entries_of(old)}
        if known == {entry for _, entry in entries_of(new)}:
            return None
        return Draft(lists={self.path: new})

    @property
    def note(self) -> str:
        """What the history says of it."""
        said = [
            f"{verb} {', '.join(entries[:_NAMED])}"
            + (f" and {len(entries) - _NAMED} more" if len(entries) > _NAMED else "")
            for verb, entries in (("added", self.added), ("removed", self.removed))
            if entries
        ]
        return f"list {list_name(self.path)}: {'; '.join(said)}"


def list_name(path: str) -> str:
    """Return how people call the list at a path: "lists/insults.txt" is "insults"."""
    return path.removeprefix("lists/").removesuffix(".txt")


@dataclass(frozen=True, slots=True)
class LiveRuleset:
    """What comments are judged by: the version, its rules, and those put into the shadow."""

    version: RulesetVersion
    rules: list[RuleOutline]
    states: list[RuleState]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a worker found in a ruleset.

    `rules` is None if it cannot run; `changed` are the rules that are not as
    they are in the version it was made from.
    """

    source: RulesetSource
    problems: tuple[RulesetProblem, ...]
    rules: list[RuleOutline] | None
    changed: tuple[str, ...] = ()


#: Entries that a note names one by one.
_NAMED = 5


class Rulesets:
    """Reads, tries and publishes rulesets."""

    def __init__(
        self, store: Store, jobs: JobQueue, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock

    def live(self) -> LiveRuleset:
        """Return what is live; raise RulesetNotFound before the first version."""
        with self._store.read() as db:
            version = _live(db)
            rules = rulesets.outline_of(db, version.hash)
            return LiveRuleset(version, rules, rulesets.states_of(db, version.number))

    def live_source(self) -> tuple[RulesetVersion, RulesetSource]:
        """Return what is live with its whole content; raise RulesetNotFound before the first."""
        with self._store.read() as db:
            version = _live(db)
            return version, rulesets.source_of(db, version.hash)

    def history(self, limit: int, before: int | None = None) -> list[RulesetVersion]:
        """Return versions, newest first, those below the number `before`."""
        with self._store.read() as db:
            return rulesets.history(db, limit, before)

    def version(self, number: int) -> tuple[RulesetVersion, RulesetSource, str]:
        """Return a version, its content, and the difference to what was live before it.

        Raises RulesetNotFound.
        """
        with self._store.read() as db:
            version = rulesets.version_by_number(db, number)
            source = rulesets.source_of(db, version.hash)
            parent = rulesets.source_of(db, version.parent) if version.parent else None
        return version, source, difference(parent, source)

    def examine(self, draft: Draft, base: int | None = None) -> Examined:
        """Have a worker look at the draft of a version, the live one unless named.

        Raises RulesetNotFound, or CheckUnavailable if no worker answers in time.
        """
        with self._store.read() as db:
            source, parent = _drafted(db, draft, base)
        found = self._jobs.examine_rules(source.as_dict())
        problems = tuple(RulesetProblem(**problem) for problem in found["problems"])
        if found["outline"] is None:
            return Examined(source, problems, None)
        rules = [RuleOutline(**rule) for rule in found["outline"]]
        return Examined(source, problems, rules, changed_rules(parent, rules))

    def try_out(
        self, case: Mapping[str, Any], draft: Draft, base: int | None = None
    ) -> dict[str, Any]:
        """Return the verdict on a made-up comment; see `worker.workbench.try_case`.

        Raises InvalidRuleset if the draft cannot run, and what `examine` does.
        """
        with self._store.read() as db:
            source, _ = _drafted(db, draft, base)
        found = self._jobs.try_rules({"source": source.as_dict(), "case": dict(case)})
        if found["verdict"] is None:
            raise InvalidRuleset([RulesetProblem(**problem) for problem in found["problems"]])
        verdict: dict[str, Any] = found["verdict"]
        return verdict

    def publish(
        self, draft: Draft, *, base: int, author: str, note: str, role: Role
    ) -> RulesetVersion:
        """Make the draft of version `base` live and return its version.

        Raises RulesetConflict if `base` is not live any more, InvalidRuleset
        with every mistake, RulesetNotAllowed if the change takes more than
        `role`, and what `examine` does.
        """
        with self._store.read() as db:
            _require_live(db, base)
        examined = self.examine(draft, base)
        if examined.rules is None:
            raise InvalidRuleset(examined.problems)
        now, new = self._clock(), examined.source.hash
        with self._store.write() as db:
            rulesets.keep(db, examined.source, examined.rules, now)
            _require_role(db, base, new, role)
            return rulesets.publish(db, new, base=base, author=author, note=note, now=now)

    def change_list(self, change: ListChange, *, author: str, role: Role) -> RulesetVersion | None:
        """Make the live list so and return the new version; None if it is so already.

        Raises what `publish` does.
        """
        version, source = self.live_source()
        draft = change.applied_to(source)
        if draft is None:
            return None
        return self.publish(draft, base=version.number, author=author, note=change.note, role=role)

    def publish_tried(
        self, trial: Trial, *, base: int, author: str, note: str, role: Role
    ) -> RulesetVersion:
        """Make live what was on trial, made from version `base`; a worker found it good already.

        Raises RulesetConflict and RulesetNotAllowed as `publish` does.
        """
        with self._store.write() as db:
            _require_live(db, base)
            _require_role(db, base, trial.ruleset, role)
            return rulesets.publish(
                db, trial.ruleset, base=base, author=author, note=note, now=self._clock()
            )

    def revert(
        self, *, base: int, author: str, note: str, role: Role, to: int | None = None
    ) -> RulesetVersion:
        """Publish the content of version `to` again, of the one before the live one unless named.

        Raises RulesetConflict if `base` is not live any more, RulesetNotFound
        where there is nothing to go back to, RulesetNotAllowed as `publish` does.
        """
        with self._store.write() as db:
            live = _require_live(db, base)
            named = rulesets.version_by_number(db, to).hash if to else None
            wanted = named or (live.parent if live else None)
            if wanted is None:
                raise RulesetNotFound("there was no ruleset before this one")
            _require_role(db, base, wanted, role)
            return rulesets.publish(
                db, wanted, base=base, author=author, note=note, now=self._clock()
            )

    def last_list_change_by(self, author: str) -> RulesetVersion | None:
        """Return the version that made what is live, if they changed nothing but lists in it.

        A version that brought an earlier content back is no such change: taking
        that back would go forth and back for ever.
        """
        with self._store.read() as db:
            live = rulesets.live_version(db)
            first = rulesets.first_with(db, live.hash) if live else None
            if first is None or first.author != author or first.parent is None:
                return None
            new, old = (rulesets.source_of(db, each) for each in (first.hash, first.parent))
        return first if new.rules == old.rules else None

    def take_back(self, change: RulesetVersion, *, author: str, role: Role) -> RulesetVersion:
        """Publish what was live before a change, if its content still is.

        Raises RulesetConflict if it is not, RulesetNotAllowed as `publish` does.
        """
        with self._store.write() as db:
            live = _live(db)
            if live.hash != change.hash or change.parent is None:
                raise RulesetConflict(live.number, live.author)
            _require_role(db, live.number, change.parent, role)
            return rulesets.publish(
                db, change.parent, base=live.number, author=author,
                note=f"taken back: {change.note}", now=self._clock(),
            )  # fmt: skip

    def start_trial(
        self,
        kind: TrialKind,
        draft: Draft,
        options: Mapping[str, Any],
        *,
        author: str,
        base: int | None = None,
    ) -> Trial:
        """Have the draft of a version tried in the background; return the trial to look after.

        Raises InvalidRuleset with every mistake, and what `examine` does.
        """
        examined = self.examine(draft, base)
        if examined.rules is None:
            raise InvalidRuleset(examined.problems)
        now = self._clock()
        with self._store.write() as db:
            rulesets.keep(db, examined.source, examined.rules, now)
            ruleset = examined.source.hash
            trial = trials.add_trial(db, kind, ruleset, options, asked_by=author, now=now)
        self._jobs.run_trial(trial.id)
        return trial

    def trial(self, trial_id: str) -> Trial:
        """Return a trial as far as it is; raise TrialNotFound."""
        with self._store.read() as db:
            return trials.trial_by_id(db, trial_id)

    def trials(self, limit: int) -> list[Trial]:
        """Return the trials that were asked for last."""
        with self._store.read() as db:
            return trials.newest_trials(db, limit)


def _live(db: Connection) -> RulesetVersion:
    version = rulesets.live_version(db)
    if version is None:
        raise RulesetNotFound("no ruleset is live yet")
    return version


def _require_live(db: Connection, base: int | None) -> RulesetVersion | None:
    version = rulesets.live_version(db)
    if (version.number if version else None) != base:
        author = version.author if version else "nobody"
        raise RulesetConflict(version.number if version else None, author)
    return version


def _require_role(db: Connection, base: int, new: str, role: Role) -> None:
    if role.includes(Role.ADMIN):
        # Without a look at what is live, which may be damaged: that is when they are needed.
        return
    old = rulesets.version_by_number(db, base).hash
    sources = [rulesets.source_of(db, each) for each in (old, new)]
    rules = [rulesets.outline_of(db, each) for each in (old, new)]
    needed = role_needed(sources[0], rules[0], sources[1], rules[1])
    if not role.includes(needed):
        raise RulesetNotAllowed("seniors publish lists and shadow rules")


def _drafted(
    db: Connection, draft: Draft, base: int | None
) -> tuple[RulesetSource, list[RuleOutline]]:
    """Return the drafted ruleset, and the rules of the version it is made from."""
    version = rulesets.version_by_number(db, base) if base else _live(db)
    source = draft.applied_to(rulesets.source_of(db, version.hash))
    return source, rulesets.outline_of(db, version.hash)
