"""Rulesets as they are kept: one rule file and its lists, named by their content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

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
        """Return the source that `as_dict` gave these values."""
        return cls(values["rules"], dict(values["lists"]))


@dataclass(frozen=True, slots=True)
class RulesetVersion:
    """One line of the history of rulesets: which content was made live, when, by whom and why.

    `number` counts up from 1; `parent` is the hash that was live before it.
    """

    number: int
    hash: str
    parent: str | None
    author: str
    note: str
    published_at: datetime
