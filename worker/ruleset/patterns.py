"""Patterns that people write: RE2, so that none takes longer than the text is long."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import re2

from worker.signals.text import plain

MOST_CHARACTERS = 300

_MEMORY = 8 * 2**20
#: So many are searched for at once: several times as fast as each by itself. An automaton of
#: many more has so many states that it is always building new ones.
_AT_ONCE = 6
_ASCII_ONLY = re.compile(r"\\[bBwW]")
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


T = TypeVar("T")


class PatternError(ValueError):
    """A pattern that RE2 does not take; the message says why."""


def compile_pattern(pattern: str, *, folded: bool) -> Any:
    """Return the pattern ready to be searched for, without regard to case.

    For folded texts its own letters are folded as well, so that people may
    write them as they are spelled. Raises PatternError.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise PatternError(f"a pattern has at most {MOST_CHARACTERS} characters")
    try:
        return re2.compile(_folded(pattern) if folded else pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        said = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise PatternError(f"pattern not accepted: {said}") from error


class PatternIndex(Generic[T]):
    """Tells which of many patterns match a text, by what each stands for."""

    def __init__(self, patterns: Mapping[T, Any]) -> None:
        items = list(patterns.items())
        groups = [items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE)]
        self._sets = [_Together(group) for group in groups]

    def candidates(self, encoded: bytes) -> Iterator[T]:
        """Yield what the patterns stand for that match a text in UTF-8, and perhaps others."""
        for together in self._sets:
            yield from together.candidates(encoded)


class _Together(Generic[T]):
    """A few patterns that one automaton looks for."""

    def __init__(self, patterns: Sequence[tuple[T, Any]]) -> None:
        self._things = tuple(thing for thing, _ in patterns)
        self._patterns = tuple(compiled.pattern for _, compiled in patterns)

    def candidates(self, encoded: bytes) -> Sequence[T]:
        matching = self._set.Match(encoded) if self._set else None
        if not matching:
            return self._things
        return [self._things[index] for index in matching if index < len(self._things)]

    @cached_property
    def _set(self) -> Any:
        """An RE2 set of the patterns; None if they are too large for one.

        Made when first asked for, which keeps it out of the time that loading takes.
        """
        found = re2.Set.SearchSet(_options())
        for pattern in self._patterns:
            found.Add(pattern)
        # Matches every text, so that an automaton which ran out of memory is found out:
        # it says the same as one that finds nothing.
        found.Add(r"\z")
        try:
            found.Compile()
        except re2.error:
            return None
        return found


def doubts(pattern: str, compiled: Any) -> list[str]:
    """Return what is probably not meant so."""
    found = []
    if compiled.search("") is not None:
        found.append("the pattern matches the empty text, so it matches every comment")
    if _ASCII_ONLY.search(pattern) and _OTHER_LETTER.search(pattern):
        found.append(
            r"\b and \w know ASCII letters only; beside other letters write"
            r" (?:^|[^\pL\pN]) and [\pL\pN]"
        )
    return found


def _folded(pattern: str) -> str:
    return _NOT_ASCII.sub(lambda letter: _fold_letter(letter[0]), pattern)


def _fold_letter(letter: str) -> str:
    folded = plain(letter).text
    return folded if len(folded) == 1 else f"(?:{re2.escape(folded)})"


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    return options
