"""How long the shipped rules take over one comment, against folding and scanning its text alone."""

import string
from collections.abc import Callable
from random import Random
from time import perf_counter

from service.domain.ruleset import RulesetSource
from tests.bench.measures import Measure, percentile
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

#: Sober words in several languages, of which the comments are made.
_SOBER = """
the report names places and dates what was done there according to witnesses courts
must ask who gave orders families still wait for answers nobody has apologised since
der Bericht nennt die Orte und niemand hat sich bisher dafür entschuldigt
le rapport cite les lieux et personne ne s'est excusé depuis
отчёт называет места и даты и никто до сих пор не извинился
"""
#: An English comment is read by a network besides.
_ENGLISH = " ".join(_SOBER.split("\n")[1:3])


def measure() -> list[Measure]:
    """Return times of judging in milliseconds, and how they compare with the bare work."""
    started = perf_counter()
    ruleset = load(shipped_source(), tested=True)
    loading = (perf_counter() - started) * 1000
    random = Random(1)  # the same comments in every run
    texts = [_prose(random, _CHARACTERS) for _ in range(_COMMENTS)]
    long = [_prose(random, _LONGEST) for _ in range(5)]
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
        " ".join(_prose(random, _CHARACTERS, _ENGLISH).split()[:_WORDS]) for _ in range(_COMMENTS)
    ]
    read = _times(english, _judge_by(ruleset, shipped_models()))
    long_english = [_prose(random, _LONGEST, _ENGLISH) for _ in range(5)]
    longest_read = percentile(_times(long_english, _judge_by(ruleset, shipped_models())), 0.5)
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
        Measure(f"rules: a list of {_LISTED:,} words adds, share", listed, goal=0.05,
                better="less"),
    ]  # fmt: skip


def _times(texts: list[str], work: Callable[[str], object]) -> list[float]:
    for text in texts[:50]:
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


def _prose(random: Random, characters: int, sober: str = _SOBER) -> str:
    known, words = sober.split(), list[str]()
    length = 0
    while length < characters:
        word = random.choice(known)
        words.append(word + random.choice(["", "", "", "", ",", "."]))
        length += len(words[-1]) + 1
    return " ".join(words)[:characters]


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
