"""Alphabets: what makes up a word in which script, and letters that look like Latin ones."""

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache

#: Scripts that put no blanks between words: an entry of a list may stand anywhere.
#: Han, Kana and Bopomofo, Thai, Lao, Tibetan, Myanmar, Khmer.
_WITHOUT_BLANKS = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E4E), (0x0E80, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F),
    (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3041, 0x3130),
    (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip
_HANGUL = ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3))
#: Scripts beyond the first plane; taken whole, for exactness there costs time everywhere.
_FURTHER_SCRIPTS = (0x10000, 0x1EFFF)


def _written(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def _letters() -> Iterator[tuple[int, int]]:
    """Yield the ranges of letters, marks and digits of scripts with blanks."""
    apart = {c for ranges in (_WITHOUT_BLANKS, _HANGUL) for a, b in ranges for c in range(a, b + 1)}
    start = None
    for code in range(0x10000):
        is_letter = unicodedata.category(chr(code))[0] in "LMN" and code not in apart
        if is_letter and start is None:
            start = code
        elif not is_letter and start is not None:
            yield start, code - 1
            start = None
    yield _FURTHER_SCRIPTS


_HANGUL_CLASS = _written(_HANGUL)
_BLANKLESS_CLASS = _written(_WITHOUT_BLANKS)
_WORD_CLASS = "_" + _written(tuple(_letters()))

#: One character of a word in a script with blanks, as a class for `re`.
WORD = f"[{_WORD_CLASS}]"
#: The same for Korean, and for scripts without blanks.
HANGUL = f"[{_HANGUL_CLASS}]"
BLANKLESS = f"[{_BLANKLESS_CLASS}]"

#: Words; where the script changes, another begins.
WORDS = re.compile(f"{WORD}+|{HANGUL}+")


class Letter(Enum):
    """In what kind of script a character is part of a word."""

    WORD = auto()
    HANGUL = auto()
    BLANKLESS = auto()


_KIND = re.compile(f"({WORD})|({HANGUL})|({BLANKLESS})")
_KINDS = (None, Letter.WORD, Letter.HANGUL, Letter.BLANKLESS)


@lru_cache(maxsize=4_096)
def kind_of(character: str) -> Letter | None:
    """Return of what kind a character is; None for what stands between words."""
    match = _KIND.match(character)
    return _KINDS[match.lastindex or 0] if match else None


def is_hangul(character: str) -> bool:
    """Whether a character is of a Korean word."""
    return "\u1100" <= character <= "\ud7a3" and kind_of(character) is Letter.HANGUL


_CYRILLIC = "авекмнорстухіјѕԁԛԝһӏгпьѵҽ"
_CYRILLIC_LATIN = "abekmhopctyxijsdqwhlrnbve"
_GREEK, _GREEK_LATIN = "αβεηικμνορστυχγω", "abenikuvopotuxyw"
_ARMENIAN, _ARMENIAN_LATIN = "օոսհցզյլա", "onuhgqjlw"
_CHEROKEE, _CHEROKEE_LATIN = "ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᎽᏀᏂᏃᏕᏙᏟᏢᏦᏞᏴᏔᏒᏧᏏ", "drtiajewmhyghzsvcpklbwrdb"

_LISU, _LISU_LATIN = "ꓐꓑꓒꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ", "bpddtgkjczfmnlsrvhwxyaeiou"

#: Letters of other alphabets that can be taken for Latin ones, in lower case.
ALIKE = _CYRILLIC + _GREEK + _ARMENIAN + _CHEROKEE + _LISU
TO_LATIN = str.maketrans(
    ALIKE, _CYRILLIC_LATIN + _GREEK_LATIN + _ARMENIAN_LATIN + _CHEROKEE_LATIN + _LISU_LATIN
)
#: Latin letters in a Cyrillic word.
TO_CYRILLIC = str.maketrans("abekmhopctyxi", "авекмнорстухі")

#: Greek capitals look like other letters than their small forms do.
GREEK_CAPITALS = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
CAPITALS_TO_LATIN = str.maketrans(GREEK_CAPITALS, "ABEZHIKMNOPTYX")
