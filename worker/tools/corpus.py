"""How well a ruleset tells labelled comments apart."""

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO, cast

from service.domain.comment import Comment, Status
from service.domain.verdict import Verdict
from service.statistics import Interval, wilson
from worker.engine import judge
from worker.models.score import NO_MODELS, Scorer
from worker.ruleset import Ruleset
from worker.ruleset.cases import Case

#: What files call comments that should be held, and those that should be published.
HOLD_LABELS = frozenset({"hold", "spam", "abusive"})
PUBLISH_LABELS = frozenset({"publish", "ham", "ok"})

_LABEL_COLUMNS = ("label", "expect")
_GROUP_COLUMNS = ("family", "source")
#: Readers whose file tells nothing of the author are given what any reader types.
_SOMEBODY = ("Robin Miller", "robin.miller@mail.example")


class UnreadableCorpus(ValueError):
    """A file that holds no labelled comments; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled comment; `group` is its family or source, "" without one.

    `spam` tells that the label calls it so, and does not only want it held.
    """

    case: Case
    hold: bool
    group: str
    spam: bool = False


@dataclass(slots=True)
class Tally:
    """How many were held of those that should be, and of those that should not."""

    rightly: int = 0
    wrongly: int = 0

    @property
    def precision(self) -> Interval:
        """The share of right ones among the held, with its 95 % interval."""
        return wilson(self.rightly, self.rightly + self.wrongly)


@dataclass(slots=True)
class Report:
    """What came of judging a corpus.

    `categories` and `rules` count comments held by a category, and comments on
    which a live rule spoke; `groups` count by the corpus' own families or
    sources; `false_holds` are the comments held wrongly, with their verdicts.
    """

    to_hold: int = 0
    to_publish: int = 0
    held: Tally = field(default_factory=Tally)
    categories: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    rules: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    groups: dict[tuple[str, bool], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    false_holds: list[tuple[Comment, Verdict]] = field(default_factory=list)
    misses: list[tuple[Comment, Verdict]] = field(default_factory=list)

    @property
    def recall(self) -> Interval:
        """The share that was held of what should be."""
        return wilson(self.held.rightly, self.to_hold)

    @property
    def false_hold_rate(self) -> Interval:
        """The share that was held of what should be published."""
        return wilson(self.held.wrongly, self.to_publish)

    def macro_f1(self, group: str) -> float | None:
        """The mean of the F1 of holding and of publishing; None without comments of both kinds."""
        hold, publish = self.groups.get((group, True)), self.groups.get((group, False))
        if not hold or not publish:
            return None
        missed, wrongly = hold["all"] - hold["held"], publish["held"]
        rightly, passed = hold["held"], publish["all"] - publish["held"]
        wrong = missed + wrongly
        return rightly / (2 * rightly + wrong) + passed / (2 * passed + wrong)

    def add(self, sample: Sample, comment: Comment, verdict: Verdict) -> None:
        """Count one comment."""
        held = verdict.status is Status.HELD
        self.to_hold += sample.hold
        self.to_publish += not sample.hold
        self.groups[sample.group, sample.hold].update(all=1, held=int(held))
        if held:
            self._count(self.held, sample)
        for category, total in verdict.totals.items():
            if total.points >= total.hold_at:
                self._count(self.categories[category], sample)
        for hit in verdict.hits:
            if hit.mode == "live" and hit.points > 0:
                self._count(self.rules[hit.rule], sample)
        if held and not sample.hold:
            self.false_holds.append((comment, verdict))
        if sample.hold and not held:
            self.misses.append((comment, verdict))

    def _count(self, tally: Tally, sample: Sample) -> None:
        if sample.hold:
            tally.rightly += 1
        else:
            tally.wrongly += 1


def measure(samples: Iterable[Sample], ruleset: Ruleset, models: Scorer = NO_MODELS) -> Report:
    """Judge every sample by ruleset and models, and return how that compares with the labels."""
    report = Report()
    for sample in samples:
        comment, context = sample.case.comment(), sample.case.context(models)
        report.add(sample, comment, judge(comment, ruleset, context))
    return report


def read_samples(
    path: Path, *, split: str | None = None, sources: Iterable[str] = ()
) -> Iterator[Sample]:
    """Give the labelled comments of a csv or csv.gz file.

    Columns: text, and label or expect; if they are there author_name,
    author_email, author_url, is_reply, family or source, and split, of which
    only the rows of `split` are taken. Raises UnreadableCorpus.
    """
    wanted = frozenset(sources)
    with _opened(path) as file:
        csv.field_size_limit(sys.maxsize)
        rows = csv.DictReader(file)
        label, group = _columns(rows.fieldnames or ())
        try:
            for row in rows:
                if split and row.get("split", split) != split:
                    continue
                if wanted and row.get("source") not in wanted:
                    continue
                yield _sample(row, label, group)
        except (csv.Error, UnicodeDecodeError, EOFError) as error:
            raise UnreadableCorpus(f"line {rows.line_num}: {error}") from error


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def _columns(names: Iterable[str]) -> tuple[str, str]:
    label = next((name for name in _LABEL_COLUMNS if name in names), None)
    if label is None or "text" not in names:
        raise UnreadableCorpus("the file needs the columns text and label (or expect)")
    return label, next((name for name in _GROUP_COLUMNS if name in names), "")


def _sample(row: dict[str, str], label: str, group: str) -> Sample:
    said = row[label]
    if said not in HOLD_LABELS | PUBLISH_LABELS:
        known = ", ".join(sorted(HOLD_LABELS | PUBLISH_LABELS))
        raise UnreadableCorpus(f"unknown label “{said}”; there are {known}")
    name, email = _SOMEBODY
    case = Case(
        text=row["text"],
        name=row.get("author_name") or name,
        email=row.get("author_email") or email,
        url=row.get("author_url") or "",
        reply=row.get("is_reply") == "1",
    )
    return Sample(case, said in HOLD_LABELS, row[group] if group else "", spam=said == "spam")
