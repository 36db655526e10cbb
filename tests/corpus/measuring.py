"""How the shipped rules do on the frozen corpora, family by family."""

import csv
from functools import cache
from pathlib import Path

import yaml

from tests.support.judging import shipped
from worker.models.score import NO_MODELS
from worker.models.shelf import shipped_models
from worker.tools.corpus import Report, measure, read_samples

FOLDER = Path(__file__).parent
FLOORS = FOLDER / "floors.yaml"

CORPORA = ("publish_or_hold", "evasions", "second_look")


@cache
def report(corpus: str, *, with_models: bool = False) -> Report:
    """Return what the shipped rules make of a corpus: alone, or with what models say."""
    models = shipped_models() if with_models else NO_MODELS
    return measure(read_samples(FOLDER / f"{corpus}.csv"), shipped(), models)


def caught(corpus: str) -> dict[str, int]:
    """Return how many comments of each family that should be held are held."""
    groups = report(corpus).groups
    return {family: counts["held"] for (family, hold), counts in groups.items() if hold}


def floors() -> dict[str, dict[str, int]]:
    """Return how many of each family must be held at the least."""
    found: dict[str, dict[str, int]] = yaml.safe_load(FLOORS.read_text(encoding="utf-8"))
    return found


def raise_floors() -> None:
    """Write down what is held today where that is more than before; floors never sink."""
    before = floors() if FLOORS.exists() else {}
    raised = {
        corpus: {
            family: max(held, before.get(corpus, {}).get(family, 0))
            for family, held in sorted(caught(corpus).items())
        }
        for corpus in CORPORA
    }
    head = "# How many of each family must be held at the least. These numbers only ever rise:\n"
    how = "# `python -m tests.corpus` writes down what is held today.\n"
    FLOORS.write_text(head + how + yaml.safe_dump(raised), encoding="utf-8")


def sizes(corpus: str) -> dict[str, int]:
    """Return how many comments each family has."""
    counts: dict[str, int] = {}
    with (FOLDER / f"{corpus}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            counts[row["family"]] = counts.get(row["family"], 0) + 1
    return counts
