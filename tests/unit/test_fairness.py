"""Fairness: figures of pairs of comments, worked out by hand."""

from pathlib import Path

import pytest

from worker.models.score import Score
from worker.signals.comment import Signals
from worker.training.fairness import Gap, gaps, widest

PAIRS = """\
identity,lang,publish_text,hold_text
cats,en,0.1,0.9
cats,en,0.6,0.5
dogs,en,0.2,0.4
dogs,de,0.9,0.9
"""


class ReadsNumbers:
    """A model whose score is what the comment says."""

    heads: tuple[str, ...] = ("abuse",)

    def scores(self, signals: Signals) -> dict[str, Score]:
        """Return the number that the comment is."""
        return {"abuse": Score(float(signals.comment.body))}


@pytest.fixture
def found(tmp_path: Path) -> list[Gap]:
    """The figures of the English pairs where scores over 0.45 are held."""
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(PAIRS, encoding="utf-8")
    return gaps(ReadsNumbers(), "en", 0.45, pairs)


def test_each_identity_and_all_together_have_figures(found: list[Gap]) -> None:
    assert found == [
        Gap("all", 3, held_wrongly=1 / 3, held_rightly=2 / 3, ranked_rightly=2 / 3),
        Gap("cats", 2, held_wrongly=0.5, held_rightly=1.0, ranked_rightly=0.5),
        Gap("dogs", 1, held_wrongly=0.0, held_rightly=0.0, ranked_rightly=1.0),
    ]


def test_the_gap_lies_between_identities_and_not_between_them_and_all(found: list[Gap]) -> None:
    assert widest(found) == 0.5
    assert widest([]) == 0.0
