"""Characters that tell something by being there: invisible, reversing, styled, piled up.

What writing needs does not count: joiners in emoji and in Persian or Indic
words, direction marks in texts written from right to left.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import re2

#: The kinds that a rule can ask for; of `marks` the longest pile counts.
Kind = Literal["invisible", "bidi", "control", "styled", "marks"]

_INVISIBLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2064\u206a-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_BIDI = re.compile(f"[{_DIRECTIONS}]")
#: Letters between which a joiner changes the writing: Arabic, Syriac, Indic and their like.
_JOINED = "\u0600-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc"
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_PICTURES = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"

_ANY_INVISIBLE = re.compile(f"[{_INVISIBLE}]")
#: Invisible characters with what makes them legitimate, or else alone as `bare`.
_INVISIBLE_IN_PLACE = re.compile(
    f"(?<=[{_PICTURES}\ufe0f])\u200d(?=[{_PICTURES}])"
    f"|(?<=[{_PICTURES}0-9#*])[\ufe0e\ufe0f]"
    f"|(?<=[{_JOINED}])[\u200c\u200d]"
    "|(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
    "|(?<=[\u1820-\u18aa])[\u180b-\u180f]"
    "|(?<=[\u3400-\u9fff\U00020000-\U0003ffff])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|(?<=\U0001f3f4)[\U000e0020-\U000e007e]+\U000e007f"
    "|^\ufeff"
    f"|(?P<bare>[{_INVISIBLE}])"
)
_OVERRIDES = re.compile("[\u202d\u202e]")
_CONTROLS = "\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_PILES = re.compile(f"[{_MARKS}]+")
#: Vietnamese and transliterations need two.
_MOST_MARKS = 2
_STYLED_NAME = re.compile(
    r"(?:MATHEMATICAL|FULLWIDTH LATIN|FULLWIDTH DIGIT|NEGATIVE|CIRCLED LATIN|SQUARED LATIN"
    r"|PARENTHESIZED LATIN|CROSSED NEGATIVE|REGIONAL INDICATOR|LATIN LETTER SMALL CAPITAL"
    r"|DOUBLE-STRUCK|SCRIPT CAPITAL|BLACK-LETTER)"
)
#: Where styled letters are in Unicode, so that most texts need no look at names.
_STYLED = (
    "\u1d00-\u1d2b\u0262\u026a\u0274\u0276\u0280\u028f\u0299\u029c\u029f\u2102-\u2149\u249c-\u24e9"
    "\ua730\ua731\uff10-\uff5a\U0001d400-\U0001d7ff\U0001f110-\U0001f1ff"
)
_MAY_BE_STYLED = re.compile(f"[{_STYLED}]")
#: All of these: one look instead of one for each kind.
_MAY_BE_ODD = re.compile(f"[{_CONTROLS}{_INVISIBLE}{_DIRECTIONS}{_STYLED}{_MARKS}]")
_FLAGS = re.compile("(?:[\U0001f1e6-\U0001f1ff]{2})+(?![\U0001f1e6-\U0001f1ff])")
_WIDE_SCRIPT = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")

#: Letters of three alphabets that share shapes. Apostrophes and hyphens end a
#: word here: endings are put so to foreign names. The Latin e with two dots is
#: missing, since Russians type it for their own.
_LATIN = "A-Za-z\u00c0-\u00ca\u00cc-\u00ea\u00ec-\u024f\u1e00-\u1eff"
_GREEK = "\u0370-\u03ff\u1f00-\u1fff"
_CYRILLIC = "\u0400-\u052f"
_MIXED = re2.compile(
    f"[{_LATIN}][{_GREEK}{_CYRILLIC}]|[{_GREEK}][{_LATIN}{_CYRILLIC}]"
    f"|[{_CYRILLIC}][{_LATIN}{_GREEK}]"
)
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
#: Not hidden: units and signs of science, and endings put to abbreviations.
_OPENLY_MIXED = re.compile(
    r"[0-9A-Za-z]{0,3}[μΩΔαβγδεθλπσφ][0-9A-Za-z]{0,3}|[0-9A-Z]*[A-Z]{2}[а-яёіїєґα-ω]{1,4}"
)


def may_be_odd(text: str) -> bool:
    """Whether a text may have characters of any of the kinds; most texts have none."""
    return bool(_MAY_BE_ODD.search(text))


def places(text: str, kind: Kind) -> list[int]:
    """Return where `text` has characters of a kind that no writing needs there."""
    if text.isascii() and kind != "control":
        return []
    return _FINDERS[kind](text)


def longest_marks(text: str) -> int:
    """Return how many combining marks stand one on another at most; two are still writing."""
    return max((len(match[0]) for match in _PILES.finditer(text)), default=0)


def mixed_script_words(text: str) -> list[tuple[int, int]]:
    """Return the places of words that mix Latin, Greek and Cyrillic letters to look like one."""
    if text.isascii() or not _MIXED.search(text):
        return []
    return [match.span() for match in _WORD.finditer(text) if is_mixed(match[0])]


def is_mixed(word: str) -> bool:
    """Whether a word mixes alphabets that share shapes, as neither units nor endings do."""
    return bool(_MIXED.search(word)) and not _OPENLY_MIXED.fullmatch(word)


def _invisible(text: str) -> list[int]:
    if not _ANY_INVISIBLE.search(text):
        return []
    found = _INVISIBLE_IN_PLACE.finditer(text)
    return [match.start() for match in found if match["bare"]]


def _bidi(text: str) -> list[int]:
    needed = _RIGHT_TO_LEFT.search(text)
    return [match.start() for match in (_OVERRIDES if needed else _BIDI).finditer(text)]


def _control(text: str) -> list[int]:
    return [match.start() for match in _CONTROL.finditer(text)]


def _styled(text: str) -> list[int]:
    if not _MAY_BE_STYLED.search(text):
        return []
    flags = {place for match in _FLAGS.finditer(text) for place in range(*match.span())}
    # Japanese and Chinese keyboards write Latin letters as wide as their own.
    is_wide = bool(_WIDE_SCRIPT.search(text))
    return [
        match.start()
        for match in _MAY_BE_STYLED.finditer(text)
        if match.start() not in flags and _is_styled(match[0], is_wide)
    ]


@lru_cache(maxsize=4_096)
def _is_styled(character: str, is_wide: bool) -> bool:
    name = unicodedata.name(character, "")
    return bool(_STYLED_NAME.match(name)) and not (is_wide and name.startswith("FULLWIDTH"))


def _marks(text: str) -> list[int]:
    """Return where marks pile up beyond two on a letter."""
    return [match.start() for match in _PILES.finditer(text) if len(match[0]) > _MOST_MARKS]


_FINDERS: dict[Kind, Callable[[str], list[int]]] = {
    "invisible": _invisible,
    "bidi": _bidi,
    "control": _control,
    "styled": _styled,
    "marks": _marks,
}
