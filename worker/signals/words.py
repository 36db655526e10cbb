"""Words and phrases of a list, found in a folded text.

An entry is a whole word or several with blanks or a hyphen between; `word*`
stands for any ending, `*word` for any beginning, `*word*` for both. In scripts
that put no blanks between words an entry may stand anywhere. Korean particles
may follow an entry and Arabic and Hebrew ones (and, the, in ...) precede it, as
grammar glues them on.

Entries are found by the words of the text, of which there are few, in an index
that all lists of a ruleset share: so ten thousand entries cost no more than ten.
Those of several words are found in one pass over the words in order, together with
their places: looking for each by itself would cost as much as the text has of its
words, for every entry. What has no word to be found by (`*word`, scripts without
blanks) is looked for by an RE2 set.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import accumulate, islice
from typing import Any, NamedTuple

import re2

from worker.signals.alphabets import WORDS, Letter, is_hangul, kind_of
from worker.signals.by_word import ByWord
from worker.signals.entries import Entry, parsed
from worker.signals.excerpts import longest_across
from worker.signals.sequences import Sequences
from worker.signals.view import View

#: More occurrences than the longest comment can have of ordinary words.
MAX_FOUND = 20_000
#: Shorter words have no prefixes glued on: they would be other words.
_FEWEST_LETTERS = 3
#: Shorter beginnings are those of too many words to be found by.
_SHORTEST_BEGINNING = 2

#: Bytes that a set may use: a set that outgrows them cannot be compiled, or finds nothing.
_MEMORY, _MEMORY_A_BYTE = 8 * 2**20, 128

_FIRST_SEMITIC, _LAST_SEMITIC = "\u0590", "\u06ff"
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


#: What an index tells of a view: for lists their patterns that may be there, with
#: their places, if these are known already.
Standing = Mapping["WordList", Sequence[tuple["Pattern", Sequence[tuple[int, int]] | None]]]


class Found(NamedTuple):
    """An entry that occurs in a view, and where."""

    entry: str
    start: int
    end: int


class WordList:
    """Entries to look for; they are folded as the texts are.

    What stands inside an occurrence of one of `exceptions` does not count.
    """

    def __init__(self, patterns: Iterable["Pattern"], exceptions: Iterable["Pattern"] = ()) -> None:
        self.patterns = tuple(patterns)
        excepted = tuple(exceptions)
        self.exceptions = WordList(excepted) if excepted else None

    @classmethod
    def of(cls, entries: Iterable[str], exceptions: Iterable[str] = ()) -> "WordList":
        """Return the list of entries as people write them."""
        return cls(patterns_of(parsed(entries)), patterns_of(parsed(exceptions)))

    @cached_property
    def longest(self) -> int:
        """The characters of the longest entry."""
        return max((len(" ".join(pattern.words)) for pattern in self.patterns), default=0)

    def find_all(self, view: View, standing: "Standing | None" = None) -> list[Found]:
        """Return what occurs in the text, in order, at most MAX_FOUND.

        `standing` is what a `WordIndex` of this list told of the view, if it was asked.
        """
        if standing is None:
            standing = self._index.candidates(view)
        if self not in standing:
            return []
        found = set(islice(self._counting(view, standing), MAX_FOUND))
        return sorted(found, key=lambda one: (one.start, -one.end, one.entry))

    def find(self, view: View) -> Found | None:
        """Return the entry that occurs first in the text, or None."""
        return next(iter(self.find_all(view)), None)

    @cached_property
    def _index(self) -> "WordIndex":
        return WordIndex([self])

    def occurrences(self, view: View, standing: "Standing") -> Iterator[Found]:
        """Yield all that occurs, covered by an exception or not, in no order."""
        for pattern, places in standing.get(self, ()):
            for start, end in pattern.places(view) if places is None else places:
                yield Found(pattern.entry, start, end)

    def _counting(self, view: View, standing: "Standing") -> Iterator[Found]:
        """Yield the occurrences that no exception covers."""
        cover: _Cover | None = None
        for found in self.occurrences(view, standing):
            if self.exceptions:
                cover = cover or _Cover(self.exceptions.occurrences(view, standing))
                if cover.hold(found):
                    continue
            yield found


class WordIndex:
    """Tells in one pass over the words of a text which entries of many lists may be there."""

    def __init__(self, lists: Iterable[WordList]) -> None:
        holders: dict[Pattern, list[WordList]] = {}
        for words in _with_exceptions(lists):
            for pattern in words.patterns:
                holders.setdefault(pattern, []).append(words)
        self._patterns = tuple(holders)
        # Most patterns have the same holders as others, so that few objects tell them.
        self._holders = _shared(map(tuple, holders.values()))
        #: Whole phrases by how they read without blanks, for letters that stood alone.
        self._joined: dict[str, list[int]] = {}
        self._words: ByWord[int] = ByWord(_with_bare)
        self._sequences = Sequences()
        self._anywhere: list[int] = []
        for number, pattern in enumerate(self._patterns):
            if len(pattern.words) > 1 and pattern.is_whole:
                self._joined.setdefault("".join(pattern.words), []).append(number)
            if pattern.is_sequence:
                self._sequences.add(number, pattern.runs, goes_on=pattern.may_go_on)
            elif exact := pattern.exact:
                self._words.add(exact[0], number)
            elif beginning := pattern.beginning:
                self._words.add_beginning(beginning, number)
            else:
                self._anywhere.append(number)
        #: How far around what is found an entry may reach into another sentence.
        self.margin = longest_across(p.words for p in self._patterns if p.words != p.runs)
        self._set = _searcher([self._patterns[number] for number in self._anywhere])

    def candidates(self, view: View) -> "Standing":
        """Return for each list the patterns that may stand in the view; the others do not."""
        places = self._sequences_in(view)
        found: dict[WordList, list[tuple[Pattern, Sequence[tuple[int, int]] | None]]]
        found = defaultdict(list)
        for number in sorted(self._numbers(view) | places.keys()):
            standing = self._patterns[number], places.get(number)
            for listed in self._holders[number]:
                found[listed].append(standing)
        for listed, number, joined in self._joined_in(view) if "spaced" in view.name else ():
            found[listed].append((self._patterns[number], joined))
        return found

    def _numbers(self, view: View) -> set[int]:
        """Return the patterns that may be there and of which the places are not known."""
        found = self._words.of(view.tokens.runs)
        if self._set:
            found.update(self._anywhere[index] for index in self._set.Match(view.encoded) or ())
        return found

    def _sequences_in(self, view: View) -> dict[int, list[tuple[int, int]]]:
        """Return the patterns of several words that stand in the view, with their places."""
        found: dict[int, list[tuple[int, int]]] = {}
        for number, start in self._beginning(view):
            if end := self._patterns[number].end_from(view.text, start):
                found.setdefault(number, []).append((start, end))
        return found

    def _joined_in(self, view: View) -> Iterator[tuple[WordList, int, Sequence[tuple[int, int]]]]:
        """Yield phrases whose letters stood alone, so that blanks told no words apart.

        Of those in a list that differ in blanks alone it is the last.
        """
        for word in view.tokens.runs & self._joined.keys():
            everywhere = ((start, start + len(word)) for start in view.tokens.starts(word))
            if places := [place for place in everywhere if len(view.source(*place)) > len(word)]:
                last = {
                    one: number for number in self._joined[word] for one in self._holders[number]
                }
                for listed, number in last.items():
                    yield listed, number, places

    def _beginning(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield the patterns of which the words are there in order, and where they begin."""
        tokens = view.tokens
        for number, at in self._sequences.found(tokens.in_order):
            yield number, tokens.starts_in_order[at]
        if bare := _bare_of(view, self._sequences.firsts):
            for number, at, offset in self._sequences.found_with(tokens.in_order, bare):
                yield number, tokens.starts_in_order[at] + offset


class Pattern(NamedTuple):
    """One way of writing an entry: its words, and which ends are open.

    `runs` are the words as those who read the text see them.
    """

    entry: str
    words: tuple[str, ...]
    open_start: bool
    open_end: bool
    runs: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether both ends are those of words."""
        return not (self.open_start or self.open_end)

    @property
    def exact(self) -> tuple[str, ...]:
        """The words that must stand in a text by themselves, apart from prefixes."""
        first, behind = int(self.open_start), len(self.words) - self.may_go_on
        return tuple(filter(WORDS.fullmatch, self.words[first:behind]))

    @property
    def is_sequence(self) -> bool:
        """Whether it is several words to those who read the text, found one after the other."""
        return len(self.runs) > 1 and not self.open_start and self.words[0].startswith(self.runs[0])

    @property
    def is_one_word(self) -> bool:
        """Whether it is one word that stands by itself, apart from prefixes."""
        is_closed = not (self.open_start or self.may_go_on)
        return len(self.words) == 1 and is_closed and self.runs == self.words

    @property
    def may_go_on(self) -> bool:
        """Whether the word in which the pattern ends may be longer than its own last one."""
        return self.open_end or is_hangul(self.words[-1][-1])

    @property
    def beginning(self) -> str | None:
        """What the first word that it is found by begins with; None if there is no such."""
        run = None if self.open_start else WORDS.match(self.words[0])
        return run[0] if run and len(run[0]) >= _SHORTEST_BEGINNING else None

    def places(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield where the pattern stands, as whole words where it says so."""
        if self.is_one_word:
            yield from self._runs(view)
            return
        for start in self._starts(view):
            if end := self.end_from(view.text, start):
                yield start, end

    def end_from(self, text: str, start: int) -> int | None:
        """Return where the pattern ends that starts there, or None if it does not stand there."""
        end = self._end(text, start)
        return end if end and self._begins(text, start) and self._ends(text, end) else None

    def _runs(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield where the one word stands: between borders, as all words do."""
        word = self.words[0]
        for prefix in ("", *self._prefixes):
            for start in view.tokens.starts(prefix + word):
                yield start + len(prefix), start + len(prefix) + len(word)

    def _starts(self, view: View) -> Iterator[int]:
        """Yield where the first word may stand: looked up where that can be, else searched."""
        first = self.words[0]
        run = WORDS.match(first)
        if not run or self.open_start:
            yield from _searched(view.text, first)
            return
        goes_on = run[0] == self.words[-1] and self.may_go_on
        for prefix in ("", *self._prefixes):
            word = prefix + run[0]
            for whole in view.tokens.runs_from(word) if goes_on else (word,):
                for start in view.tokens.starts(whole):
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
        if not is_hangul(text[end - 1]):
            return False
        rest = WORDS.match(text, end)
        return rest is not None and rest[0] in _PARTICLES

    @property
    def _prefixes(self) -> tuple[str, ...]:
        first = self.words[0]
        if not _FIRST_SEMITIC <= first[0] <= _LAST_SEMITIC or len(first) < _FEWEST_LETTERS:
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


def patterns_of(entries: Iterable[Entry]) -> Iterator[Pattern]:
    """Yield all ways of writing some entries."""
    for entry in entries:
        written = " ".join(entry.words)
        if written:
            yield Pattern(*entry, _runs(entry.words, written))
        # The letter is often typed without its tilde, or robbed of it to hide the word.
        if "ñ" in written:
            bare = tuple(word.replace("ñ", "n") for word in entry.words)
            yield Pattern(*entry._replace(words=bare), _runs(bare, " ".join(bare)))


def _runs(words: tuple[str, ...], written: str) -> tuple[str, ...]:
    """Return the words as `WORDS` has them: the same, where they are of plain letters alone."""
    is_plain = written.isascii() and written.replace(" ", "").isalnum()
    return words if is_plain else tuple(WORDS.findall(written))


def _shared(groups: Iterable[tuple[WordList, ...]]) -> tuple[tuple[WordList, ...], ...]:
    """Return the groups; those that are equal are one."""
    known: dict[tuple[WordList, ...], tuple[WordList, ...]] = {}
    return tuple(known.setdefault(group, group) for group in groups)


def _with_exceptions(lists: Iterable[WordList]) -> Iterator[WordList]:
    for words in lists:
        yield words
        if words.exceptions:
            yield words.exceptions


def _bare_of(view: View, known: Set[str]) -> dict[str, list[str]]:
    """Return for words of the view which of the known ones they are with prefixes glued on."""
    if view.text.isascii():
        return {}
    glued = (word for word in view.tokens.runs if _FIRST_SEMITIC <= word[0] <= _LAST_SEMITIC)
    told = {word: [bare for bare in _bare(word) if bare in known] for word in glued}
    return {word: bare for word, bare in told.items() if bare}


def _with_bare(word: str) -> Iterator[str]:
    """Yield a word, and what is left of it without prefixes glued on."""
    yield word
    yield from _bare(word)


def _bare(word: str) -> Iterator[str]:
    """Yield what is left of a word without one of the prefixes of its script."""
    if _FIRST_SEMITIC <= word[0] <= _LAST_SEMITIC:
        for prefix in _HEBREW_PREFIXES if word < "\u0600" else _ARABIC_PREFIXES:
            if word.startswith(prefix):
                yield word.removeprefix(prefix)


def _searched(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield start
        start = text.find(word, start + 1)


def _is_border(text: str, at: int, outside: int) -> bool:
    """Whether a word can begin or end at a place, seen from the character that is not in it."""
    if at in (0, len(text)):
        return True
    inside = kind_of(text[at - 1 if outside == at else at])
    beyond = kind_of(text[outside])
    if beyond is None or beyond is Letter.BLANKLESS:
        return True
    return inside is not None and inside is not beyond


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
