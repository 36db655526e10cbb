"""People decide while others do, and while the rules are about to."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from service.domain.decision import EventKind
from tests.support.gate import Gate
from tests.support.http_service import Answer
from tests.support.stack import Stack
from tests.support.tampered_worker import MODULE, WAITS
from tests.support.waiting import wait_until

LINKS = "See http://example.com/a and http://example.org/b."


def settled(stack: Stack) -> None:
    """Return once the worker has done all that was queued up to now."""
    wait_until(stack.queue_is_done, 30, "all jobs are done")


def reject(stack: Stack, comment_id: str) -> None:
    """Reject a comment as it was before its verdict."""
    answer = stack.decide(comment_id, "reject", version=1)
    assert answer.status == 200, answer.body


def assert_stands_as_rejected(stack: Stack, comment_id: str) -> None:
    """The person's decision is the last word, and the only one of a person."""
    kinds = [event.kind for event in stack.events(comment_id)]
    assert stack.comment(comment_id)["status"] == "rejected"
    assert kinds in ([EventKind.DECISION], [EventKind.VERDICT, EventKind.DECISION])


def test_of_fifty_who_decide_at_once_one_does_and_the_others_are_told(stack: Stack) -> None:
    comment_id = stack.send(body=LINKS)
    version = stack.judged(comment_id)["version"]
    decisions = ["approve", "reject", "spam"]

    def decide(number: int) -> Answer:
        return stack.decide(comment_id, decisions[number % 3], version)

    with ThreadPoolExecutor(50) as people:
        answers = list(people.map(decide, range(50)))

    assert Counter(answer.status for answer in answers) == {200: 1, 409: 49}
    (done,) = (answer.json() for answer in answers if answer.status == 200)
    told = [answer.json() for answer in answers if answer.status == 409]
    assert {each["current_status"] for each in told} == {done["to_status"]}
    assert [event.kind for event in stack.events(comment_id)] == ["verdict", "decision"]


def test_a_decision_before_the_job_stands(stack: Stack) -> None:
    with stack.judging_paused():
        comment_id = stack.send()
        reject(stack, comment_id)
    settled(stack)

    assert_stands_as_rejected(stack, comment_id)


def test_a_decision_while_the_rules_look_stands(stack: Stack) -> None:
    worker = stack.replace_workers(MODULE, RULE_SECONDS="60")
    with Gate(stack.folder) as gate:
        comment_id = stack.send(body=f"Here the {WAITS} for a person.")
        gate.wait_for_somebody()
        reject(stack, comment_id)
    wait_until(lambda: "lost race" in worker.output(), 10, "the rules come too late")

    assert_stands_as_rejected(stack, comment_id)


def test_a_decision_on_what_was_seen_before_the_verdict_stands(stack: Stack) -> None:
    comment_id = stack.send()
    stack.judged(comment_id)

    reject(stack, comment_id)

    assert_stands_as_rejected(stack, comment_id)


def test_a_decision_at_any_moment_stands(stack: Stack, chance: random.Random) -> None:
    moments = [chance.uniform(0, 0.15) for _ in range(60)]

    def send_and_decide(moment: float) -> str:
        comment_id = stack.send()
        threading.Event().wait(moment)
        reject(stack, comment_id)
        return comment_id

    with ThreadPoolExecutor(6) as people:
        ids = list(people.map(send_and_decide, moments))
    settled(stack)

    for comment_id in ids:
        assert_stands_as_rejected(stack, comment_id)
