"""Rules in brief: what the record keeps of a ruleset for those who do not read rule files."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import yaml

from service.domain.ruleset import RuleOutline, RulesetSource
from worker.ruleset.model import Ruleset

_DIGEST_CHARACTERS = 16


def outline(source: RulesetSource, ruleset: Ruleset) -> list[RuleOutline]:
    """Return the rules of `ruleset`, which was loaded from `source`, in its order."""
    document = yaml.load(source.rules, Loader=yaml.CSafeLoader)
    lists = {
        str(name): source.lists.get(str(path), "")
        for name, path in (document.get("lists") or {}).items()
    }
    written = {str(rule["id"]): rule for rule in document["rules"]}
    digests: dict[str, str] = {}
    for rule in ruleset.rules:
        hold_at = ruleset.thresholds[rule.category]
        digests[rule.id] = _digest(written[rule.id], hold_at, lists, digests)
    return [
        RuleOutline(
            id=rule.id,
            category=rule.category,
            points=rule.points,
            mode=rule.mode,
            why=rule.why,
            digest=digests[rule.id],
        )
        for rule in ruleset.rules
    ]


def _digest(
    written: dict[str, Any], hold_at: int, lists: dict[str, str], above: dict[str, str]
) -> str:
    """Return what stands for everything that a rule says; its tests and comments are not.

    `above` are the digests of the rules before it, of which it may name some.
    """
    rule = {name: part for name, part in written.items() if name != "tests"}
    texts = set(_texts(rule))
    used = {
        name: text
        for name, text in lists.items()
        if name in texts or any(f"{{{name}}}" in said for said in texts)
    }
    named = {name: digest for name, digest in above.items() if name in texts}
    content = json.dumps([rule, hold_at, used, named], sort_keys=True, default=str)
    return sha256(content.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)
