"""Words and phrases of a list, found in a folded text.

An entry is a whole word or several with blanks or a hyphen between; `word*`
stands for any ending, `*word` for any beginning, `*word*` for both. In scripts
that put no blanks between words an entry may stand anywhere. Korean particles
may follow an entry and Arabic and Hebrew ones (and, the, in ...) precede it, as
grammar glues them on.

Entries are found by the words of the text, of which there are few, in an index
that all lists of a ruleset share: so ten thousand entries cost no more than ten.
Each stands there under its rarest word. The index tells which entries may be
there; whether they are, and where, is found out for those few. What has no word
to be found by (`*word`, scripts without blanks) is looked for by an RE2 set.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice
from typing import Any, NamedTuple

import re2

from worker.signals.alphabets import BLANKLESS, HANGUL, WORD, WORDS
from worker.signals.folding import plain
from worker.signals.view import View

#: More occurrences than the longest comment can have of ordinary words.
MAX_FOUND = 20_000
#: Limits of a list: what people can keep in mind, and what memory can.
MAX_ENTRIES = 10_000
MAX_CHARACTERS = 100
_FEWEST_LETTERS = 3
#: Where a letter is a syllable or a word, two of them are much.
_FEWEST_SYLLABLES = 2
#: By so many letters the beginnings of words are told apart at first.
_SHORTEST_BEGINNING = 2

#: Bytes that a set may use: a set that outgrows them cannot be compiled, or finds nothing.
_MEMORY, _MEMORY_A_BYTE = 8 * 2**20, 128

_KIND = re.compile(f"({WORD})|({HANGUL})|({BLANKLESS})")
_NONE, _WORD, _HANGUL, _BLANKLESS = range(4)
_SEMITIC = re.compile("[\u0590-\u06ff]")
_GAP = re.compile("[ -]+")

#: Korean particles and endings that follow a noun.
_KOREAN = """
은 는 이 가 을 를 의 에 에서 에게 에게서 한테 께 께서 께서는 도 만 만이
만은 와 과 랑 이랑 하고 로 으로 로서 으로서 로써 부터 까지 까지도 마저 조차
처럼 같이 같은 보다 라고 이라고 라는 이라는 라면 이라면 나 이나 든지 야 아 여
이여 이다 다 입니다 이고 이며 들 들은 들이 들을 들의 들에게 들도 들만 들과
들아
"""
_PARTICLES = frozenset(_KOREAN.split())
#: Conjunctions, prepositions and the article, alone and together.
_HEBREW = "ו ה ב ל מ ש כ וה וב ול ומ וש וכ שה מה כש"
_ARABIC = "و ف ب ل ك ال وال فال بال لل كال ولل وبال وب ول يا"
_HEBREW_PREFIXES, _ARABIC_PREFIXES = tuple(_HEBREW.split()), tuple(_ARABIC.split())


class Found(NamedTuple):
    """An entry that occurs in a view, and where."""

    entry: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ListProblem:
    """What is wrong with the entry in a line; a warning does not keep the list from working."""

    line: int
    message: str
    is_warning: bool = False


class WordList:
    """Entries to look for; they are folded as the texts are.

    What stands inside an occurrence of one of `exceptions` does not count.
    """

    def __init__(self, entries: Iterable[str], exceptions: Iterable[str] = ()) -> None:
        self.entries = tuple(entries)
        self.patterns = tuple(pattern for entry in self.entries for pattern in _patterns(entry))
        self._phrases = {
            "".join(p.words): p.entry for p in self.patterns if len(p.words) > 1 and p.is_whole
        }
        excepted = tuple(exceptions)
        self._exceptions = WordList(excepted) if excepted else None
        # Made now: the first comment that asks for it must not wait.
        self._excepted = WordIndex([self._exceptions]) if self._exceptions else None

    def find_all(self, view: View, among: Sequence["Pattern"] | None = None) -> list[Found]:
        """Return what occurs in the text, in order, at most MAX_FOUND.

        `among` are the list's patterns that may be there, where a `WordIndex`
        told them already.
        """
        if among is None:
            among = self._index.candidates(view).get(self, ())
        if not among and "spaced" not in view.name:
            return []
        found = set(islice(self._counting(view, among), MAX_FOUND))
        return sorted(found, key=lambda one: (one.start, -one.end, one.entry))

    def find(self, view: View) -> Found | None:
        """Return the entry that occurs first in the text, or None."""
        return next(iter(self.find_all(view)), None)

    @cached_property
    def _index(self) -> "WordIndex":
        return WordIndex([self])

    def occurrences(self, view: View, among: Iterable["Pattern"]) -> Iterator[Found]:
        """Yield all that occurs, covered by an exception or not, in no order."""
        for pattern in among:
            for start, end in pattern.places(view):
                yield Found(pattern.entry, start, end)
        if self._phrases and "spaced" in view.name:
            yield from self._joined_phrases(view)

    def _counting(self, view: View, among: Iterable["Pattern"]) -> Iterator[Found]:
        """Yield the occurrences that no exception covers."""
        cover: _Cover | None = None
        for found in self.occurrences(view, among):
            if self._exceptions:
                cover = cover or _Cover(self._covering(view))
                if cover.hold(found):
                    continue
            yield found

    def _covering(self, view: View) -> Iterator[Found]:
        """Yield the occurrences of exceptions."""
        if self._exceptions and self._excepted:
            among = self._excepted.candidates(view).get(self._exceptions, ())
            yield from self._exceptions.occurrences(view, among)

    def _joined_phrases(self, view: View) -> Iterator[Found]:
        """Yield phrases whose letters stood alone, so that blanks told no words apart."""
        for word in view.words.keys() & self._phrases.keys():
            for start in view.words[word]:
                end = start + len(word)
                if len(view.source(start, end)) > len(word):
                    yield Found(self._phrases[word], start, end)


class WordIndex:
    """Tells in one pass over the words of a text which entries of many lists may be there."""

    def __init__(self, lists: Iterable[WordList]) -> None:
        self._listed = [(words, pattern) for words in lists for pattern in words.patterns]
        self._by_word: dict[str, list[int]] = {}
        self._by_beginning: dict[str, list[int]] = {}
        anywhere: list[int] = []
        common = Counter(word for _, pattern in self._listed for word in pattern.words)
        for number, (_, pattern) in enumerate(self._listed):
            if key := pattern.rarest(common):
                self._by_word.setdefault(key, []).append(number)
            elif beginning := pattern.beginning:
                self._by_beginning.setdefault(beginning, []).append(number)
            else:
                anywhere.append(number)
        self._lengths = _lengths(self._by_beginning)
        self._anywhere = anywhere
        self._set = _searcher([self._listed[number][1] for number in anywhere])

    def candidates(self, view: View) -> Mapping[WordList, Sequence["Pattern"]]:
        """Return for each list the patterns that may stand in the view; the others do not."""
        numbers: set[int] = set()
        for word in view.words:
            self._look_up(word, numbers)
            if _SEMITIC.match(word):
                for prefix in _HEBREW_PREFIXES if word < "\u0600" else _ARABIC_PREFIXES:
                    if word.startswith(prefix):
                        self._look_up(word.removeprefix(prefix), numbers)
        if self._set:
            numbers.update(self._anywhere[index] for index in self._set.Match(view.text) or ())
        found: dict[WordList, list[Pattern]] = {}
        for number in sorted(numbers):
            words, pattern = self._listed[number]
            found.setdefault(words, []).append(pattern)
        return found

    def _look_up(self, word: str, numbers: set[int]) -> None:
        if known := self._by_word.get(word):
            numbers.update(known)
        for length in self._lengths.get(word[:_SHORTEST_BEGINNING], ()):
            if known := self._by_beginning.get(word[:length]):
                numbers.update(known)


class Pattern(NamedTuple):
    """One way of writing an entry: its words, and which ends are open."""

    entry: str
    words: tuple[str, ...]
    open_start: bool
    open_end: bool

    @property
    def is_whole(self) -> bool:
        """Whether both ends are those of words."""
        return not (self.open_start or self.open_end)

    def rarest(self, common: Mapping[str, int]) -> str | None:
        """Return the word that must stand in a text by itself and that is rarest in lists."""
        last = len(self.words) - 1
        exact = [
            word
            for number, word in enumerate(self.words)
            if not (number == 0 and self.open_start) and not (number == last and self._may_go_on)
        ]
        alone = [word for word in exact if (run := WORDS.match(word)) and run[0] == word]
        return min(alone, key=lambda word: (common[word], -len(word)), default=None)

    @property
    def beginning(self) -> str | None:
        """What the first word that it is found by begins with; None if there is no such."""
        run = None if self.open_start else WORDS.match(self.words[0])
        return run[0] if run and len(run[0]) >= _SHORTEST_BEGINNING else None

    def places(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield where the pattern stands, as whole words where it says so."""
        text = view.text
        for start in self._starts(view):
            end = self._end(text, start)
            if end and self._begins(text, start) and self._ends(text, end):
                yield start, end

    def _starts(self, view: View) -> Iterator[int]:
        """Yield where the first word may stand: looked up where that can be, else searched."""
        first = self.words[0]
        run = WORDS.match(first)
        if not run or self.open_start or (run[0] == self.words[-1] and self._may_go_on):
            yield from _searched(view.text, first)
            return
        for prefix in ("", *self._prefixes):
            for start in view.words.get(prefix + run[0], ()):
                yield start + len(prefix)

    def _end(self, text: str, start: int) -> int | None:
        """Return where the pattern ends that starts there, or None if it does not go on so."""
        end = start
        for number, word in enumerate(self.words):
            if number:
                gap = _GAP.match(text, end)
                if not gap:
                    return None
                end = gap.end()
            if not text.startswith(word, end):
                return None
            end += len(word)
        return end

    def _begins(self, text: str, start: int) -> bool:
        if self.open_start or _is_border(text, start, start - 1):
            return True
        return any(
            _is_border(text, start - len(prefix), start - len(prefix) - 1)
            for prefix in self._prefixes
            if len(prefix) <= start and text.startswith(prefix, start - len(prefix))
        )

    def _ends(self, text: str, end: int) -> bool:
        if self.open_end or _is_border(text, end, end):
            return True
        if _kind(text[end - 1]) != _HANGUL:
            return False
        rest = WORDS.match(text, end)
        return rest is not None and rest[0] in _PARTICLES

    @property
    def _may_go_on(self) -> bool:
        """Whether the word in which the pattern ends may be longer than its own last one."""
        return self.open_end or _kind(self.words[-1][-1]) == _HANGUL

    @property
    def _prefixes(self) -> tuple[str, ...]:
        first = self.words[0]
        if not _SEMITIC.match(first) or len(first) < _FEWEST_LETTERS:
            return ()
        return _HEBREW_PREFIXES if first < "\u0600" else _ARABIC_PREFIXES


class _Cover:
    """The places that exceptions take up."""

    def __init__(self, exceptions: Iterable[Found]) -> None:
        places = sorted((found.start, found.end) for found in exceptions)
        self._starts = [start for start, _ in places]
        #: How far anything reaches that starts there or before.
        self._reach = list(accumulate((end for _, end in places), max))

    def hold(self, found: Found) -> bool:
        """Whether an exception stands around the place of `found`."""
        before = bisect_right(self._starts, found.start)
        return before > 0 and self._reach[before - 1] >= found.end


def _lengths(beginnings: Iterable[str]) -> Mapping[str, tuple[int, ...]]:
    """Return how long the beginnings are that begin with the same few letters."""
    found: dict[str, set[int]] = {}
    for beginning in beginnings:
        found.setdefault(beginning[:_SHORTEST_BEGINNING], set()).add(len(beginning))
    return {letters: tuple(sorted(lengths)) for letters, lengths in found.items()}


def problems(entries: Iterable[tuple[int, str]]) -> list[ListProblem]:
    """Return what is wrong with the entries of a list, each given with its line."""
    found: list[ListProblem] = []
    first_line: dict[_Parts, int] = {}
    for number, (line, entry) in enumerate(entries, 1):
        if number > MAX_ENTRIES:
            message = f"a list may have {MAX_ENTRIES:,} entries; this and all after it are too many"
            return [*found, ListProblem(line, message)]
        parts = _parts(entry)
        if message := _mistake(entry, parts):
            found.append(ListProblem(line, message))
            continue
        same = first_line.setdefault(parts, line)
        if same != line:
            message = f"“{entry}” means the same as the entry in line {same}"
            found.append(ListProblem(line, message, is_warning=True))
    return found


def _mistake(entry: str, parts: "_Parts") -> str:
    """Return what keeps an entry from being looked for; "" if nothing does."""
    letters = "".join(parts[0])
    if len(entry) > MAX_CHARACTERS:
        return f"longer than {MAX_CHARACTERS} characters"
    if "*" in letters:
        return f"“{entry}”: a star may stand at the beginning or the end only"
    if not letters:
        return f"“{entry}” has nothing to look for"
    fewest = _FEWEST_SYLLABLES if _kind(letters[0]) in (_HANGUL, _BLANKLESS) else _FEWEST_LETTERS
    if len(letters) < fewest:
        return f"“{entry}” is too short: it would be found in harmless text"
    return ""


def _patterns(entry: str) -> Iterator[Pattern]:
    words, open_start, open_end = _parts(entry)
    if not words:
        return
    yield Pattern(entry, words, open_start, open_end)
    # The letter is often typed without its tilde, or robbed of it to hide the word.
    if any("ñ" in word for word in words):
        bare = tuple(word.replace("ñ", "n") for word in words)
        yield Pattern(entry, bare, open_start, open_end)


#: The folded words of an entry, and whether its start and its end are open.
_Parts = tuple[tuple[str, ...], bool, bool]


def _parts(entry: str) -> _Parts:
    open_start, open_end = entry[:1] == "*", entry[-1:] == "*"
    bare = entry.strip("*") if open_start or open_end else entry
    folded = bare.lower() if bare.isascii() else plain(bare).text
    return tuple(folded.split()), open_start, open_end


def _searched(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def _is_border(text: str, at: int, outside: int) -> bool:
    """Whether a word can begin or end at a place, seen from the character that is not in it."""
    if at in (0, len(text)):
        return True
    inside = _kind(text[at - 1 if outside == at else at])
    beyond = _kind(text[outside])
    return beyond in (_NONE, _BLANKLESS) or (inside != _NONE and inside != beyond)


def _kind(character: str) -> int:
    match = _KIND.match(character)
    return match.lastindex or _NONE if match else _NONE


def _searcher(patterns: list[Pattern]) -> Any:
    """Return an RE2 set that finds the patterns by their numbers; None if there are none."""
    if not patterns:
        return None
    written = ["[ -]+".join(map(re2.escape, pattern.words)) for pattern in patterns]
    options = re2.Options()
    options.max_mem = _MEMORY + _MEMORY_A_BYTE * sum(len(one.encode()) for one in written)
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for pattern in written:
        found.Add(pattern)
    # A set that failed to compile crashes the process when matched; here
    # failing raises, so that such a list never comes to be.
    found.Compile()
    if not found.Match(" ".join(patterns[0].words)):
        raise MemoryError("the list is too large to be searched")
    return found
