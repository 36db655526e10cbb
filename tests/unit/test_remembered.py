"""What takes a moment to count: told at once, counted aside, never twice at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest

from service.web import remembered
from service.web.remembered import Counted, Remembered
from tests.support.waiting import wait_until


class Slow:
    """A count that ends when it is let go."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = Event()

    def __call__(self) -> int:
        """Return the how-manieth count this is."""
        self.begun += 1
        assert self.go.wait(30)
        return self.begun


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, counts_are_waited_for: None) -> None:
    """Have nobody wait."""
    monkeypatch.setattr(remembered, "_PATIENCE_SECONDS", 0.0)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A count that takes as long as the test wants."""
    count = Slow()
    yield count
    count.go.set()


@contextmanager
def in_time() -> Iterator[None]:
    """Have those within the block wait for the count."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered, "_PATIENCE_SECONDS", 30.0)
        yield


def test_before_the_first_count_there_is_nothing_and_then_the_value(slow: Slow) -> None:
    known: Remembered[int] = Remembered()

    assert [known.get("key", slow) for _ in range(3)] == [None, None, None]
    slow.go.set()
    wait_until(lambda: known.get("key", slow) is not None, 30, "it is counted")

    assert known.get("key", slow) == Counted(1)
    assert slow.begun == 1, "never twice at a time"


def test_an_old_value_is_shown_until_the_new_one_is_there(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: Remembered[int] = Remembered()
    monkeypatch.setattr(remembered, "_FRESH_SECONDS", 0.0)
    with in_time():
        known.get("key", lambda: 7)

    assert known.get("key", slow) == Counted(7, renewing=True)
    monkeypatch.setattr(remembered, "_FRESH_SECONDS", 60.0)
    slow.go.set()
    wait_until(lambda: not _renewing(known, slow), 30, "it is counted anew")

    assert known.get("key", slow) == Counted(1)


def test_what_is_counted_in_time_is_given_at_once() -> None:
    known: Remembered[int] = Remembered()
    with in_time():
        assert known.get("key", lambda: 7) == Counted(7)
        assert known.get("key", lambda: 8) == Counted(7), "still fresh"
        assert known.get("other", lambda: 9) == Counted(9)


def test_a_count_that_failed_is_told_and_begun_anew() -> None:
    known: Remembered[float] = Remembered()
    with in_time():
        with pytest.raises(ZeroDivisionError):
            known.get("key", lambda: 1 / 0)
        assert known.get("key", lambda: 7) == Counted(7)


def test_no_more_is_kept_than_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST_REMEMBERED", 2)
    known: Remembered[int] = Remembered()
    with in_time():
        for number in range(5):
            assert known.get(number, lambda number=number: number) == Counted(number)  # type: ignore[misc]
    assert len(known._known) <= 2


def _renewing(known: Remembered[int], count: Slow) -> bool:
    found = known.get("key", count)
    return found is None or found.renewing
