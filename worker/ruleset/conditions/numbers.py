"""Conditions on what can be counted or measured."""

from collections.abc import Callable
from functools import partial
from typing import cast, get_args

from yaml.nodes import Node

from worker.models.score import NAMES, SITE_NAMES
from worker.ruleset.conditions.base import (
    SPANS_SHOWN,
    Bounds,
    Reading,
    read_bounds,
    read_fields,
)
from worker.ruleset.conditions.texts import list_names
from worker.ruleset.model import Check, Countable, Counter, Match, read_period
from worker.ruleset.problems import did_you_mean
from worker.signals import author, characters
from worker.signals.characters import Kind
from worker.signals.comment import Field, Signals
from worker.signals.email import is_listed

_HISTORY = (
    "approved",
    "rejected",
    "rejected_share",
    "claimed_approved",
    "claimed_rejected",
    "seen",
)


def links(reading: Reading, node: Node) -> Check | None:
    """Read `links: {over: N, in: FIELDS, except: NAMES}`: how many different links there are.

    Those to a domain of the lists named by `except` do not count.
    """
    members = reading.document.mapping(node, ("over", "under", "in", "except"), "links option")
    bounds = read_bounds(reading, node, members, "links")
    fields = read_fields(reading, members)
    names = list_names(reading, members["except"]) if "except" in members else []
    if bounds is None or names is None:
        return None
    spared = frozenset().union(*(reading.lists.domains(name) for name in names))

    def check(signals: Signals) -> Match | None:
        found = {
            link.target: (link, field)
            for field in reversed(fields)
            for link in signals.links(field)
            if not _is_spared(link.domain, spared)
        }
        if not bounds.hold(len(found)):
            return None
        some = list(found.values())[:SPANS_SHOWN]
        spans = tuple(signals.link_span(field, link) for link, field in some)
        return Match(len(found), some[0][0].domain if some else "", spans)

    return check


def _is_spared(domain: str, spared: frozenset[str]) -> bool:
    """Whether a domain is listed, or lies under one that is, be that an ending such as `gov`."""
    return is_listed(domain, spared) or domain.rpartition(".")[2] in spared


def count(reading: Reading, node: Node) -> Check | None:
    """Read `count: {of: text, per: 1h, over: 3}`: how often it was seen before."""
    document = reading.document
    members = document.mapping(node, ("of", "per", "over", "under"), "count option")
    if "of" not in members or "per" not in members:
        document.error(node, "count wants of and per: {of: text, per: 1h, over: 3}")
        return None
    of = document.choice(members["of"], "thing to count", get_args(Countable))
    seconds = _seconds(reading, members["per"])
    bounds = read_bounds(reading, node, members, "count")
    if of is None or seconds is None or bounds is None:
        return None
    counter = Counter(next(known for known in get_args(Countable) if known == of), seconds)
    reading.counters.add(counter)

    def check(signals: Signals) -> Match | None:
        seen = signals.context.counts.get(counter.name)
        return Match(seen) if bounds.hold(seen) else None

    return check


def author_history(reading: Reading, node: Node) -> Check | None:
    """Read `author: {approved: {under: 2}, proven: true}`: what is known from before."""
    document = reading.document
    members = document.mapping(node, (*_HISTORY, "proven"), "author option")
    if not members:
        return None
    proven = document.flag(members["proven"], "proven") if "proven" in members else None
    bounds = {
        name: _bounds_of(reading, members[name], f"author {name}")
        for name in _HISTORY
        if name in members
    }
    if None in bounds.values():
        return None

    def check(signals: Signals) -> Match | None:
        if proven is not None and author.is_proven(signals.comment.author) is not proven:
            return None
        history = signals.context.history
        values = {name: getattr(history, name) for name in bounds}
        held = all(bound and bound.hold(values[name]) for name, bound in bounds.items())
        return Match(next(iter(values.values()), "")) if held else None

    return check


def length(reading: Reading, node: Node) -> Check | None:
    """Read `length: {over: 30, in: FIELD}`: how many characters."""
    return _measured(reading, node, "length", len)


def capitals(reading: Reading, node: Node) -> Check | None:
    """Read `capitals: {over: 70%, in: FIELD}`: the share of capitals among the letters."""
    return _measured(reading, node, "capitals", _capitals, shown=_percent)


def characters_of(reading: Reading, node: Node) -> Check | None:
    """Read `characters: {of: invisible, over: 2, in: FIELDS}`: odd characters."""
    document = reading.document
    members = document.mapping(node, ("of", "over", "under", "in"), "characters option")
    if "of" not in members:
        document.error(node, f"characters wants of: one of {', '.join(get_args(Kind))}")
        return None
    kind = document.choice(members["of"], "kind of characters", get_args(Kind))
    bounds = read_bounds(reading, node, members, "characters")
    fields = read_fields(reading, members)
    if kind is None or bounds is None:
        return None
    return partial(_odd_characters, cast(Kind, kind), bounds, fields)


def form_seconds(reading: Reading, node: Node) -> Check | None:
    """Read `form_seconds: {under: 3}`: the time from opening the form to sending it."""
    return _valued(reading, node, "form_seconds", lambda signals: signals.form_seconds)


def score(reading: Reading, node: Node) -> Check | None:
    """Read `score: {of: MODEL, over: 0.9}`: what a model says; absent where it says nothing."""
    document = reading.document
    members = document.mapping(node, ("of", "over", "under"), "score option")
    bounds = read_bounds(reading, node, members, "score")
    model = document.text(members["of"]) if "of" in members else None
    if model is None:
        document.error(node, "score wants the name of a model: {of: MODEL, over: 0.9}")
    if model is None or bounds is None:
        return None
    reading.scores.add(model)
    known = (*NAMES, *SITE_NAMES)
    if model not in known:
        document.warning(
            members["of"],
            f"no model ships that gives a score “{model}”{did_you_mean(model, known)}",
        )

    def check(signals: Signals) -> Match | None:
        found = signals.score(model)
        if found is None or not bounds.hold(found.value):
            return None
        reasons = found.reasons()
        return Match(_percent(found.value), reasons.words, reasons.spans[:SPANS_SHOWN])

    return check


def _measured(
    reading: Reading,
    node: Node,
    what: str,
    measure: Callable[[str], float | None],
    shown: Callable[[float], object] = lambda value: value,
) -> Check | None:
    members = reading.document.mapping(node, ("over", "under", "in"), f"{what} option")
    bounds = read_bounds(reading, node, members, what)
    fields = read_fields(reading, members)
    if bounds is None:
        return None

    def check(signals: Signals) -> Match | None:
        for field in fields:
            value = measure(signals.text(field))
            if value is not None and bounds.hold(value):
                return Match(shown(value))
        return None

    return check


def _valued(
    reading: Reading, node: Node, what: str, value_of: Callable[[Signals], float | None]
) -> Check | None:
    bounds = _bounds_of(reading, node, what)
    if bounds is None:
        return None

    def check(signals: Signals) -> Match | None:
        value = value_of(signals)
        return Match(round(value, 1)) if value is not None and bounds.hold(value) else None

    return check


def _bounds_of(reading: Reading, node: Node, what: str) -> Bounds | None:
    members = reading.document.mapping(node, ("over", "under"), f"{what} option")
    return read_bounds(reading, node, members, what) if members else None


def _odd_characters(
    kind: Kind, bounds: Bounds, fields: tuple[Field, ...], signals: Signals
) -> Match | None:
    for field in fields:
        text = signals.text(field) if signals.may_be_odd(field) else ""
        places = characters.places(text, kind)
        number = characters.longest_marks(text) if kind == "marks" else len(places)
        if bounds.hold(number):
            spans = signals.raw_spans(field, [(at, at + 1) for at in places[:SPANS_SHOWN]])
            return Match(number, spans=tuple(spans))
    return None


def _seconds(reading: Reading, node: Node) -> int | None:
    written = reading.document.text(node) or ""
    seconds = read_period(written)
    if seconds is None:
        reading.document.error(node, f"per must be from 5m to 30d, such as 1h, not “{written}”")
    return seconds


def _capitals(text: str) -> float | None:
    """Return the share of capitals among letters that have two cases; None without any."""
    upper = sum(map(str.isupper, text))
    cased = upper + sum(map(str.islower, text))
    return upper / cased if cased else None


def _percent(share: float) -> str:
    return f"{share:.0%}"
