"""How long the shipped rules take over one comment, against folding and scanning its text alone."""

import csv
import string
from collections.abc import Callable, Iterator
from random import Random
from time import perf_counter

from service.domain.listing import entries_of
from service.domain.ruleset import RulesetSource
from tests.bench.measures import Measure, percentile
from tests.corpus.measuring import FOLDER
from worker.context import Context
from worker.engine import judge
from worker.models.score import NO_MODELS, Scorer
from worker.models.shelf import shipped_models
from worker.ruleset import Ruleset, load
from worker.ruleset.cases import Case
from worker.ruleset.shipped import shipped_source
from worker.signals.text import plain
from worker.signals.words import WordList

_COMMENTS = 600
_CHARACTERS = 500
_WORDS = 60
_LONGEST = 65_000
_LISTED = 10_000
#: So many words are said for each entry of some list, and in a remark.
_SAID_FOR_EACH, _AVERAGE = 60, 15
#: Of the remarks that should be held only so many are used: most comments are harmless.
_HELD_ONE_IN = 10
_CORPORA = ("contrast_pairs", "everyday", "publish_or_hold", "second_look")
_TEXTS = ("text", "publish_text", "hold_text")


def measure() -> list[Measure]:
    """Return times of judging in milliseconds, and how they compare with the bare work."""
    started = perf_counter()
    ruleset = load(shipped_source(), tested=True)
    loading = (perf_counter() - started) * 1000
    random = Random(1)  # the same comments in every run
    register = _Register(random)
    texts = [register.prose(_CHARACTERS) for _ in range(_COMMENTS)]
    long = [register.prose(_LONGEST) for _ in range(5)]
    worst = [register.worst(_LONGEST) for _ in range(3)]
    with_list = load(_with_long_list(random), tested=True)
    judging, judging_with_list = [], []
    scanning = _times(texts, _scan)
    for _ in range(3):  # in turns, so that a noisy moment meets both
        judging += _times(texts, _judge_by(ruleset))
        judging_with_list += _times(texts, _judge_by(with_list))
    median = percentile(judging, 0.5)
    listed = percentile(judging_with_list, 0.5) / median - 1
    short = [" ".join(text.split()[:_WORDS]) for text in texts]
    together = _times(short, _judge_by(ruleset, shipped_models()))
    longest = percentile(_times(long, _judge_by(ruleset)), 0.5)
    english = [
        " ".join(register.prose(_CHARACTERS, "en").split()[:_WORDS]) for _ in range(_COMMENTS)
    ]
    read = _times(english, _judge_by(ruleset, shipped_models()))
    long_english = [register.prose(_LONGEST, "en") for _ in range(5)]
    longest_read = percentile(_times(long_english, _judge_by(ruleset, shipped_models())), 0.5)
    hostile = percentile(_times(worst, _judge_by(ruleset)), 0.5)
    return [
        Measure("rules: loading the shipped ruleset", loading, "ms", 300, "less"),
        Measure(f"rules: judging {_CHARACTERS} characters, p50", median, "ms", 1.0, "less"),
        Measure(f"rules: judging {_CHARACTERS} characters, p99", percentile(judging, 0.99), "ms",
                3.0, "less"),
        Measure(f"rules and models: judging {_WORDS} words, p50", percentile(together, 0.5), "ms",
                5.0, "less"),
        Measure(f"rules and models: judging {_WORDS} words, p99", percentile(together, 0.99), "ms",
                15.0, "less"),
        Measure(f"rules and models: judging {_WORDS} English words, p50", percentile(read, 0.5),
                "ms", 5.0, "less"),
        Measure(f"rules and models: judging {_WORDS} English words, p99", percentile(read, 0.99),
                "ms", 15.0, "less"),
        Measure(f"rules and models: judging {_LONGEST:,} English characters", longest_read, "ms"),
        Measure("rules: judging, times folding and one scan", median / percentile(scanning, 0.5)),
        Measure(f"rules: judging {_LONGEST:,} characters", longest, "ms", 60, "less"),
        Measure(f"rules: judging {_LONGEST:,} characters made to take long", hostile, "ms"),
        Measure(f"rules: a list of {_LISTED:,} words adds, share", listed, goal=0.05,
                better="less"),
    ]  # fmt: skip


def _times(texts: list[str], work: Callable[[str], object]) -> list[float]:
    for text in texts[:50]:  # what is worked out once is no part of it
        work(text)
    times = []
    for text in texts:
        started = perf_counter()
        work(text)
        times.append((perf_counter() - started) * 1000)
    return times


def _judge_by(ruleset: Ruleset, models: Scorer = NO_MODELS) -> Callable[[str], object]:
    def work(text: str) -> object:
        case = Case(text, name="Robin Miller", email="robin.miller@mail.example")
        context: Context = case.context(models)
        return judge(case.comment(), ruleset, context)

    return work


_SCANNED = WordList.of(["never to be found", "nor this"])


def _scan(text: str) -> object:
    return _SCANNED.find_all(plain(text))


class _Register:
    """Writes comments in the words of the shipped lists and of the corpora of the tests."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._remarks = list(_remarks())
        texts = shipped_source().lists.values()
        self._entries = [entry.strip("*") for text in texts for _, entry in entries_of(text)]
        self._plain = list(filter(str.isascii, self._entries))

    def prose(self, characters: int, language: str = "") -> str:
        """Return remarks of one language, one after the other, with entries of lists strewn in."""
        language = language or self._random.choice(self._remarks)[0]
        remarks = [text for other, text in self._remarks if other == language]
        entries = self._plain if language == "en" else self._entries
        words: list[str] = []
        while len(" ".join(words)) < characters:
            words += self._random.choice(remarks).split()
            if self._random.random() < _AVERAGE / _SAID_FOR_EACH:
                words.append(self._random.choice(entries))
        return " ".join(words)[:characters]

    def worst(self, characters: int) -> str:
        """Return entries without order or end, and the words with which most of them begin."""
        half = " ".join(self._random.choices(self._entries, k=characters // 10))[: characters // 2]
        return (half + " you your i we the k1ll" * characters)[:characters]


def _remarks() -> Iterator[tuple[str, str]]:
    """Yield language and text of what people wrote for the tests, most of it harmless."""
    for corpus in _CORPORA:
        with (FOLDER / f"{corpus}.csv").open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                yields_held = number % _HELD_ONE_IN == 0
                for column in _TEXTS:
                    is_held = column == "hold_text" or row.get("expect") == "hold"
                    if (text := row.get(column)) and (yields_held or not is_held):
                        yield row["lang"] or "en", text


def _with_long_list(random: Random) -> RulesetSource:
    """Return the shipped ruleset with one more rule, on a list of very many words."""
    source = shipped_source()
    letters = string.ascii_lowercase
    listed = {"".join(random.choices(letters, k=random.randint(6, 12))) for _ in range(_LISTED)}
    head, _, rest = source.rules.partition("\nlists:\n")
    rules = (
        f"{head}\nlists:\n  very-many: lists/very-many.txt\n{rest}\n"
        "  - id: very-many\n    category: spam\n    points: 1\n    why: x\n"
        "    when: { words: { list: very-many } }\n"
    )
    return RulesetSource(rules, {**source.lists, "lists/very-many.txt": "\n".join(sorted(listed))})
