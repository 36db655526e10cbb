"""Rulesets as they are kept: one rule file and its lists, named by their content."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import unified_diff
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Any

from service.domain.decision import Role

#: The author of the rulesets that come with the program.
SHIPPED_BY = "anteroom"
#: What the rule file is called in differences.
RULE_FILE = "rules.yaml"

_HASH_CHARACTERS = 12


@dataclass(frozen=True)
class RulesetSource:
    """A rule file and the lists it names, as texts; never changed once it is stored.

    `lists` maps each list's path, as the rule file writes it, to its text.
    """

    rules: str
    lists: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def hash(self) -> str:
        """What verdicts call the ruleset by: the beginning of the SHA-256 of all its text."""
        content = json.dumps(self.as_dict(), sort_keys=True, ensure_ascii=False)
        return sha256(content.encode()).hexdigest()[:_HASH_CHARACTERS]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {"rules": self.rules, "lists": dict(self.lists)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RulesetSource":
        """Return the source that `as_dict` gave these values; raise ValueError for others."""
        rules, lists = values["rules"], dict(values["lists"])
        if not all(isinstance(text, str) for text in (rules, *lists.values())):
            raise ValueError("a ruleset is made of texts")
        return cls(rules, lists)

    @property
    def files(self) -> dict[str, str]:
        """Its texts by file name, the rule file first."""
        return {RULE_FILE: self.rules, **dict(sorted(self.lists.items()))}


def difference(old: RulesetSource | None, new: RulesetSource) -> str:
    """Return what `new` changes, as a unified diff; all of it is new where `old` is None."""
    before = old.files if old else {}
    names = sorted(before.keys() | new.files.keys(), key=lambda name: (name != RULE_FILE, name))
    return "".join(line for name in names for line in _file_difference(name, before, new.files))


def _file_difference(
    name: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[str]:
    old, new = (files.get(name, "").splitlines() for files in (before, after))
    was, is_now = (name if name in files else "/dev/null" for files in (before, after))
    for line in unified_diff(old, new, was, is_now, lineterm=""):
        yield f"{line}\n"


@dataclass(frozen=True, slots=True)
class RuleOutline:
    """One rule in brief, for whoever does not read rule files.

    `digest` stands for all that the rule depends on: its definition, its lists,
    and the rules that it names.
    """

    id: str
    category: str
    points: int
    mode: str
    why: str
    digest: str


def changed_rules(old: Sequence[RuleOutline], new: Sequence[RuleOutline]) -> tuple[str, ...]:
    """Return the rules of `new` that are not as they were in `old`."""
    before = {rule.id: rule.digest for rule in old}
    return tuple(rule.id for rule in new if before.get(rule.id) != rule.digest)


def role_needed(
    old: RulesetSource,
    old_rules: Sequence[RuleOutline],
    new: RulesetSource,
    new_rules: Sequence[RuleOutline],
) -> Role:
    """Return who may make `new` of `old`: seniors keep lists and shadow rules, admins all.

    Publishing the very same is for admins: it brings back rules that were braked.
    """
    if old.rules == new.rules:
        return Role.ADMIN if old.hash == new.hash else Role.SENIOR
    before, after = ({rule.id: rule for rule in rules} for rules in (old_rules, new_rules))
    touched = [
        rule
        for name in before.keys() | after.keys()
        if _digest(before.get(name)) != _digest(after.get(name))
        for rule in (before.get(name), after.get(name))
        if rule
    ]
    # A text that changes no rule may still name other thresholds or lists.
    aside = bool(touched) and all(rule.mode == "shadow" for rule in touched)
    return Role.SENIOR if aside else Role.ADMIN


def _digest(rule: RuleOutline | None) -> str:
    return rule.digest if rule else ""


class Hindrance(StrEnum):
    """Why a live rule runs in the shadow: it held too much by itself, or it kept failing."""

    BRAKED = "braked"
    SWITCHED_OFF = "off"


@dataclass(frozen=True, slots=True)
class RuleState:
    """That a rule of the live ruleset runs in the shadow, and why, in plain words."""

    rule: str
    state: Hindrance
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RulesetVersion:
    """One line of the history of rulesets: which content was made live, when, by whom and why.

    `number` counts up from 1; `parent` is the hash that was live before it;
    `changed` are the rules that are not as they were in it.
    """

    number: int
    hash: str
    parent: str | None
    author: str
    note: str
    published_at: datetime
    changed: tuple[str, ...] = ()

    @property
    def is_shipped(self) -> bool:
        """Whether it came with the program, untouched by people."""
        return self.author == SHIPPED_BY

    @property
    def confirms(self) -> bool:
        """Whether it publishes what was live already, which says that it is meant so."""
        return self.hash == self.parent
