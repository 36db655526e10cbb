"""Asking other parts without ever waiting for long."""

from threading import Event

import pytest

from service.domain.errors import StoreUnavailable
from service.probes import Probe, accepted_at


def test_an_answer_is_passed_on() -> None:
    assert Probe(lambda: 42).ask() == 42


def test_a_part_that_is_away_answers_nothing() -> None:
    def away() -> int:
        raise StoreUnavailable("OperationalError")

    assert Probe(away).ask() is None


def test_a_mistake_of_our_own_is_not_taken_for_an_absence() -> None:
    def mistaken() -> int:
        raise KeyError("typo")

    with pytest.raises(KeyError):
        Probe(mistaken).ask()


def test_a_part_that_hangs_is_asked_once_and_holds_nobody_up() -> None:
    released, calls = Event(), []

    def hanging() -> str:
        calls.append("asked")
        released.wait(10)
        return "late"

    probe = Probe(hanging, seconds=0.01)

    assert [probe.ask() for _ in range(3)] == [None, None, None]
    assert calls == ["asked"]
    released.set()


def test_a_part_that_recovered_is_asked_again() -> None:
    absences = [StoreUnavailable("away")]

    def question() -> str:
        if absences:
            raise absences.pop()
        return "well"

    probe = Probe(question)

    assert (probe.ask(), probe.ask()) == (None, "well")


def test_an_id_carries_the_time_of_its_comment() -> None:
    at = accepted_at("0191f1c0-1f00-7000-8000-000000000000")

    assert at.isoformat() == "2024-09-14T18:16:25.600000+00:00"
