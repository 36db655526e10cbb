"""Labels: what rows are examples of, and how much each counts."""

import numpy as np
import pytest

from worker.training.corpora import Row
from worker.training.labels import balance, importance, labels_of, origin


def row(
    source: str = "edos", *, kinds: str = "", positive: bool = True, weight: float = 1.0
) -> Row:
    """Return a row of a source."""
    return Row("a", positive, source, "en", weight=weight, kinds=frozenset(kinds.split()))


def test_a_source_four_times_as_large_counts_twice_as_much() -> None:
    counts = balance(["large"] * 4 + ["small"])

    assert counts == pytest.approx(np.array([5 / 6] * 4 + [5 / 3]))


def test_news_and_talk_are_one_origin() -> None:
    talk, news = row("wikipedia-talk-context"), row("fox-news-comments")

    assert origin(talk) == origin(news) != origin(row("edos")) == "edos"


def test_a_positive_of_another_kind_counts_half_and_of_no_known_kind_not_at_all() -> None:
    rows = [row(kinds="hate"), row(kinds="insult"), row(), row(positive=False)]

    assert importance("abuse.hate", rows) == pytest.approx(np.array([1, 0.5, 0, 1]))
    assert importance("abuse", rows) == pytest.approx(np.ones(4))


def test_a_row_counts_by_its_weight_and_makes_no_source_larger_without_one() -> None:
    rows = [row("edos", weight=4.0), row("surge-toxicity"), row("edos", weight=0.0)]

    assert importance("abuse", rows) == pytest.approx(np.array([4, 1, 0]))


def test_rows_are_examples_of_their_kinds() -> None:
    rows = [row(kinds="hate threat"), row(kinds="insult"), row(positive=False)]

    told = {
        head: labels_of(head, rows).tolist() for head in ("abuse", "abuse.hate", "abuse.insult")
    }

    assert told == {
        "abuse": [True, True, False],
        "abuse.hate": [True, False, False],
        "abuse.insult": [False, True, False],
    }


def test_positives_are_told_to_be_sexual_by_their_words() -> None:
    texts = ("Naked, all of them", "Dressed, all of them")
    rows = [Row(text, positive, "edos", "en") for text in texts for positive in (True, False)]

    assert labels_of("abuse.sexual", rows).tolist() == [True, False, False, False]
