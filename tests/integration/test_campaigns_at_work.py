"""Campaigns as the worker finds them: variants of one text are one, other texts are not."""

from itertools import combinations, count

import pytest

from service.domain.clock import utc_now
from service.domain.comment import CommentId
from service.storage import Store, campaigns
from tests.unit.test_near import COMMENTS
from worker.campaigns import Campaigns
from worker.signals.near import alike, signature

TEXT = (
    "I just found your wonderful site and read every article about {topic}. My cousin earned "
    "{sum} from home last month with a simple program, so please tell your friends before it ends"
)
CHANGED = [
    ("old history", "a thousand dollars"),
    ("the weather", "five hundred euros"),
    ("modern art", "two big cheques"),
    ("good cooking", "a small fortune"),
    ("mountain birds", "four monthly wages"),
    ("wooden boats", "a nice bonus"),
    ("local politics", "many gold coins"),
    ("summer gardens", "another whole salary"),
]
_numbers = count(1)


def variant(topic: str, sum_: str) -> int:
    """Return the fingerprint of the text with two of its phrases changed."""
    found = signature(TEXT.format(topic=topic, sum=sum_))
    assert found is not None
    return found


VARIANTS = [variant(*phrases) for phrases in CHANGED]


def in_turn(store: Store, marks: list[int], size: int) -> list[str]:
    """Return the campaigns of texts that are judged in batches of that size."""
    found = []
    for start in range(0, len(marks), size):
        batch = Campaigns(store).of_batch(marks[start : start + size])
        with store.write() as db:
            named = {CommentId(str(next(_numbers))): mark for mark in batch if mark}
            campaigns.mark(db, named, utc_now())
        found += [mark.campaign for mark in batch if mark]
    return found


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("shift", [0, 3, 7])
def test_variants_of_one_text_are_one_campaign(store: Store, size: int, shift: int) -> None:
    marks = VARIANTS[shift:] + VARIANTS[:shift]
    assert all(alike(one, other) for one, other in combinations(marks, 2))

    assert set(in_turn(store, marks, size)) == {f"{marks[0]:032x}"}


@pytest.mark.parametrize("size", [1, 40])
def test_texts_that_have_little_in_common_stay_apart(store: Store, size: int) -> None:
    others = [mark for comment in COMMENTS if (mark := signature(comment)) is not None]
    marks = [VARIANTS[0], *others, *VARIANTS[1:]]

    found = in_turn(store, marks, size)

    assert found[1 : len(others) + 1] == [f"{mark:032x}" for mark in others]
    assert len(set(found)) == len(others) + 1


def test_what_a_campaign_is_found_by_is_bounded(store: Store) -> None:
    for mark in Campaigns(store).of_batch([VARIANTS[0], *VARIANTS, *VARIANTS]):
        assert mark is not None
        assert len(mark.bands) <= 24
