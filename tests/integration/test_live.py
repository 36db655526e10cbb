"""Live counts: streams up to a bound, asking beyond it."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from service.stopping import stopping
from service.storage.people import drop_tokens_of
from tests.support.signing_in import Person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def person(world: World) -> Person:
    """A moderator at the console."""
    return signed_in(world)


def stream(person: Person) -> TestResponse:
    return person.client.get("/review/live/stream", buffered=False)


def messages(answer: TestResponse) -> Iterator[int]:
    """Return what the stream tells, one message after the other."""
    for chunk in answer.response:
        text = chunk.decode() if isinstance(chunk, bytes) else chunk
        if text.startswith("data: "):
            yield int(text.removeprefix("data: "))


def test_asking_tells_counts_and_what_is_new(world: World, person: Person) -> None:
    world.held_comment()
    seen = world.events(world.held_comment())[-1].id
    world.held_comment()
    world.approved_comment()

    told = person.client.get(f"/review/live?seen={seen}").get_json()

    assert told["new"] == 1
    assert (told["counts"]["review"], told["counts"]["approved"]) == ("3", "1")


def test_asking_again_is_answered_cheaply_until_something_happens(
    world: World, person: Person
) -> None:
    world.held_comment()
    first = person.client.get("/review/live")
    tag = {"If-None-Match": first.headers["ETag"]}

    again = person.client.get("/review/live", headers=tag)
    world.held_comment()
    later = person.client.get("/review/live", headers=tag)

    assert (again.status_code, later.status_code) == (304, 200)
    assert "private" in first.headers["Cache-Control"]


def test_a_stream_tells_at_once_and_again_when_something_comes(
    world: World, person: Person
) -> None:
    answer = stream(person)
    told = messages(answer)

    before = next(told)
    newest = world.events(world.held_comment())[-1].id
    after = next(told)
    answer.close()

    assert answer.mimetype == "text/event-stream"
    assert (before, after) == (0, newest)


def test_a_fifth_stream_is_refused_until_one_ends(world: World, person: Person) -> None:
    streams = [stream(person) for _ in range(4)]

    refused = stream(person)
    streams[0].close()
    later = stream(person)
    for each in (*streams, later):
        each.close()

    assert [each.status_code for each in streams] == [200] * 4
    assert refused.status_code == 204
    assert later.status_code == 200


def test_a_stream_ends_with_its_session(world: World, person: Person) -> None:
    answer = stream(person)
    told = messages(answer)
    next(told)

    with world.store.write() as db:
        drop_tokens_of(db, 2)

    assert list(told) == []
    answer.close()


def test_streams_end_when_the_process_is_told_to_stop(world: World, person: Person) -> None:
    answer = stream(person)
    told = messages(answer)
    next(told)

    stopping.set()
    try:
        assert list(told) == []
    finally:
        stopping.clear()
        answer.close()


def test_nothing_of_other_sites_is_told(world: World) -> None:
    world.second_site("other")
    person = signed_in(world, "otto")
    world.held_comment()

    told = person.client.get("/review/live?site=other").get_json()

    assert (told["new"], told["counts"]["review"]) == (0, "0")


def test_strangers_hear_nothing(world: World) -> None:
    for path in ("/review/live", "/review/live/stream"):
        assert world.client.get(path).status_code == 303
