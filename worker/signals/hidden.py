"""Readings of words that were written so that programs do not see them.

Each undoes one trick and has its name; one trick after another undone joins the
names with `+`. Words of prose are never joined: only letters that stand alone,
and the parts of one word around a single sign.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from worker.signals.alphabets import ALIKE, TO_LATIN
from worker.signals.folding import FLAG_LETTERS, FLAGS_TO_LATIN
from worker.signals.view import Edits, View

#: Combinations of which letters are meant once and which twice are tried for
#: so many repeated letters of a word.
_REPEATED = 2

#: Letters of scripts in which words are cut up; digits and signs that stand for letters.
_LETTER = "a-zñ\u0370-\u052f\u0590-\u06ff\uac00-\ud7a3"
_SIGNS = "0-9@$€"
#: Signs that stand for letters only between letters.
_INNER_SIGNS = "!|+("

_WHOLLY_ALIKE = re.compile(f"\\b[{ALIKE}]{{3,}}\\b")
_FOREIGN = re.compile(f"[^\\W\\d_a-z{ALIKE}]")
_LATIN = re.compile("[a-z]")
_FLAG_RUN = re.compile(f"[{FLAG_LETTERS}]{{4,}}")

_SINGLE = "[^\\W2689_]|[@$]"
_BETWEEN = r"(?: {1,3}| ?(?:[^\w\s@$]|_){1,3} ?)"
_SPACED = re.compile(rf"(?<![\w@$])(?:{_SINGLE})(?:{_BETWEEN}(?:{_SINGLE})(?![\w@$])){{2,}}")
_SINGLES = re.compile(_SINGLE)
_SHORTEST_RUN = 3
#: Words of one letter, which may stand before a spaced word: `a` or `I`, and so in other languages.
_ONE_LETTER_WORDS = frozenset("aiouyeвиксуояіє")
#: One sign inside a word. A star more often stands for a letter left out in
#: politeness; apostrophes and slashes separate words.
_CUT = re.compile(
    rf"(?<=[{_LETTER}@$])(?:[^\w\s'/@$!|+(*&%#)]|_)(?=[{_LETTER}@$])"
    rf"|(?<=[{_LETTER}][{_LETTER}])\*(?=[{_LETTER}][{_LETTER}])"
)

_LEET_HINT = re.compile(
    rf"[{_LETTER}][{_SIGNS}]|[{_SIGNS}][{_LETTER}]|[{_LETTER}][{_INNER_SIGNS}]+[{_LETTER}]"
)
_LEET_WORD = re.compile(
    rf"(?<![{_LETTER}{_SIGNS}{_INNER_SIGNS}])(?=[{_LETTER}]*[{_SIGNS}{_INNER_SIGNS}])"
    rf"[{_LETTER}{_SIGNS}{_INNER_SIGNS}]+"
)
_LETTERS = re.compile(f"[{_LETTER}]")
_CYRILLIC = re.compile("[\u0400-\u052f]")
#: Numbers with a unit or an ending: `5th`, `10km`, `1990s`.
_NUMBER = re.compile(
    r"[$€]?\d+(?:st|nd|rd|th|[sdhkmgxpcfvw]|[ap]m|[kcm]m|[km]g|ml|[kmgt]b|[mg]?hz|ft|lbs?|min|mph)"
)
_LEET = {
    "0": "o", "2": "z", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "€": "e", "+": "t", "(": "c",
}  # fmt: skip
_LEET_CYRILLIC = str.maketrans("03468@$€", "озчбвасе")
#: Strokes stand for either letter.
_STROKES = "1!|"
_LEETS = tuple(str.maketrans(_LEET | dict.fromkeys(_STROKES, letter)) for letter in "il")

_REPEATS = re.compile(r"([^\W\d_])\1\1+")


def revealed(view: View) -> Iterator[View]:
    """Yield the readings of `view` that undo something; none for ordinary prose."""
    base = _without_look_alikes(view)
    if base is not view:
        yield base
    final = [base]
    for reading in (base, *_joined(base)):
        if reading is not base:
            yield reading
        final = list(_without_leet(reading)) or [reading]
        if final[0] is not reading:
            yield from final
    for reading in final:
        yield from _squeezed(reading)


def _named(view: View, trick: str) -> str:
    return trick if view.name == "plain" else f"{view.name}+{trick}"


def _without_look_alikes(view: View) -> View:
    """Return the view with words wholly of look-alikes in Latin letters.

    Not in a text of another alphabet, which has such words of its own.
    """
    text = view.text.replace("ñ", "n")
    if _WHOLLY_ALIKE.search(text) and not _is_foreign(text):
        text = _WHOLLY_ALIKE.sub(_in_latin, text)
    text = _FLAG_RUN.sub(_without_flags, text)
    return view if text == view.text else view.changed(_named(view, "look-alikes"), text)


def _is_foreign(text: str) -> bool:
    return len(_FOREIGN.findall(text)) > len(_LATIN.findall(text))


def _in_latin(match: re.Match[str]) -> str:
    return match[0].translate(TO_LATIN)


def _without_flags(match: re.Match[str]) -> str:
    return match[0].translate(FLAGS_TO_LATIN)


def _joined(view: View) -> Iterator[View]:
    """Yield the view with letters that stand alone put together, and words that signs cut.

    Where a word of one letter may stand before the others, there is a second.
    """
    runs = list(_SPACED.finditer(view.text))
    cuts = [match.span() for match in _CUT.finditer(view.text)]
    seen = {view.text}
    for is_first_apart in (False, True) if runs else (False,):
        gaps = {gap for run in runs for gap in _gaps(run, is_first_apart=is_first_apart)}
        reading = _without(view, sorted(gaps.union(cuts)))
        if reading.text not in seen:
            seen.add(reading.text)
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


def _without(view: View, gaps: list[tuple[int, int]]) -> View:
    """Return the view without the gaps."""
    kept: list[str] = []
    last = 0
    for start, end in gaps:
        kept.append(view.text[last:start])
        last = end
    kept.append(view.text[last:])
    edits = Edits([(start, end, 0) for start, end in gaps])
    return view.changed(_named(view, "spaced"), "".join(kept), edits)


def _without_leet(view: View) -> Iterator[View]:
    """Yield the view with digits and signs inside words read as letters, strokes as i and as l."""
    if not _LEET_HINT.search(view.text):
        return
    seen = {view.text}
    for table in _LEETS:
        text = _LEET_WORD.sub(lambda match: _spelled(match[0], table), view.text)  # noqa: B023
        if text not in seen:
            seen.add(text)
            yield view.changed(_named(view, "leet"), text)


def _spelled(word: str, table: dict[int, str]) -> str:
    """Return a word in letters, if it has enough of them to be one."""
    inner = word.rstrip(_INNER_SIGNS)
    rest = word[len(inner) :]
    letters = len(_LETTERS.findall(inner))
    if letters < max(2, len(inner) - letters) or _NUMBER.fullmatch(inner):
        return word
    return inner.translate(_LEET_CYRILLIC if _CYRILLIC.search(inner) else table) + rest


def _squeezed(view: View) -> Iterator[View]:
    """Yield the view with each letter that stands three times or more once, and twice."""
    text = view.text
    repeats = [match.span() for match in _REPEATS.finditer(text) if not _is_www(match)]
    if not repeats:
        return
    ranks = list(_ranks(text, repeats))
    for choice in range(2 ** min(_REPEATED, max(ranks) + 1)):
        edits = [
            (start, end, 1 + (choice >> rank % _REPEATED & 1))
            for (start, end), rank in zip(repeats, ranks, strict=True)
        ]
        yield view.changed(_named(view, "squeeze"), _shortened(text, edits), Edits(edits))


def _is_www(match: re.Match[str]) -> bool:
    return match[0] == "www" and match.string[match.end() : match.end() + 1] == "."


def _ranks(text: str, repeats: list[tuple[int, int]]) -> Iterator[int]:
    """Yield for each repeated letter how many others of its word come before it."""
    rank, last = 0, None
    for start, end in repeats:
        is_same_word = last is not None and (last == start or text[last:start].isalnum())
        rank = rank + 1 if is_same_word else 0
        yield rank
        last = end


def _shortened(text: str, edits: list[tuple[int, int, int]]) -> str:
    kept: list[str] = []
    last = 0
    for start, end, length in edits:
        kept.append(text[last : start + length])
        last = end
    kept.append(text[last:])
    return "".join(kept)
