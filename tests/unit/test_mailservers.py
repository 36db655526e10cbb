"""Mail servers: looked up aside, remembered, and left alone while DNS is away."""

import threading
import time
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from dns.resolver import NXDOMAIN, NoAnswer
from email_validator import EmailUndeliverableError

from tests.support.waiting import wait_until
from worker import mailservers
from worker.mailservers import Lookup, MailServers, look_up

Make = Callable[[Lookup], MailServers]


class Clock:
    """A clock that goes when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Dns:
    """Answers as told, and counts the questions."""

    def __init__(self, answers: dict[str, bool | None]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, domain: str) -> bool | None:
        self.asked.append(domain)
        return self.answers.get(domain)


@pytest.fixture
def clock() -> Clock:
    """A clock at 0."""
    return Clock()


@pytest.fixture
def opened() -> Iterator[list[MailServers]]:
    """What to close at the end."""
    made: list[MailServers] = []
    yield made
    for servers in made:
        servers.close()


@pytest.fixture
def make(clock: Clock, opened: list[MailServers]) -> Make:
    """Return a function that gives mail servers over a look-up."""

    def build(lookup: Lookup) -> MailServers:
        opened.append(MailServers(lookup, clock))
        return opened[-1]

    return build


def test_an_answer_in_time_is_given_and_remembered(make: Make) -> None:
    dns = Dns({"a.example": True, "b.example": False})
    servers = make(dns)

    for _ in range(2):
        assert servers.deliverable(["a.example", "b.example"], seconds=5) == {
            "a.example": True,
            "b.example": False,
        }
    assert sorted(dns.asked) == ["a.example", "b.example"]


def test_what_was_waited_for_in_vain_keeps_nobody_waiting_again(make: Make) -> None:
    answered = Event()
    servers = make(lambda domain: answered.wait(60))
    assert servers.deliverable(["slow.example"], seconds=0.01) == {}

    started = time.monotonic()
    assert servers.deliverable(["slow.example"], seconds=30) == {}
    assert time.monotonic() - started < 20

    answered.set()
    known = {"slow.example": True}
    wait_until(lambda: servers.deliverable(["slow.example"], seconds=0) == known, 10)


def test_what_was_asked_for_in_passing_is_waited_for(make: Make) -> None:
    answered = Event()
    servers = make(lambda domain: answered.wait(60))
    servers.deliverable(["slow.example"], seconds=0)
    threading.Timer(0.1, answered.set).start()
    assert servers.deliverable(["slow.example"], seconds=30) == {"slow.example": True}


def test_an_answer_that_is_late_is_absent_and_there_the_next_time(make: Make) -> None:
    answered = Event()
    servers = make(lambda domain: answered.wait(10))

    assert servers.deliverable(["slow.example"], seconds=0) == {}
    answered.set()
    known = wait_until(lambda: servers.deliverable(["slow.example"], seconds=0), 5, "an answer")

    assert known == {"slow.example": True}


def test_a_denial_is_asked_again_after_an_hour_and_a_yes_after_a_day(
    make: Make, clock: Clock
) -> None:
    dns = Dns({"yes.example": True, "no.example": False})
    servers = make(dns)
    servers.deliverable(["yes.example", "no.example"], seconds=5)

    clock.now = 2 * 3600
    servers.deliverable(["yes.example", "no.example"], seconds=5)
    assert sorted(dns.asked) == ["no.example", "no.example", "yes.example"]

    clock.now = 25 * 3600
    servers.deliverable(["yes.example"], seconds=5)
    assert dns.asked.count("yes.example") == 2


def test_dns_that_never_answers_is_left_alone_for_a_while(make: Make, clock: Clock) -> None:
    dns = Dns({})
    servers = make(dns)
    for number in range(50):
        assert servers.deliverable([f"{number}.example"], seconds=5) == {}
    questions = len(dns.asked)
    assert questions < 10

    clock.now = 120
    servers.deliverable(["later.example"], seconds=5)
    assert len(dns.asked) == questions + 1


@pytest.mark.parametrize(
    ("cause", "top_level_exists", "takes_mail"),
    [
        pytest.param(NXDOMAIN, True, False, id="the domain does not exist"),
        pytest.param(NXDOMAIN, False, None, id="a resolver cut off denies everything"),
        pytest.param(NoAnswer, True, False, id="no mail server"),
        pytest.param(None, True, False, id="the domain refuses mail"),
        pytest.param(OSError, True, None, id="something else went wrong"),
    ],
)
def test_only_a_real_denial_counts(
    cause: type[Exception] | None,
    top_level_exists: bool,
    takes_mail: bool | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise EmailUndeliverableError("no") from (cause() if cause else None)

    monkeypatch.setattr(mailservers, "_resolver", lambda: None)
    monkeypatch.setattr(mailservers, "validate_email_deliverability", refuse)
    monkeypatch.setattr(mailservers, "_exists", lambda _: top_level_exists)

    assert look_up("shop.example") is takes_mail
