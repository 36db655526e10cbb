"""What a rule file says of its lists, for people who look at them.

Rulesets that are kept were found good by a worker; this reads them only to show
which rule uses which list, so it passes over whatever it does not know.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml

#: What the entries of a list are, by the condition that names it.
_KINDS = {"domains": "domains", "email": "domains", "links": "domains", "ips": "networks"}
_WORDS = "words"
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


@dataclass(slots=True)
class ListUse:
    """How a ruleset uses one list.

    `kind` is words, domains or networks, "" where no rule uses it. `rules` look
    for its entries, `excepting` pass over them; `exceptions` are the names of
    lists whose entries do not count where rules look for this one's.
    """

    name: str
    path: str
    kind: str = ""
    rules: list[str] = field(default_factory=list)
    excepting: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)


@lru_cache(maxsize=4)
def list_uses(rules: str) -> Mapping[str, ListUse]:
    """Return the lists that a rule file names, by name, each with its uses.

    Remembered, because reading the file takes a tenth of a second; not to be
    changed.
    """
    document = _mapping(yaml.load(rules, Loader=yaml.CSafeLoader))
    uses = {
        str(name): ListUse(str(name), str(path))
        for name, path in _mapping(document.get("lists")).items()
    }
    for rule in document.get("rules") or ():
        for use in _found(_mapping(rule)):
            _note(uses, str(rule.get("id")), use)
    return uses


@dataclass(frozen=True, slots=True)
class _Use:
    """One place of a rule that names lists."""

    kind: str
    names: tuple[str, ...]
    exceptions: tuple[str, ...] = ()


def _found(rule: Mapping[str, Any]) -> Iterator[_Use]:
    for part in ("when", "unless"):
        yield from _in(part, rule.get(part))


def _in(condition: str, part: object) -> Iterator[_Use]:
    """Yield what names lists within a part of a rule that stands under `condition`."""
    if isinstance(part, dict):
        kind = _KINDS.get(condition, _WORDS)
        yield _Use(kind, _names(part.get("list")), _names(part.get("except")))
        for name, inner in part.items():
            yield from _in(str(name), inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _in(condition, inner)
    elif isinstance(part, str):
        yield _Use(_WORDS, tuple(_PLACEHOLDER.findall(part)))


def _note(uses: Mapping[str, ListUse], rule: str, use: _Use) -> None:
    for name in use.names:
        if found := uses.get(name):
            found.kind = found.kind or use.kind
            _add(found.rules, rule)
            for exception in use.exceptions:
                _add(found.exceptions, exception)
    for name in use.exceptions:
        if found := uses.get(name):
            found.kind = found.kind or use.kind
            _add(found.excepting, rule)


def _add(values: list[str], value: str) -> None:
    if value not in values:
        values.append(value)


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(name) for name in value)
    return (str(value),) if isinstance(value, str) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
