"""Comments that break what judges them end before a person, and take nobody along."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.conftest import audited
from tests.support.ledger import Ledger
from tests.support.stack import Stack
from tests.support.tampered_worker import EATS_MEMORY, EXITS, MODULE, RAISES, SLEEPS


def reasons(comment: dict[str, Any]) -> dict[str, str]:
    """Return why a comment is held, by rule."""
    return {hit["rule"]: hit["why"] for hit in comment["verdict"]["hits"]}


@pytest.mark.parametrize(
    ("deed", "rule"),
    [(RAISES, "tampered"), (EATS_MEMORY, "tampered"), (SLEEPS, "time-limit")],
)
def test_a_rule_that_fails_holds_the_comment_and_no_other(
    stack: Stack, deed: str, rule: str
) -> None:
    stack.replace_workers(MODULE)
    with stack.judging_paused():
        before, poison, after = stack.send(), stack.send(body=f"Here is a {deed}."), stack.send()

    held = stack.judged(poison)

    assert held["status"] == "held"
    assert reasons(held)[rule]
    assert {stack.judged(each)["status"] for each in (before, after)} == {"approved"}


def test_what_the_other_rules_found_is_kept(stack: Stack) -> None:
    stack.replace_workers(MODULE)
    links = "http://example.com/a http://example.org/b"

    held = stack.judged(stack.send(body=f"A {RAISES} and {links}"))

    assert {"tampered", "several-links"} <= reasons(held).keys()


def test_a_comment_that_kills_its_worker_does_not_stop_the_queue(
    stack: Stack, ledger_over: Callable[..., Ledger], window: float
) -> None:
    stack.replace_workers(MODULE)
    with ledger_over(stack) as ledger:
        ledger.let_pass(window / 4)
        with stack.judging_paused():
            stack.send(body=f"Here is a {EXITS}.")
            ledger.let_pass(1)
        ledger.let_pass(window * 3 / 4)

    audited(stack, ledger, bound=60).stayed_alive()
    # The worker that ships sees nothing in that word.
    stack.replace_workers()


def test_a_comment_that_kills_its_worker_is_given_up_and_its_batch_is_not(stack: Stack) -> None:
    stack.replace_workers(MODULE)
    with stack.judging_paused():
        others = [stack.send() for _ in range(3)]
        poison = stack.send(body=f"Here is a {EXITS}.")
        others += [stack.send() for _ in range(3)]

    held = stack.judged(poison, bound=90)

    assert held["status"] == "held"
    assert reasons(held) == {"could-not-be-judged": "This comment could not be judged"}
    for each in [*others, stack.send()]:
        assert stack.judged(each, bound=30)["status"] == "approved"
