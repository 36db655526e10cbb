"""Conditions on what is known about a comment, its author and its way here."""

from collections.abc import Callable
from ipaddress import ip_address

from yaml.nodes import Node

from worker.ruleset.conditions.base import SPANS_SHOWN, Reading, read_fields
from worker.ruleset.conditions.texts import list_names
from worker.ruleset.lists import Network
from worker.ruleset.model import Check, Match
from worker.signals.characters import mixed_script_words
from worker.signals.comment import Field, Signals
from worker.signals.language import LANGUAGES
from worker.signals.links import Link, registered_domain

_ADDRESS_FIELDS: tuple[Field, ...] = ("text", "name", "url")


def domains(reading: Reading, node: Node) -> Check | None:
    """Read `domains: {list: NAME, in: FIELDS}`: a link leads to a listed domain."""
    members = reading.document.mapping(node, ("list", "in"), "domains option")
    if "list" not in members:
        reading.document.error(node, "domains wants a list: {list: NAME}")
        return None
    names = list_names(reading, members["list"])
    fields = read_fields(reading, members, _ADDRESS_FIELDS)
    if not names:
        return None
    listed = frozenset().union(*(reading.lists.domains(name) for name in names))

    def check(signals: Signals) -> Match | None:
        if "email" in fields and (own := registered_domain(signals.email_domain)) in listed:
            return Match(found=own or "")
        found = _links(signals, fields, lambda link: link.domain in listed)
        if not found:
            return None
        spans = tuple(signals.link_span(field, link) for field, link in found[:SPANS_SHOWN])
        return Match(len(found), found[0][1].domain, spans)

    return check


def disguised(reading: Reading, node: Node) -> Check | None:
    """Read `disguised_link: true`: a link written so that readers must put it together."""
    wanted = reading.document.flag(node, "disguised_link")

    def check(signals: Signals) -> Match | None:
        found = _links(signals, ("text", "name"), lambda link: link.disguised)
        if bool(found) is not wanted:
            return None
        spans = tuple(signals.link_span(field, link) for field, link in found[:SPANS_SHOWN])
        return Match(len(found), found[0][1].domain if found else "", spans)

    return None if wanted is None else check


def ips(reading: Reading, node: Node) -> Check | None:
    """Read `ips: {list: NAME}`: the visitor's address lies in a listed network."""
    members = reading.document.mapping(node, ("list",), "ips option")
    names = list_names(reading, members["list"]) if "list" in members else None
    if not names:
        if "list" not in members:
            reading.document.error(node, "ips wants a list: {list: NAME}")
        return None
    networks = [network for name in names for network in reading.lists.networks(name)]

    def check(signals: Signals) -> Match | None:
        found = _network_of(signals.comment.author.ip, networks)
        return Match(found=str(found)) if found else None

    return check


def mixed_script(reading: Reading, node: Node) -> Check | None:
    """Read `mixed_script: true`: a word mixes alphabets."""
    wanted = reading.document.flag(node, "mixed_script")

    def check(signals: Signals) -> Match | None:
        text = signals.text("text")
        places = mixed_script_words(text)
        if bool(places) is not wanted:
            return None
        first = text[slice(*places[0])] if places else ""
        return Match(len(places), first, tuple(signals.raw_spans("text", places[:SPANS_SHOWN])))

    return None if wanted is None else check


def earlier_rules(reading: Reading, node: Node) -> frozenset[str]:
    """Return the ids of rules above the one that is read; an error noted for any other."""
    document = reading.document
    named = []
    for name, item in document.texts(node):
        if name not in reading.earlier:
            document.unknown(item, "rule above this one", name, tuple(reading.earlier))
        elif reading.earlier[name] == "off":
            document.warning(item, f"“{name}” is off, so this condition never holds")
        named.append(name)
    return frozenset(named)


def earlier_rule(reading: Reading, node: Node) -> Check | None:
    """Read `rule: IDS`: one of these rules above this one matched."""
    wanted = earlier_rules(reading, node)

    def check(signals: Signals) -> Match | None:
        return Match() if wanted & signals.noticed.keys() else None

    return check


def reply(reading: Reading, node: Node) -> Check | None:
    """Read `reply: true`: it answers another comment."""
    return _is(reading, node, "reply", lambda signals: signals.comment.parent_id is not None)


def honeypot(reading: Reading, node: Node) -> Check | None:
    """Read `honeypot: true`: a field that readers do not see was filled in."""
    return _is(reading, node, "honeypot", lambda signals: signals.comment.honeypot_filled)


def language(reading: Reading, node: Node) -> Check | None:
    """Read `language: [de, fr]`: the text is in one of these; never where that is not clear."""
    nodes = reading.document.one_or_more(node)
    named = {reading.document.choice(item, "language", LANGUAGES) for item in nodes}

    def check(signals: Signals) -> Match | None:
        found = signals.language
        return Match(found) if found is not None and found in named else None

    return None if None in named else check


def email(reading: Reading, node: Node) -> Check | None:
    """Read `email: {deliverable: false, disposable: true, list: NAME}`: all of these."""
    document = reading.document
    members = document.mapping(node, ("deliverable", "disposable", "list"), "email option")
    flags = {
        name: document.flag(members[name], name)
        for name in ("deliverable", "disposable")
        if name in members
    }
    names = list_names(reading, members["list"]) if "list" in members else []
    if not members or None in flags.values() or names is None:
        return None
    listed = frozenset().union(*(reading.lists.domains(name) for name in names))

    def check(signals: Signals) -> Match | None:
        known = {
            "deliverable": signals.context.deliverable,
            "disposable": signals.is_disposable,
        }
        domain = signals.email_domain
        held = all(known[name] is flag for name, flag in flags.items())
        if not held or (names and registered_domain(domain) not in listed):
            return None
        return Match(found=domain)

    return check


def moderation(reading: Reading, node: Node) -> Check | None:
    """Read `moderation: all`: a person looks at every comment of this site or thread first."""
    asked = reading.document.choice(node, "moderation", ("all",))

    def check(signals: Signals) -> Match | None:
        return Match() if signals.context.reviews_everything else None

    return check if asked else None


def _is(
    reading: Reading, node: Node, what: str, value_of: Callable[[Signals], bool]
) -> Check | None:
    wanted = reading.document.flag(node, what)

    def check(signals: Signals) -> Match | None:
        return Match() if value_of(signals) is wanted else None

    return None if wanted is None else check


def _links(
    signals: Signals, fields: tuple[Field, ...], wanted: Callable[[Link], bool]
) -> list[tuple[Field, Link]]:
    return [(field, link) for field in fields for link in signals.links(field) if wanted(link)]


def _network_of(address: str | None, networks: list[Network]) -> Network | None:
    if address is None:
        return None
    ip = ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return next((network for network in networks if mapped in network), None)
