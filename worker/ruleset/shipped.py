"""The ruleset that ships with the worker."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import worker
from worker.rules import RULES, THRESHOLDS
from worker.ruleset import Ruleset
from worker.signals.comment import Lists
from worker.signals.words import WordList

_WORKER = Path(worker.__file__).parent
_LISTS = _WORKER / "rules" / "lists"
#: Everything that a verdict can depend on.
_SOURCES = ("engine.py", "rules/*.py", "rules/lists/*.txt", "signals/*.py")
_HASH_CHARACTERS = 12
_DOMAINS = "domains"


def load_ruleset() -> Ruleset:
    """Return the shipped rules with their lists, ready to judge by."""
    paths = sorted(_LISTS.glob("*.txt"))
    words = {path.stem: WordList(read_list(path)) for path in paths if path.stem != _DOMAINS}
    lists = Lists(words=words, domains=frozenset(read_list(_LISTS / f"{_DOMAINS}.txt")))
    return Ruleset(rules=RULES, lists=lists, thresholds=THRESHOLDS, hash=_content_hash())


def read_list(path: Path) -> list[str]:
    """Return the entries of a list file: one a line, `#` starts a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [entry for line in lines if (entry := line.partition("#")[0].strip())]


def _content_hash() -> str:
    digest = hashlib.sha256()
    for path in sorted(_files(_SOURCES)):
        digest.update(f"{path.relative_to(_WORKER)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:_HASH_CHARACTERS]


def _files(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from _WORKER.glob(pattern)
