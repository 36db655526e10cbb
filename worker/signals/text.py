"""Text as rules see it: folded, with the way back to the characters received.

Folding looks at one character at a time and drops or keeps each mark by
itself. So canonical ordering of combining marks is never needed, which is what
makes normalising a whole text quadratic in Pythons before mid-2026: 1.3 s for
64 KB of alternating marks.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

#: Characters folded before are remembered up to this number, so that a text
#: made of all of Unicode cannot fill the memory.
_REMEMBERED = 20_000

#: Canonical combining classes of marks without which a word is another word:
#: vowel signs and viramas of Indic, Thai and Tibetan scripts, Japanese voicing.
_SPELLING_MARKS = frozenset({0, 7, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132})

#: Characters that show nothing although Unicode counts them as letters or marks.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}

_PLAINER = {
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u2010": "-", "\u2011": "-",
    "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2800": " ", "\u0131": "i",
    "\u0142": "l", "\u00f8": "o", "\u0111": "d",
}  # fmt: skip

# White letters in black circles and squares, which Unicode gives no plain form.
_PLAINER |= {
    chr(first + letter): chr(ord("a") + letter)
    for first in (0x1F150, 0x1F170)
    for letter in range(26)
}

_CYRILLIC = "авекмнорстухіјѕԁԛԝһӏ"
_GREEK = "αβεικνορτυχγ"
_TO_LATIN = str.maketrans(_CYRILLIC + _GREEK, "abekmhopctyxijsdqwhl" + "abeikvoptuxy")
_TO_CYRILLIC = str.maketrans("abekmhopctyx", _CYRILLIC[:12])
_LATIN_LETTER = re.compile("[a-z]")
_LOOK_ALIKE = re.compile(f"[{_CYRILLIC}{_GREEK}]")
_ONLY_LATIN = re.compile("[dfgijlnqrsuvwz]")
_ONLY_CYRILLIC = re.compile("[бгджзийлпфцчшщъыьэюя]")
_WORD = re.compile(r"\w+")
_ASCII_SPACES = str.maketrans("\t\n\r\v\f", "     ")


class View:
    """A folded text that can tell where its characters stood in the original."""

    def __init__(self, name: str, original: str, text: str, fold: "_Fold") -> None:
        self.name = name
        self.text = text
        self._original = original
        self._fold = fold
        self._starts: list[int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the original text."""
        if self._original.isascii():
            return start, end
        if self._starts is None:
            self._starts = _starts(self._original, self._fold)
        return self._starts[start], self._starts[end - 1] + 1

    def source(self, start: int, end: int) -> str:
        """Return the characters received that `text[start:end]` stands for."""
        return self._original[slice(*self.place(start, end))]


def plain(text: str) -> View:
    """Return `text` without case, accents, styles, invisible and look-alike characters.

    Look-alike letters are exchanged only inside words that mix alphabets, so
    words of any one script stay what they are.
    """
    if text.isascii():
        return View("plain", text, text.lower().translate(_ASCII_SPACES), _plain_fold())
    folded = text.translate(_plain_fold())
    if _LOOK_ALIKE.search(folded):
        folded = _WORD.sub(_unmixed, folded)
    return View("plain", text, folded, _plain_fold())


def linkable(text: str) -> View:
    """Return `text` as a browser reads host names: lower case, nothing invisible, accents kept."""
    if text.isascii():
        return View("links", text, text.lower().translate(_ASCII_SPACES), _link_fold())
    return View("links", text, text.translate(_link_fold()), _link_fold())


def control_characters(text: str) -> list[int]:
    """Return the places of C1 control characters, which no keyboard types."""
    return [match.start() for match in _C1.finditer(text)]


_C1 = re.compile("[\x80-\x84\x86-\x9f]")


class _Fold(dict[int, str]):
    """A table for `str.translate` that works out each character when first met."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__()
        self._fold_one = fold

    def __missing__(self, code: int) -> str:
        folded = self._fold_one(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = folded
        return folded


@cache
def _plain_fold() -> _Fold:
    return _Fold(_plain)


@cache
def _link_fold() -> _Fold:
    return _Fold(_linkable)


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    parts = unicodedata.normalize("NFKD", decomposed)
    return "".join(_PLAINER.get(part, part) for part in parts if not _is_dropped(part))


def _linkable(character: str) -> str:
    if character.isspace():
        return " "
    if character in _INVISIBLE or unicodedata.category(character) in ("Cf", "Cc"):
        return ""
    return unicodedata.normalize("NFKC", character).lower()


def _is_dropped(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Mn" and unicodedata.combining(character) not in _SPELLING_MARKS:
        return True
    return category in ("Cf", "Cc", "Me") or character in _INVISIBLE


def _unmixed(match: re.Match[str]) -> str:
    """Return the word in one alphabet: the one that some of its letters leave no doubt about."""
    word = match.group()
    latin, alike = _LATIN_LETTER.findall(word), _LOOK_ALIKE.findall(word)
    if not (latin and alike):
        return word
    if _ONLY_LATIN.search(word):
        return word.translate(_TO_LATIN)
    cyrillic = _ONLY_CYRILLIC.search(word) or len(alike) > len(latin)
    return word.translate(_TO_CYRILLIC if cyrillic else _TO_LATIN)


def _starts(original: str, fold: _Fold) -> list[int]:
    return [index for index, character in enumerate(original) for _ in fold[ord(character)]]
