"""Model cards: what a model is, what it learned from, how well it does, what it cannot do."""

from collections.abc import Iterator
from pathlib import Path

from worker.training.contrast import SOURCE as OWN
from worker.training.corpora import SOURCES
from worker.training.fairness import Gap
from worker.training.recipes import Recipe
from worker.training.training import Outcome

_WHAT = {
    "spam": "Advertising and propaganda by programs, in any language, told by text and author.",
    "abuse": "Abuse of people: hatred, threats, insults, sexual harassment; told by text alone.",
}
_LIMITS = {
    "spam": (
        "Learned from one WordPress blog's queue of 2017, comments on four music videos, "
        "telephone messages, and adverts that we wrote; serious comments had no author fields "
        "and were given made-up ones.",
        "Adverts in languages that the corpora lack are found by links and author alone.",
        "A long serious comment with several links can look like an advert.",
    ),
    "abuse": (
        "Understands little: irony, allusion and long-winded contempt pass; quotation and "
        "testimony in rude words can be held.",
        "Corpora disagree on what abuse is, and are mostly of social networks, not of news.",
        "Sexual harassment and threats have few labels; the first are told by a list of words "
        "among the positives.",
    ),
}


def card(recipe: Recipe, outcome: Outcome, gaps: list[Gap]) -> str:
    """Return the card of a model as Markdown."""
    return "\n".join(_lines(recipe, outcome, gaps)) + "\n"


def notice(directory: Path) -> None:
    """Write whose data the models learned from, as their licences ask."""
    lines = [
        "The models in this folder were trained on the following data. None of it is contained",
        "here: the models are tables of numbers made from hashed words and characters, and a",
        "network's weights.",
        "We take such tables not to be adaptations of texts under share-alike licences, name all",
        "sources nevertheless, and train on none whose licence is missing, forbids commercial",
        "use, or is one for programs put on data.",
        "",
        *(
            f"- {source.name}: {source.origin}. Licence: {source.licence}."
            for _, source in sorted(SOURCES.items())
            if source.trains
        ),
        f"- {OWN}: sentences written for this project; under its licence.",
        "",
        "The network began as layers of all-MiniLM-L6-v2 by the authors of sentence-transformers,",
        "itself made from MiniLM by Microsoft, under the Apache License 2.0; they were changed by",
        "training and rounding. The licence: https://www.apache.org/licenses/LICENSE-2.0",
    ]
    (directory / "NOTICE").write_text("\n".join(lines) + "\n", encoding="utf-8")


def number(value: float | None) -> str:
    """Return a figure as it is told; a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def share(value: float | None) -> str:
    """Return a part of a whole as it is told; a dash where there is none."""
    return "-" if value is None else f"{value:.1%}"


def _lines(recipe: Recipe, outcome: Outcome, gaps: list[Gap]) -> Iterator[str]:
    model = outcome.model
    yield f"# Model {model.directory}, version {model.version}"
    yield ""
    yield _WHAT[recipe.name]
    language = recipe.language or "any"
    yield f"Scores: {', '.join(recipe.heads)}. Language: {language}."
    yield model.how
    yield f"Made by `python -m worker.training {model.directory} --data FOLDER`."
    yield ""
    yield "## Data"
    yield ""
    yield "| source | rows learned from | licence |"
    yield "|---|---:|---|"
    for source, rows in outcome.learned.items():
        licence = SOURCES[source].licence if source in SOURCES else "own, written for this"
        yield f"| {source} | {rows:,} | {licence} |"
    yield ""
    yield from _figures(outcome)
    yield from _calibration(recipe, outcome)
    yield from _fairness(gaps)
    yield "## Limits"
    yield ""
    yield from (f"- {limit}" for limit in _LIMITS[recipe.name])


def _figures(outcome: Outcome) -> Iterator[str]:
    yield "## Figures on development rows"
    yield ""
    yield f"Held are scores over {outcome.threshold:.2f}. Sources that only measure are among them."
    yield ""
    yield "| source | rows | to hold | AUC | macro-F1 | held rightly | held wrongly |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for each in outcome.sources:
        yield (
            f"| {each.source} | {each.rows} | {each.positive} | {number(each.auc)} "
            f"| {each.macro_f1:.3f} | {share(each.held_of_positive)} "
            f"| {share(each.held_of_others)} |"
        )
    yield ""
    yield "| of serious comments may be held | score over |"
    yield "|---:|---:|"
    for rate, threshold in outcome.thresholds.items():
        yield f"| {rate:.1%} | {threshold:.2f} |"
    yield ""


def _calibration(recipe: Recipe, outcome: Outcome) -> Iterator[str]:
    yield "## Calibration"
    yield ""
    yield f"Scores are probabilities where {recipe.prior:.0%} of comments should be held, on the"
    yield "development rows of news and talk pages. Expected calibration error:"
    yield f"{outcome.calibration_error:.3f}, each half of the rows measured by a scale fitted on"
    yield "the other."
    yield ""
    yield "| part of all | mean score | share to hold |"
    yield "|---:|---:|---:|"
    for each in outcome.bins:
        yield f"| {each.part:.1%} | {each.mean:.3f} | {each.share:.3f} |"
    yield ""


def _fairness(gaps: list[Gap]) -> Iterator[str]:
    if not gaps:
        return
    yield "## Identities"
    yield ""
    yield "Of pairs of comments that differ in what is done with an identity, never learned from:"
    yield ""
    yield "| identity | pairs | held wrongly | held rightly | ranked rightly |"
    yield "|---|---:|---:|---:|---:|"
    for gap in gaps:
        yield (
            f"| {gap.identity} | {gap.pairs} | {gap.held_wrongly:.1%} | {gap.held_rightly:.1%} "
            f"| {gap.ranked_rightly:.1%} |"
        )
    yield ""
