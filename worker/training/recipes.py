"""Recipes: which rows each model learns from, what it looks at, and what it is tuned on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from worker.training import contrast
from worker.training.authors import with_advertiser, with_reader
from worker.training.corpora import Row, Split, may_train, read
from worker.training.matrix import Shape
from worker.training.noise import noisy
from worker.training.references import with_references

_SEED = 20261125
#: So many of the rows come a second time, with words in disguise.
_NOISY = 0.12
_OWN_WEIGHT = 4.0
#: Rows called harmless only because they are not what their corpus looks for.
_NARROW = {"edos": 0.5}

#: News and talk pages: what readers of a news site write most like.
NEWS = frozenset(
    {"wikipedia-talk-context", "wikipedia-talk-toxicity", "fox-news-comments"}
    | {"civil-comments-toxic", "kmhas-korean-news", "koco-korean-news", "kold-sample"}
    | {"germeval2018", contrast.SOURCE}
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is made.

    `strength` is how far weights may go, `prior` the share of positives for which
    its scores are probabilities, `heads` the scores it gives, the first for all
    positives. `rows` gives what it learns from, `tuning` what it is tuned on.
    """

    name: str
    language: str
    heads: tuple[str, ...]
    shape: Shape
    strength: float
    prior: float
    rows: Callable[[Sequence[Path]], list[Row]]
    tuning: Callable[[Sequence[Path]], list[Row]]

    @property
    def directory(self) -> str:
        """What the model's directory is called."""
        return f"{self.name}-{self.language}" if self.language else self.name


def _abuse(language: str, heads: str, shape: Shape, strength: float, prior: float) -> Recipe:
    prefixes = ("abuse-en",) if language == "en" else ("abuse-multi",)

    def rows(folders: Sequence[Path]) -> list[Row]:
        rng = Random(_SEED)
        own = list(contrast.read(f"abuse-{language}", language, rng, _OWN_WEIGHT))
        known = [row for row in read(folders, "train", prefixes) if row.language == language]
        taken = [_weighed(row) for row in known if may_train(row)] + own
        return taken + list(_disguised(taken, rng))

    def tuning(folders: Sequence[Path]) -> list[Row]:
        return [row for row in read(folders, "dev", prefixes) if row.language == language]

    names = ("abuse", *(f"abuse.{kind}" for kind in heads.split()))
    return Recipe("abuse", language, names, shape, strength, prior, rows, tuning)


def _spam_rows(folders: Sequence[Path]) -> list[Row]:
    rng = Random(_SEED)
    adverts = [row for row in read(folders, "train", ("spam", "wp-spam")) if may_train(row)]
    known = (row for row in _serious(folders, "train") if may_train(row))
    serious = [with_references(row, rng) for row in known]
    own = list(contrast.read("spam", "", rng, _OWN_WEIGHT))
    all_of_them = list(_with_authors([*adverts, *serious, *own], rng))
    return all_of_them + list(_disguised(all_of_them, rng))


def _spam_tuning(folders: Sequence[Path]) -> list[Row]:
    rng = Random(_SEED)
    rows = [*read(folders, "dev", ("spam", "wp-spam")), *_serious(folders, "dev")]
    return [row if row.name else with_reader(row, rng) for row in rows]


def _serious(folders: Sequence[Path], split: Split) -> Iterator[Row]:
    """Give comments on news and talk pages, and abuse, none of which is advertising."""
    for row in read(folders, split, ("abuse",)):
        wanted = row.source in NEWS or row.source in ("mlma-fr", "mlma-ar")
        if wanted and (split == "train" or not row.positive):
            yield replace(row, positive=False, kinds=frozenset(), weight=0.5)


def _with_authors(rows: Sequence[Row], rng: Random) -> Iterator[Row]:
    """Give serious comments a reader's name, and adverts once theirs, once a reader's."""
    advertisers = [row for row in rows if row.positive and row.url]
    for row in rows:
        yield with_reader(row, rng) if not row.name else row
        if row.positive and row.name:
            yield replace(with_reader(row, rng), weight=row.weight / 2)
        elif row.positive:
            yield replace(with_advertiser(row, advertisers, rng), weight=row.weight / 2)


def _disguised(rows: Sequence[Row], rng: Random) -> Iterator[Row]:
    for row in rows:
        if rng.random() < _NOISY:
            yield replace(row, text=noisy(row.text, rng))


def _weighed(row: Row) -> Row:
    return row if row.positive else replace(row, weight=_NARROW.get(row.source, 1.0))


RECIPES = {
    recipe.directory: recipe
    for recipe in (
        Recipe(
            name="spam",
            language="",
            heads=("spam",),
            shape=Shape("spam", 2, 5, 18),
            strength=4.0,
            prior=0.2,
            rows=_spam_rows,
            tuning=_spam_tuning,
        ),
        _abuse("en", "hate threat insult sexual", Shape("abuse", 2, 5, 19), 1.0, 0.1),
        _abuse("de", "hate insult", Shape("abuse", 2, 5, 18), 1.0, 0.3),
        _abuse("ko", "hate insult", Shape("abuse", 1, 4, 18), 1.0, 0.3),
    )
}
