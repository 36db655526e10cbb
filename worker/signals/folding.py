"""Folding: what readers see as the same becomes the same, a character at a time.

So canonical ordering of combining marks is never needed, which is what makes
normalising a whole text quadratic in Pythons before mid-2026: 1.3 s for 64 KB
of alternating marks.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from worker.signals.alphabets import (
    ALIKE,
    CAPITALS_TO_LATIN,
    GREEK_CAPITALS,
    TO_CYRILLIC,
    TO_LATIN,
)
from worker.signals.view import Edits, Folding, Order, Step, Table, View

#: Canonical combining classes of marks without which a word is another word:
#: vowel signs and viramas of Indic, Thai and Tibetan scripts, Japanese voicing.
_SPELLING_MARKS = frozenset({0, 7, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132})

#: Characters that show nothing although Unicode counts them as letters or marks.
INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}

#: Letters of their own although Unicode takes them apart: without the tilde a
#: Spanish year is a rude word, without the breve Russian adjectives are plurals.
_WHOLE_LETTERS = frozenset("ñйїў")

_PLAINER = {
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u2010": "-", "\u2011": "-",
    "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2800": " ", "\u0131": "i",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
    "\u00e6": "ae", "\u0153": "oe", "\u0251": "a", "\u0269": "i", "\u025b": "e",
    # Arabic and Persian keyboards differ in these; tatweel only stretches a word.
    "\u0640": "", "\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647",
    "\u0671": "\u0627", "\u06c1": "\u0647", "\u06be": "\u0647",
}  # fmt: skip

#: Latin letters that Unicode gives no plain form: small capitals, in squares, with strokes.
_NAMED_LATIN = re.compile(
    r"(?:NEGATIVE |PARENTHESIZED )?(?:CIRCLED |SQUARED |CROSSED )*LATIN (?:SMALL |CAPITAL )?"
    r"LETTER (?:SMALL CAPITAL |SCRIPT )?([A-Z])(?: WITH .*)?"
)

_ASCII = {
    **dict.fromkeys((*range(0x20), 0x7F)),
    **dict.fromkeys(map(ord, "\t\n\r\v\f\x1c\x1d\x1e\x1f"), " "),
}

FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
FLAGS_TO_LATIN = {0x1F1E6 + letter: chr(ord("a") + letter) for letter in range(26)}
_FLAGS = re.compile(f"[{FLAG_LETTERS}]+")

#: What cannot be told from one character alone, looked for in one go.
_NEEDS_CONTEXT = re.compile(
    f"[\u1100-\u11ff\u3131-\u318e\uffa1-\uffdc\u0306{FLAG_LETTERS}{GREEK_CAPITALS}]"
)
_SHORT_LETTER = re.compile("[иуИУ]\u0306")
_MIXED_GREEK = re.compile(f"[A-Za-z][{GREEK_CAPITALS}]|[{GREEK_CAPITALS}][A-Za-z]")
_INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FINALS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_SYLLABLE = re.compile(f"([{_INITIALS}])([ㅏ-ㅣ])((?:[{_FINALS}](?![ㅏ-ㅣ]))?)")

_MIXED = re.compile(f"[{ALIKE}](?:(?<=[a-z].)|(?=[a-z]))")
_LETTERS = re.compile(r"\w+")
_LATIN_LETTER = re.compile("[a-z]")
_LOOK_ALIKE = re.compile(f"[{ALIKE}]")
_ONLY_LATIN = re.compile("[dfgijlnqrsuvwz]")
_ONLY_CYRILLIC = re.compile("[бджзийлфцчшщъыэюя]")

#: Keeps texts apart that are folded together: a character of no meaning.
_BORDER = "\ue000"

_OVERRIDES = re.compile("[\u202d\u202e]")
_DIRECTIONS = re.compile("[\u202a-\u202e\n\u2029]")
_DEEPEST = 8


def plain(text: str) -> View:
    """Return `text` without case, accents, styles, invisible and look-alike characters.

    Look-alike letters are exchanged only inside words that mix alphabets, so
    words of any one script stay what they are.
    """
    return _plain("plain", text, text)


def all_plain(texts: Sequence[str]) -> list[str]:
    """Return what `plain` makes of each of many short texts, much sooner."""
    others = [text for text in texts if not text.isascii()]
    folded = plain(_BORDER.join(others)).text.split(_BORDER) if others else []
    if len(folded) != len(others):
        return [plain(text).text for text in texts]
    rest = iter(folded)
    return [_ascii_folded(text) if text.isascii() else next(rest) for text in texts]


def displayed(text: str) -> View | None:
    """Return `text` in the order in which it is shown, folded; None if that is the same.

    Only overrides of the direction are followed: what they reverse is Latin
    text that somebody typed backwards.
    """
    if not _OVERRIDES.search(text):
        return None
    order = _displayed_order(text)
    return _plain("displayed", text, "".join(map(text.__getitem__, order)), Order(order))


def linkable(text: str) -> View:
    """Return `text` as a browser reads host names: lower case, nothing invisible, accents kept."""
    if text.isascii():
        return _ascii("links", text, text)
    return View("links", text, text.translate(_link_table()), (Folding(text, _link_table()),))


def _plain(name: str, original: str, text: str, *steps: Step) -> View:
    if text.isascii():
        return _ascii(name, original, text, *steps)
    needs_context = _NEEDS_CONTEXT.search(text)
    if needs_context:
        text, edits = _in_context(text)
        steps = (*steps, *edits)
    folded = text.translate(_plain_table())
    view = View(name, original, folded, (*steps, Folding(text, _plain_table())))
    if needs_context:
        view = _with_syllables(view)
    if _MIXED.search(view.text):
        view.text = _LETTERS.sub(_unmixed, view.text)
    return view


def _ascii(name: str, original: str, text: str, *steps: Step) -> View:
    folded = _ascii_folded(text)
    if len(folded) != len(text):
        steps = (*steps, Folding(text, _plain_table()))
    return View(name, original, folded, steps)


def _ascii_folded(text: str) -> str:
    return text.lower().translate(_ASCII)


@cache
def _plain_table() -> Table:
    return Table(_plain_character)


@cache
def _link_table() -> Table:
    return Table(_link_character)


def _plain_character(character: str) -> str:
    if character.isspace():
        return " "
    small = character.casefold()
    if small in _WHOLE_LETTERS or "가" <= character <= "힣":
        return small
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    if jamo := _jamo(character):
        return jamo
    if named := _NAMED_LATIN.fullmatch(unicodedata.name(character, "")):
        return named[1].lower()
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(_PLAINER.get(part, part) for part in parts if not _is_dropped(part))


def _jamo(character: str) -> str:
    """Return a Korean letter as keyboards write it alone; "" for all else."""
    if "\uffa1" <= character <= "\uffdc":
        character = chr(int(unicodedata.decomposition(character).split()[1], 16))
    name = unicodedata.name(character, "")
    if not name.startswith("HANGUL "):
        return ""
    try:
        return unicodedata.lookup(f"HANGUL LETTER {name.rpartition(' ')[2]}")
    except KeyError:
        return ""


def _link_character(character: str) -> str:
    if character.isspace():
        return " "
    if character in INVISIBLE_LETTERS or unicodedata.category(character) in ("Cf", "Cc"):
        return ""
    return unicodedata.normalize("NFKC", character).lower()


def _is_dropped(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Mn" and unicodedata.combining(character) not in _SPELLING_MARKS:
        return True
    return category in ("Cf", "Cc", "Me") or character in INVISIBLE_LETTERS


def _in_context(text: str) -> tuple[str, list[Step]]:
    """Return `text` with what depends on neighbours exchanged, and the ways back."""
    text = _FLAGS.sub(_spelled_out, text)
    if _MIXED_GREEK.search(text):
        text = _LETTERS.sub(_latin_capitals, text)
    edits = [(match.start(), match.end(), 1) for match in _SHORT_LETTER.finditer(text)]
    if not edits:
        return text, []
    composed = _SHORT_LETTER.sub(lambda match: unicodedata.normalize("NFC", match[0]), text)
    return composed, [Edits(edits)]


def _spelled_out(match: re.Match[str]) -> str:
    """Return regional indicators as letters, unless they can be flags, which come in pairs."""
    return match[0].translate(FLAGS_TO_LATIN) if len(match[0]) % 2 else match[0]


def _latin_capitals(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(CAPITALS_TO_LATIN) if _MIXED_GREEK.search(word) else word


def _with_syllables(view: View) -> View:
    """Return the view with Korean letters that were written one by one put together."""
    edits = [(*match.span(), 1) for match in _SYLLABLE.finditer(view.text)]
    if not edits:
        return view
    return view.changed(view.name, _SYLLABLE.sub(_syllable, view.text), Edits(edits))


def _syllable(match: re.Match[str]) -> str:
    initial, vowel, final = match.groups()
    medial = _INITIALS.index(initial) * 21 + ord(vowel) - ord("ㅏ")
    return chr(0xAC00 + medial * 28 + (_FINALS.index(final) + 1 if final else 0))


def _unmixed(match: re.Match[str]) -> str:
    """Return the word in one alphabet: the one that some of its letters leave no doubt about."""
    word = match[0]
    if not _MIXED.search(word):
        return word
    if _ONLY_LATIN.search(word):
        return word.translate(TO_LATIN)
    alike, latin = _LOOK_ALIKE.findall(word), _LATIN_LETTER.findall(word)
    cyrillic = _ONLY_CYRILLIC.search(word) or len(alike) > len(latin)
    return word.translate(TO_CYRILLIC if cyrillic else TO_LATIN)


def _displayed_order(text: str) -> list[int]:
    """Return the places of the characters in the order in which they are shown."""
    shown: list[int] = []
    open_: list[tuple[str, list[int]]] = []
    ignored = last = 0
    for match in _DIRECTIONS.finditer(text):
        (open_[-1][1] if open_ else shown).extend(range(last, match.start()))
        last, mark = match.end(), match[0]
        if mark in "\n\u2029":
            _close(open_, shown, len(open_))
            shown.append(match.start())
            ignored = 0
        elif mark != "\u202c":
            if len(open_) < _DEEPEST:
                open_.append((mark, []))
            else:
                ignored += 1
        elif ignored:
            ignored -= 1
        else:
            _close(open_, shown, min(1, len(open_)))
    (open_[-1][1] if open_ else shown).extend(range(last, len(text)))
    _close(open_, shown, len(open_))
    return shown


def _close(open_: list[tuple[str, list[int]]], shown: list[int], number: int) -> None:
    """End the innermost parts: what runs against what it stands in is turned round."""
    for _ in range(number):
        mark, places = open_.pop()
        outer = open_[-1][0] if open_ else ""
        if (mark == "\u202e") != (outer == "\u202e"):
            places.reverse()
        (open_[-1][1] if open_ else shown).extend(places)
