"""The lists of a ruleset: plain files that are used as words, domains or networks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import chain
from typing import TypeVar

from service.domain.listing import entries_of
from worker.ruleset.problems import Problem, Severity
from worker.signals import entries
from worker.signals.entries import ListProblem
from worker.signals.links import registered_domain
from worker.signals.words import Pattern, WordIndex, WordList, patterns_of

Network = IPv4Network | IPv6Network
T = TypeVar("T")

_MOST_PROBLEMS = 20
#: As many lists are remembered as the ruleset that ships has, and some that are worked on.
_REMEMBERED = 400
#: Longer ones are not: a few dozen versions of them would fill a worker's memory.
_LONGEST_REMEMBERED = 16_000


class Lists:
    """The lists that a rule file names; each is made ready for its use when first asked for.

    `named` maps a list's name to the path of its file, `texts` paths to contents.
    """

    def __init__(self, named: Mapping[str, str], texts: Mapping[str, str]) -> None:
        self.names = tuple(named)
        self.problems: list[Problem] = []
        self.used: set[str] = set()
        self._paths = dict(named)
        self._texts = texts
        self._patterns: dict[str, tuple[Pattern, ...]] = {}
        self._words: dict[tuple[tuple[str, ...], tuple[str, ...]], WordList] = {}
        self._domains: dict[str, frozenset[str]] = {}
        self._networks: dict[str, tuple[Network, ...]] = {}

    def words(self, names: Sequence[str], exceptions: Sequence[str] = ()) -> WordList:
        """Return the words of one or several lists, with those of others as exceptions."""
        key = (tuple(names), tuple(exceptions))
        if key not in self._words:
            listed, excepted = (chain.from_iterable(map(self._patterns_of, of)) for of in key)
            self._words[key] = WordList(listed, excepted)
        return self._words[key]

    def index(self) -> WordIndex:
        """Return an index of all word lists made so far."""
        return WordIndex(self._words.values())

    def domains(self, name: str) -> frozenset[str]:
        """Return the registered domains of a list."""
        if name not in self._domains:
            found = self._each(name, "is no domain that can be registered", registered_domain)
            self._domains[name] = frozenset(found)
        return self._domains[name]

    def networks(self, name: str) -> tuple[Network, ...]:
        """Return the networks of a list, such as `192.0.2.0/24`."""
        if name not in self._networks:
            wrong = "is neither an address nor a network"
            self._networks[name] = tuple(self._each(name, wrong, _network))
        return self._networks[name]

    def _patterns_of(self, name: str) -> tuple[Pattern, ...]:
        """Return what is looked for because it stands in a list."""
        self.used.add(name)
        if name not in self._patterns:
            text = self._text(name)
            read = _read_words if len(text) <= _LONGEST_REMEMBERED else _read_words.__wrapped__
            self._patterns[name], told = read(text)
            for problem in told:
                severity: Severity = "warning" if problem.is_warning else "error"
                self._tell(name, problem.line, problem.message, severity)
        return self._patterns[name]

    def _each(self, name: str, wrong: str, read: Callable[[str], T | None]) -> Iterator[T]:
        self.used.add(name)
        for line, entry in self._read(name):
            if (value := read(entry)) is None:
                self._tell(name, line, f"“{entry}” {wrong}")
            else:
                yield value

    def _read(self, name: str) -> list[tuple[int, str]]:
        return entries_of(self._text(name))

    def _text(self, name: str) -> str:
        text = self._texts.get(self._paths[name], "")
        return text.removeprefix("\ufeff").replace("\r\n", "\n")

    def _tell(self, name: str, line: int, message: str, severity: Severity = "error") -> None:
        self.problems.append(Problem(self._paths[name], line, 1, message, severity))


@lru_cache(_REMEMBERED)
def _read_words(text: str) -> tuple[tuple[Pattern, ...], Sequence[ListProblem]]:
    """Return what is looked for because it stands in a list, and what is wrong with other lines.

    Remembered, because most lists of a new version of the rules are those of the last one.
    """
    written = entries_of(text)
    lines = [line for line, _ in written]
    read = entries.parsed(entry for _, entry in written)
    told = entries.problems(lines, read)
    unusable = {problem.line for problem in told if not problem.is_warning}
    usable = (entry for line, entry in zip(lines, read, strict=True) if line not in unusable)
    return tuple(patterns_of(usable)), told[:_MOST_PROBLEMS]


def _network(text: str) -> Network | None:
    try:
        network: Network = ip_network(text, strict=False)
        return network
    except ValueError:
        return None
