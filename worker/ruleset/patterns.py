"""Patterns that people write: RE2, so that none takes longer than the text is long."""

import re
from typing import Any

import re2

from worker.signals.text import plain

MOST_CHARACTERS = 300

_MEMORY = 8 * 2**20
_ASCII_ONLY = re.compile(r"\\[bBwW]")
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


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
