"""The entries of a word list as people write them, and what may be wrong with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worker.signals.alphabets import Letter, kind_of
from worker.signals.folding import all_plain

#: Limits of a list: what people can keep in mind, and what memory can.
MAX_ENTRIES = 10_000
MAX_CHARACTERS = 100
_FEWEST_LETTERS = 3
#: Where a letter is a syllable or a word, two of them are much.
_FEWEST_SYLLABLES = 2


class Entry(NamedTuple):
    """An entry as written, its folded words, and whether its start and its end are open."""

    text: str
    words: tuple[str, ...]
    open_start: bool
    open_end: bool


@dataclass(frozen=True, slots=True)
class ListProblem:
    """What is wrong with the entry in a line; a warning does not keep the list from working."""

    line: int
    message: str
    is_warning: bool = False


def parsed(texts: Iterable[str]) -> list[Entry]:
    """Return the entries that these texts are, in their order."""
    written = list(texts)
    folded = all_plain([text.strip("*") for text in written])
    return [
        Entry(text, tuple(words.split()), text.startswith("*"), text.endswith("*"))
        for text, words in zip(written, folded, strict=True)
    ]


def problems(lines: Sequence[int], entries: Sequence[Entry]) -> list[ListProblem]:
    """Return what is wrong with the entries of a list; `lines` are those that they stand in."""
    found: list[ListProblem] = []
    first_line: dict[tuple[object, ...], int] = {}
    for number, (line, entry) in enumerate(zip(lines, entries, strict=True), 1):
        if number > MAX_ENTRIES:
            message = f"a list may have {MAX_ENTRIES:,} entries; this and all after it are too many"
            return [*found, ListProblem(line, message)]
        if message := _mistake(entry):
            found.append(ListProblem(line, message))
            continue
        same = first_line.setdefault(entry[1:], line)
        if same != line:
            message = f"“{entry.text}” means the same as the entry in line {same}"
            found.append(ListProblem(line, message, is_warning=True))
    return found


def _mistake(entry: Entry) -> str:
    """Return what keeps an entry from being looked for; "" if nothing does."""
    letters = "".join(entry.words)
    if len(entry.text) > MAX_CHARACTERS:
        return f"longer than {MAX_CHARACTERS} characters"
    if "*" in letters:
        return f"“{entry.text}”: a star may stand at the beginning or the end only"
    if not letters:
        return f"“{entry.text}” has nothing to look for"
    if len(letters) < _FEWEST_LETTERS and len(letters) < _fewest(letters[0]):
        return f"“{entry.text}” is too short: it would be found in harmless text"
    return ""


def _fewest(letter: str) -> int:
    of_syllables = kind_of(letter) in (Letter.HANGUL, Letter.BLANKLESS)
    return _FEWEST_SYLLABLES if of_syllables else _FEWEST_LETTERS
