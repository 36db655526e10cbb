"""Conditions on what is written: words, phrases, patterns."""

from collections.abc import Iterable, Iterator
from typing import Any

from yaml.nodes import MappingNode, Node

from service.domain.verdict import Span
from worker.ruleset import patterns
from worker.ruleset.conditions.base import (
    SPANS_SHOWN,
    Reading,
    read_fields,
    read_fold,
    span,
)
from worker.ruleset.model import Check, Match
from worker.ruleset.patterns import PatternError, compile_pattern
from worker.ruleset.phrases import Phrase, PhraseError, read_phrase
from worker.ruleset.sieve import Clue
from worker.signals.comment import FIELD_NAMES, Field, Signals
from worker.signals.text import Fold
from worker.signals.words import WordList


def words(reading: Reading, node: Node) -> Check | None:
    """Read `words: {list: NAMES, except: NAMES, fold: hard, in: FIELDS}`."""
    members = reading.document.mapping(node, ("list", "except", "fold", "in"), "word option")
    if "list" not in members:
        reading.document.error(node, "words wants a list: {list: NAME}")
        return None
    names = list_names(reading, members["list"])
    exceptions = list_names(reading, members["except"]) if "except" in members else []
    fields, fold = read_fields(reading, members), read_fold(reading, members)
    if not names or exceptions is None:
        return None
    entries = reading.lists.words(names, exceptions)
    reading.clues.add(Clue(fields, fold, entries=entries))
    return _words_check(entries, fields, fold)


def phrase(reading: Reading, node: Node) -> Check | None:
    """Read `phrase: TEXTS` or `phrase: {any: TEXTS, fold: hard, in: FIELDS}`."""
    members: dict[str, Node] = {"any": node}
    if isinstance(node, MappingNode):
        members = reading.document.mapping(node, ("any", "fold", "in"), "phrase option")
    if "any" not in members:
        reading.document.error(node, "phrase wants texts: {any: [...]}")
        return None
    phrases = [
        read
        for text, item in reading.document.texts(members["any"])
        if (read := _read_phrase(reading, text, item))
    ]
    fields, fold = read_fields(reading, members), read_fold(reading, members)
    reading.clues.add(Clue(fields, fold, phrases=tuple(phrases)))
    return _phrases_check(phrases, fields, fold) if phrases else None


def pattern(reading: Reading, node: Node) -> Check | None:
    """Read `pattern: RE2` or `pattern: {match: RE2, in: FIELDS, fold: plain|none}`."""
    document = reading.document
    members: dict[str, Node] = {"match": node}
    if isinstance(node, MappingNode):
        members = document.mapping(node, ("match", "in", "fold"), "pattern option")
    if "match" not in members:
        document.error(node, "pattern wants something to match: {match: RE2}")
        return None
    text = document.text(members["match"])
    fold = document.choice(members["fold"], "fold", ("plain", "none")) if "fold" in members else ""
    fields = read_fields(reading, members)
    if text is None:
        return None
    try:
        compiled = compile_pattern(text, folded=fold != "none")
    except PatternError as error:
        document.error(members["match"], str(error))
        return None
    for doubt in patterns.doubts(text, compiled):
        document.warning(members["match"], doubt)
    return _raw_check(compiled, fields) if fold == "none" else _pattern_check(compiled, fields)


def list_names(reading: Reading, node: Node) -> list[str] | None:
    """Return the lists that are named, one or several; None if one of them is not there."""
    document = reading.document
    nodes = document.one_or_more(node)
    named = [document.choice(item, "list", reading.lists.names) for item in nodes]
    return None if None in named else [name for name in named if name]


def _words_check(entries: WordList, fields: tuple[Field, ...], fold: Fold) -> Check:
    def found(signals: Signals) -> Iterator[tuple[str, Span]]:
        for field in fields:
            for view in signals.views(field, fold):
                for one in signals.found(entries, view):
                    yield one.entry, span(field, view, one.start, one.end)

    return lambda signals: _match(found(signals))


def _phrases_check(phrases: list[Phrase], fields: tuple[Field, ...], fold: Fold) -> Check:
    def found(signals: Signals) -> Iterator[tuple[str, Span]]:
        for field in fields:
            for view in signals.views(field, fold):
                for one in signals.possible(phrases, view):
                    for start, end in one.find(signals, view):
                        yield view.text[start:end], span(field, view, start, end)

    return lambda signals: _match(found(signals))


def _pattern_check(compiled: Any, fields: tuple[Field, ...]) -> Check:
    def found(signals: Signals) -> Iterator[tuple[str, Span]]:
        for field in fields:
            for view in signals.views(field):
                for start, end in _places(compiled, view.text, view.encoded):
                    yield view.text[start:end], span(field, view, start, end)

    return lambda signals: _match(found(signals))


def _match(found: Iterable[tuple[str, Span]]) -> Match | None:
    """Return what is found, with the first places that differ: these are all that is shown.

    What several views show, the first of them shows. No more than that is looked for.
    """
    first, places = "", dict[tuple[str, int, int], Span]()
    for text, place in found:
        first = first or text
        places.setdefault((place.field, place.start, place.end), place)
        if len(places) == SPANS_SHOWN:
            break
    return Match(len(places), first, tuple(places.values())) if places else None


def _raw_check(compiled: Any, fields: tuple[Field, ...]) -> Check:
    def found(signals: Signals) -> Iterator[tuple[str, Span]]:
        for field in fields:
            text = signals.text(field)
            for start, end in _places(compiled, text, text.encode()):
                yield text[start:end], Span(FIELD_NAMES[field], start, end, view="raw")

    return lambda signals: _match(found(signals))


def _places(compiled: Any, text: str, encoded: bytes) -> list[tuple[int, int]]:
    """Return where a pattern matches; what it finds of no length says nothing.

    Most patterns match nowhere, which the text as RE2 reads it tells soonest.
    """
    if not compiled.search(encoded):
        return []
    return [match.span() for match in compiled.finditer(text) if match.end() > match.start()]


def _read_phrase(reading: Reading, text: str, node: Node) -> Phrase | None:
    def list_of(name: str) -> WordList | None:
        if name in reading.lists.names:
            return reading.lists.words([name])
        reading.document.unknown(node, "list", name, reading.lists.names)
        return None

    try:
        return read_phrase(text, list_of)
    except PhraseError as error:
        reading.document.error(node, f"{error}, in the phrase “{text}”")
        return None
