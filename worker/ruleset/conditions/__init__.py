"""The closed set of conditions, and how a rule's `when` and `unless` are read."""

from yaml.nodes import Node

from worker.ruleset.conditions import facts, numbers, texts
from worker.ruleset.conditions.base import Builder, Reading, all_of
from worker.ruleset.model import Check

CONDITIONS: dict[str, Builder] = {
    "words": texts.words,
    "phrase": texts.phrase,
    "pattern": texts.pattern,
    "links": numbers.links,
    "domains": facts.domains,
    "disguised_link": facts.disguised,
    "ips": facts.ips,
    "count": numbers.count,
    "author": numbers.author_history,
    "length": numbers.length,
    "capitals": numbers.capitals,
    "mixed_script": facts.mixed_script,
    "characters": numbers.characters_of,
    "rule": facts.earlier_rule,
    "reply": facts.reply,
    "language": facts.language,
    "score": numbers.score,
    "honeypot": facts.honeypot,
    "form_seconds": numbers.form_seconds,
    "email": facts.email,
    "moderation": facts.moderation,
}

#: Several conditions of one kind are written as a list under this name.
_ALL = "all"


def read_conditions(reading: Reading, node: Node, what: str) -> Check | None:
    """Return a check that applies if all conditions of a `when` or `unless` hold.

    None, and errors noted, if one of them makes no sense.
    """
    members = reading.document.mapping(node, (*CONDITIONS, _ALL), "condition")
    if not members:
        reading.document.error(node, f"{what} wants at least one condition")
        return None
    several = reading.document.items(members.pop(_ALL), _ALL) if _ALL in members else []
    checks = [CONDITIONS[name](reading, value) for name, value in _cheapest_first(members)]
    checks += [_one_of_all(reading, item) for item in several]
    built = [check for check in checks if check]
    return all_of(built) if built and len(built) == len(checks) else None


def _one_of_all(reading: Reading, node: Node) -> Check | None:
    members = reading.document.mapping(node, CONDITIONS, "condition")
    checks = [CONDITIONS[name](reading, value) for name, value in members.items()]
    built = [check for check in checks if check]
    return all_of(built) if built and len(built) == len(checks) else None


def _cheapest_first(members: dict[str, Node]) -> list[tuple[str, Node]]:
    """Put what is known already before what must be searched for: most rules end there."""
    searching = ("words", "phrase", "pattern", "mixed_script", "characters")
    return sorted(members.items(), key=lambda member: member[0] in searching)
