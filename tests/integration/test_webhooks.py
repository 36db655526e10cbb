"""Webhooks for the people who look after them: the command line and the console's page."""

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from service.__main__ import main
from service.domain.clock import utc_now
from service.domain.decision import Role
from service.domain.webhook import Endpoint, MessageState
from service.storage import outbox
from tests.conftest import SECRET
from tests.support.signing_in import Person, signed_in
from tests.support.world import World, bearer

Run = Callable[..., Result]

URL = "https://news.example/hook?<b>&"


@pytest.fixture
def dialect() -> str:
    """One database is enough here."""
    return "sqlite"


@pytest.fixture
def run(world: World, database_url: str, redis_url: str) -> Run:
    """Return a function that runs a command of `webhooks` on this test's database."""

    def command(*words: str) -> Result:
        given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "SECRET_KEY": SECRET}
        return CliRunner().invoke(main, ("webhooks", *words), env=given)

    return command


def values(result: Result) -> dict[str, str]:
    """Return the name=value lines that a command printed."""
    assert result.exit_code == 0, result.output
    return dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)


def refusal(result: Result) -> str:
    """Return the sentence with which a command refused."""
    assert result.exit_code == 1, result.output
    return result.stderr


def listen(world: World, url: str = URL) -> Endpoint:
    """Let the world's site hear of its comments at `url`."""
    with world.store.write() as db:
        return outbox.add_endpoint(db, world.site.id, url, seed="seed", now=utc_now())


def give_up(world: World, endpoint: Endpoint) -> str:
    """Give up what waits for the endpoint, leave it on, and return the last message's id."""
    with world.store.write() as db:
        outbox.disable_endpoint(db, endpoint.id, "for a test", utc_now())
        outbox.update_endpoint(db, endpoint.id, disabled_at=None)
        return outbox.list_messages(db)[0].key


def states(world: World) -> list[MessageState]:
    """Return where the messages stand, newest first."""
    with world.store.read() as db:
        return [message.state for message in outbox.list_messages(db)]


# --- the command line ----------------------------------------------------------


def test_an_endpoint_is_added_and_its_secret_told(run: Run, world: World) -> None:
    printed = values(run("add", "news", URL, "--event", "comment.spam"))
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", printed["secret"])
    with world.store.read() as db:
        [endpoint] = outbox.list_endpoints(db)
    assert (endpoint.url, endpoint.events) == (URL, ("comment.spam",))
    assert printed["secret"] not in str(endpoint)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "nosuch", URL), "no site 'nosuch'"),
        (("add", "news", "ftp://news.example"), "must start with http"),
        (("rotate-secret", "7"), "no endpoint 7"),
        (("disable", "7"), "no endpoint 7"),
        (("enable", "7"), "no endpoint 7"),
        (("resend",), "either a message or"),
        (("resend", "msg_1"), "nothing to send again"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    run: Run, words: tuple[str, ...], why: str
) -> None:
    assert why in refusal(run(*words))


def test_a_new_secret_is_another_one(run: Run) -> None:
    first = values(run("add", "news", URL))
    second = values(run("rotate-secret", first["endpoint"]))
    assert first["secret"] != second["secret"]


def test_what_a_website_was_told_can_be_seen_and_sent_again(run: Run, world: World) -> None:
    endpoint = listen(world)
    comment_id = world.held_comment()
    key = give_up(world, endpoint)

    assert "1 dead" in run("list").output
    assert comment_id in run("log", "--state", "dead").output
    assert run("log", "--state", "delivered").output == ""
    assert "1 to be sent again" in run("resend", "--dead", str(endpoint.id)).output
    assert states(world) == [MessageState.WAITING]
    give_up(world, endpoint)
    assert "1 to be sent again" in run("resend", key).output


def test_an_endpoint_is_switched_off_and_on(run: Run, world: World) -> None:
    endpoint = listen(world)
    run("disable", str(endpoint.id))
    assert "off: switched off by hand" in run("list").output
    world.held_comment()
    run("enable", str(endpoint.id))
    assert "   on;" in run("list").output
    world.held_comment()
    assert states(world) == [MessageState.WAITING]


# --- the console ---------------------------------------------------------------


@pytest.fixture
def admin(world: World) -> Person:
    """An admin at the console."""
    return signed_in(world)


def test_the_page_shows_endpoints_messages_and_attempts(world: World, admin: Person) -> None:
    endpoint = listen(world)
    comment_id = world.held_comment(author={"name": "<i>canary</i>"})
    key = give_up(world, endpoint)
    page = admin.page("/review/webhooks")
    assert "https://news.example/hook?&lt;b&gt;&amp;" in page
    assert key in page
    assert f"/review/{comment_id}" in page
    assert "canary" not in page
    assert "whsec_" not in page


def test_a_dead_letter_is_sent_again_by_a_button(world: World, admin: Person) -> None:
    endpoint = listen(world)
    world.held_comment()
    key = give_up(world, endpoint)
    assert admin.send("/review/webhooks/resend", message=key).status_code == 303
    assert states(world) == [MessageState.WAITING]
    give_up(world, endpoint)
    assert admin.send("/review/webhooks/resend", endpoint=str(endpoint.id)).status_code == 303
    assert states(world) == [MessageState.WAITING]


def test_a_button_pressed_for_nothing_is_told_so(admin: Person) -> None:
    admin.send("/review/webhooks/resend", message="msg_unknown")
    assert "nothing to send again" in admin.page("/review/webhooks")


def test_a_forged_button_does_nothing(world: World, admin: Person) -> None:
    endpoint = listen(world)
    world.held_comment()
    key = give_up(world, endpoint)
    assert admin.client.post("/review/webhooks/resend", data={"message": key}).status_code == 400
    assert states(world) == [MessageState.DEAD]


def test_only_admins_see_what_websites_are_told(world: World) -> None:
    _, token = world.second_moderator(role=Role.SENIOR)
    for method, path in (("GET", "/review/webhooks"), ("POST", "/review/webhooks/resend")):
        answer = world.client.open(path, method=method, headers=bearer(token))
        assert answer.status_code == 403
    assert world.client.get("/review/webhooks").status_code == 303


def test_the_way_there_is_shown_to_admins(world: World, admin: Person) -> None:
    assert "/review/webhooks" in admin.page()
    _, token = world.second_moderator()
    page = world.client.get("/review", headers=bearer(token)).get_data(as_text=True)
    assert "/review/webhooks" not in page


def test_sites_hear_of_their_own_comments_only(world: World) -> None:
    listen(world)
    _, key = world.second_site()
    world.post(key=key)
    world.run_worker_once()
    assert states(world) == []
