"""Readings of words that were written so that programs do not see them.

Each undoes one trick and has its name; one trick after another undone joins the
names with `+`. Words of prose are never joined: only letters that stand alone,
and the parts of one word around a single sign.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import re2

from worker.signals.alphabets import ALIKE, TO_LATIN
from worker.signals.excerpts import Place, excerpt
from worker.signals.folding import FLAG_LETTERS, FLAGS_TO_LATIN
from worker.signals.view import Edits, View

#: Combinations of which letters are meant once and which twice are tried for
#: so many repeated letters of a word.
_REPEATED = 3

#: Shorter readings are sooner searched than cut.
_WORTH_CUTTING = 500

#: Letters of scripts in which words are cut up, and in which letters are repeated.
_LETTER = "a-zñ\u0370-\u052f\u0590-\u06ff\uac00-\ud7a3"
_REPEATABLE = [
    chr(code)
    for first, last in ("az", "ññ", "аґ", "את", "ؠي")
    for code in range(ord(first), ord(last) + 1)
]
#: Digits and signs that stand for letters; the inner ones only between letters.
_SIGNS = "0-9@$€£¥¢₡₣₦₩₫₭₮₱₲₴₿"
_INNER_SIGNS = "!|+("

_TILDE = re.compile("ñ")
_WHOLLY_ALIKE = re.compile(rf"[{ALIKE}](?<!\w.)[{ALIKE}]{{2,}}\b")
_FOREIGN = re.compile(f"[^\\W\\d_a-z{ALIKE}]+")
_LATIN = re.compile("[a-z]+")
_FLAG_RUN = re.compile(f"[{FLAG_LETTERS}]{{4,}}")

_SINGLE = "(?:[^\\W2689_]|[@$])"
_BETWEEN = r"(?:[^\w@$]|_){1,5}"
_SPACED = re.compile(rf"(?<![\w@$]){_SINGLE}(?:{_BETWEEN}{_SINGLE}(?![\w@$])){{2,}}")
_SINGLES = re.compile(_SINGLE)
_SHORTEST_RUN = 3
#: Words of one letter, which may stand before a spaced word: `a` or `I`, and so in other languages.
_ONE_LETTER_WORDS = frozenset("aiouyeвиксуояіє")
#: Signs inside a word, and a digit between Korean syllables. A star more often
#: stands for a letter left out in politeness; apostrophes and slashes separate words.
_CUTTING = r"[\W_](?<![\s'/@$*&%#])"
#: What must come first is looked for first, which is soonest done.
_CUT = re.compile(
    rf"{_CUTTING}(?<=[{_LETTER}@$][\W_])(?:{_CUTTING}){{0,2}}(?=[{_LETTER}@$])"
    rf"|\*(?<=[{_LETTER}][{_LETTER}]\*)(?=[{_LETTER}][{_LETTER}])"
    r"|\d(?<=[\uac00-\ud7a3]\d)(?=[\uac00-\ud7a3])"
)

_LEET_HINT = re.compile(
    rf"[{_SIGNS}{_INNER_SIGNS}](?:(?<=[{_LETTER}][{_SIGNS}])|(?<=[{_SIGNS}])(?=[{_LETTER}])"
    rf"|(?<=[{_LETTER}][{_INNER_SIGNS}])[{_INNER_SIGNS}]*(?=[{_LETTER}]))"
)
_LEET_WORD = re.compile(
    rf"(?<![{_LETTER}{_SIGNS}{_INNER_SIGNS}])(?=[{_LETTER}]*[{_SIGNS}{_INNER_SIGNS}])"
    rf"[{_LETTER}{_SIGNS}{_INNER_SIGNS}]+"
)
_LETTERS = re.compile(f"[{_LETTER}]")
_CYRILLIC = re.compile("[\u0400-\u052f]")
#: Numbers with a unit or an ending: `5th`, `10km`, `1990s`.
_NUMBER = re.compile(
    r"[$€£]?\d+(?:st|nd|rd|th|[sdhkmgxpcfvw]|[ap]m|[kcm]m|[km]g|ml|[kmgt]b|[mg]?hz|ft|lbs?|min|mph)"
)
_LEET = {
    "0": "o", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "€": "e", "+": "t", "(": "c", "£": "l", "¥": "y", "¢": "c", "₡": "c",
    "₣": "f", "₦": "n", "₩": "w", "₫": "d", "₭": "k", "₮": "t", "₱": "p", "₲": "g", "₴": "s",
    "₿": "b",
}  # fmt: skip
_LEET_CYRILLIC = str.maketrans("03468@$€", "озчбвасе")
#: Strokes stand for either letter.
_STROKES = "1!|"
_LEETS = tuple(str.maketrans(_LEET | dict.fromkeys(_STROKES, letter)) for letter in "il")

#: Words with a letter three times or more; doubled letters of these are in doubt as well.
_DRAWLED = re.compile(r"(?<![^\W\d_])[^\W\d_]*?([^\W\d_])\1\1[^\W\d_]*")
_TRIPLE = re.compile(r"([^\W\d_])\1\1")
#: Words of doubled letters alone.
_DOUBLED = re.compile(r"(?<!\w)(?:([^\W\d_])\1){3,}(?!\w)")
_REPEATS = re.compile(r"([^\W\d_])\1+")

#: Characters of texts that one quick pass can judge: of alphabets that are small
#: enough for RE2's automaton. In other texts every trick is looked for by itself.
_QUICK = "a-zñ\u0430-\u0491\u05d0-\u05ea\u0620-\u064a"
_NOT_QUICK = re.compile(f"[^ -~\u00a1-\u00bf{_QUICK}]")
_SINGLE_QUICKLY = f"[{_QUICK}0-9@$]"
_APART_QUICKLY = f"[^{_QUICK}0-9@$]"
_TRIPLES = "|".join(letter * 3 for letter in _REPEATABLE)
_DOUBLES = "|".join(letter * 2 for letter in _REPEATABLE)
_SPACING, _CUTS, _LEETS_USED, _REPEATING = range(4)
_ALL_TRICKS = frozenset({_SPACING, _CUTS, _LEETS_USED, _REPEATING})
#: What each trick cannot do without, in as little as an automaton needs.
_SIGNS_OF_TRICKS = {
    _SPACING: rf"(?:^|{_APART_QUICKLY})(?:{_SINGLE_QUICKLY}{_APART_QUICKLY}+){{2}}"
    rf"{_SINGLE_QUICKLY}(?:{_APART_QUICKLY}|$)",
    _CUTS: rf"[{_QUICK}@$][^{_QUICK}0-9\s'/@$*&%#]{{1,3}}[{_QUICK}@$]|[{_QUICK}]\*[{_QUICK}]",
    _LEETS_USED: rf"[{_QUICK}][{_SIGNS}]|[{_SIGNS}][{_QUICK}]"
    rf"|[{_QUICK}][{_INNER_SIGNS}]+[{_QUICK}]",
    _REPEATING: f"{_TRIPLES}|(?:{_DOUBLES}){{3}}",
}


class Reading(NamedTuple):
    """A view that undoes something, and the places where it differs from what it is made of."""

    view: View
    changed: Sequence[Place]

    def news(self, margin: int) -> View:
        """Return the sentences that are read differently, and what is `margin` around it."""
        if len(self.view.text) < _WORTH_CUTTING:
            return self.view
        return excerpt(self.view, self.changed, margin)


def revealed(view: View, margin: int | None = None) -> Iterator[Reading]:
    """Yield the readings of `view` that undo something; none for ordinary prose.

    With a `margin` each but that in Latin letters has only the sentences in which
    something is undone, and so many characters around it at least. Each is made of
    `view` or of one that came before, and tells nothing new where it is the same.
    """
    in_latin = _without_look_alikes(view)
    if in_latin:
        yield in_latin
    for base in (view, in_latin.view) if in_latin else (view,):
        tricks = _possible_tricks(base.text)
        if margin is None:
            yield from _undone(base, tricks)
        elif places := list(_changing(base.text, tricks)):
            yield from _undone(excerpt(base, places, margin), tricks)


def _changing(text: str, tricks: Collection[int]) -> Iterator[Place]:
    """Yield the places that undoing these tricks changes, and some more."""
    if _SPACING in tricks:
        yield from _spans(_SPACED.finditer(text))
    if _CUTS in tricks:
        yield from _spans(_CUT.finditer(text))
    if _LEETS_USED in tricks:
        yield from _spans(word for word in _LEET_WORD.finditer(text) if _is_leet(word[0]))
    if _REPEATING in tricks:
        yield from _spans(_drawled(text))
        yield from _spans(_DOUBLED.finditer(text))


def _spans(matches: Iterable[re.Match[str]]) -> list[Place]:
    return [match.span() for match in matches]


def _is_leet(word: str) -> bool:
    return any(_spelled(word, table) != word for table in _LEETS)


def _undone(base: View, tricks: Collection[int]) -> Iterator[Reading]:
    """Yield what undoing one trick after the other makes of a view."""
    yield from _spelled_and_squeezed(base, tricks)
    if _SPACING in tricks or _CUTS in tricks:
        for joined in _joined(base, tricks):
            yield joined
            yield from _spelled_and_squeezed(joined.view, _possible_tricks(joined.view.text))


def _spelled_and_squeezed(view: View, tricks: Collection[int]) -> Iterator[Reading]:
    spelled = list(_without_leet(view)) if _LEETS_USED in tricks else []
    yield from spelled
    if spelled or _REPEATING in tricks:
        for last in [reading.view for reading in spelled] or [view]:
            yield from _squeezed(last)


def _possible_tricks(text: str) -> Collection[int]:
    """Return the tricks that may be there: none for most prose, at little cost."""
    if _NOT_QUICK.search(text):
        return _ALL_TRICKS
    return _trick_finder().Match(text) or ()


@cache
def _trick_finder() -> Any:
    options = re2.Options()
    options.log_errors = False
    finder = re2.Set.SearchSet(options)
    for pattern in _SIGNS_OF_TRICKS.values():
        finder.Add(pattern)
    finder.Compile()
    return finder


def _named(view: View, trick: str) -> str:
    return trick if view.name == "plain" else f"{view.name}+{trick}"


def _without_look_alikes(view: View) -> Reading | None:
    """Return the view with words wholly of look-alikes in Latin letters; None if it has none.

    Not in a text of another alphabet, which has such words of its own.
    """
    if view.text.isascii():
        return None
    text, changed = view.text, _spans(_TILDE.finditer(view.text))
    text = text.replace("ñ", "n")
    if (alike := _spans(_WHOLLY_ALIKE.finditer(text))) and not _is_foreign(text):
        text, changed = _WHOLLY_ALIKE.sub(_in_latin, text), changed + alike
    if flags := _spans(_FLAG_RUN.finditer(text)):
        text, changed = _FLAG_RUN.sub(_without_flags, text), changed + flags
    return Reading(view.changed(_named(view, "look-alikes"), text), changed) if changed else None


def _is_foreign(text: str) -> bool:
    return len("".join(_FOREIGN.findall(text))) > len("".join(_LATIN.findall(text)))


def _in_latin(match: re.Match[str]) -> str:
    return match[0].translate(TO_LATIN)


def _without_flags(match: re.Match[str]) -> str:
    return match[0].translate(FLAGS_TO_LATIN)


def _joined(view: View, tricks: Collection[int]) -> Iterator[Reading]:
    """Yield the view with letters that stand alone put together, and words that signs cut.

    Where a word of one letter may stand before the others, there is a second.
    """
    runs = list(_SPACED.finditer(view.text)) if _SPACING in tricks else []
    cuts = _spans(_CUT.finditer(view.text)) if _CUTS in tricks else []
    seen = {view.text}
    for is_first_apart in (False, True) if runs else (False,):
        gaps = {gap for run in runs for gap in _gaps(run, is_first_apart=is_first_apart)}
        reading = _edited(view, "spaced", [(*gap, 0) for gap in sorted(gaps.union(cuts))])
        if reading.view.text not in seen:
            seen.add(reading.view.text)
            yield reading


def _gaps(run: re.Match[str], *, is_first_apart: bool) -> Iterator[tuple[int, int]]:
    """Yield the gaps between letters of one word, in a run of letters that stand alone."""
    letters = [run.start() + match.start() for match in _SINGLES.finditer(run[0])]
    gaps = [(left + 1, right) for left, right in pairwise(letters)]
    texts = [run.string[slice(*gap)] for gap in gaps]
    shortest = min(map(len, texts))
    if all(map(str.isspace, texts)):
        ends = [len(text) > shortest for text in texts]
    else:
        ends = [text.isspace() for text in texts]
    first = 0
    for at, is_end in enumerate((*ends, True)):
        if is_end:
            word = gaps[first:at]
            is_word = len(word) + 1 >= _SHORTEST_RUN
            apart = is_first_apart and len(word) >= _SHORTEST_RUN
            if is_word:
                skip = apart and run.string[word[0][0] - 1] in _ONE_LETTER_WORDS
                yield from word[skip:]
            first = at + 1


def _edited(view: View, trick: str, edits: list[tuple[int, int, int]]) -> Reading:
    """Return the view with as much as `edits` say of the beginnings of places, without the rest."""
    kept: list[str] = []
    last = 0
    for start, end, length in edits:
        kept.append(view.text[last : start + length])
        last = end
    kept.append(view.text[last:])
    step = Edits(edits)
    return Reading(view.changed(_named(view, trick), "".join(kept), step), step.replaced())


def _without_leet(view: View) -> Iterator[Reading]:
    """Yield the view with digits and signs inside words read as letters, strokes as i and as l."""
    if not _LEET_HINT.search(view.text):
        return
    words = _spans(_LEET_WORD.finditer(view.text))
    seen = {view.text}
    for table in _LEETS:
        letters = list(view.text)
        for start, end in words:
            letters[start:end] = _spelled(view.text[start:end], table)
        text = "".join(letters)
        if text not in seen:
            seen.add(text)
            yield Reading(view.changed(_named(view, "leet"), text), words)


def _spelled(word: str, table: dict[int, str]) -> str:
    """Return a word in letters, if it has enough of them to be one."""
    inner = word.strip(_INNER_SIGNS)
    letters = len(_LETTERS.findall(inner))
    if letters < max(2, len(inner) - letters) or _NUMBER.fullmatch(inner):
        return word
    before, _, behind = word.partition(inner)
    spelled = inner.translate(_LEET_CYRILLIC if _CYRILLIC.search(inner) else table)
    return f"{before}{spelled}{behind}"


def _squeezed(view: View) -> Iterator[Reading]:
    """Yield the view with letters that stand three times or more once, and twice."""
    drawled = _spans(word for word in _drawled(view.text) if not _is_www(word))
    doubled = _spans(_DOUBLED.finditer(view.text))
    ranked = [
        (*match.span(), rank % _REPEATED)
        for word in sorted({*drawled, *doubled})
        for rank, match in enumerate(_REPEATS.finditer(view.text, *word))
    ]
    if not ranked:
        return
    for choice in range(2 ** (1 + max(rank for _, _, rank in ranked))):
        edits = [(start, end, 1 + (choice >> rank & 1)) for start, end, rank in ranked]
        yield _edited(view, "squeeze", edits)


def _drawled(text: str) -> Iterator[re.Match[str]]:
    """Yield the words with a letter three times, which few texts have, found by that letter."""
    end = 0
    while triple := _TRIPLE.search(text, end):
        before = text.rfind(" ", end, triple.start())
        if word := _DRAWLED.search(text, max(end, before)):
            yield word
        end = word.end() if word else len(text)


def _is_www(match: re.Match[str]) -> bool:
    return match[0] == "www" and match.string[match.end() : match.end() + 1] == "."
