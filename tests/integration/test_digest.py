"""The digest e-mail, against a real mail server on this machine."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from service.digest import Digest
from service.domain.comment import CommentId
from service.domain.decision import Decision, Role
from service.storage import people
from service.storage.tables import comments
from tests.support.processes import free_port
from tests.support.signing_in import add_person
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


class Mailbox:
    """Takes every message, or none."""

    def __init__(self) -> None:
        self.refuses = False
        self.url = ""
        self.messages: list[Message] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # the server's name for it
        """Keep the message."""
        if self.refuses:
            return "451 Come back later"
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    box.url = f"smtp://127.0.0.1:{controller.port}"
    yield box
    controller.stop()


Make = Callable[..., World]


@pytest.fixture
def make(build_world: Make, mailbox: Mailbox) -> Make:
    """Return a function that makes a world which writes to the mail server."""

    def built(**variables: str) -> World:
        given = {"SMTP_URL": mailbox.url, "BASE_URL": "https://comments.example"}
        return build_world(given | variables)

    return built


def reader(world: World, login: str, hours: int | None = 4, role: Role = Role.MODERATOR) -> int:
    """Make a moderator who wants to be written to; return their id."""
    add_person(world, login, role)
    with world.store.write() as db:
        (found,) = [each for each in people.accounts(db) if each.moderator.login == login]
        number = found.moderator.id
        address = f"{login}@news.example"
        people.change_account(db, number, email=address, digest_hours=hours)
    return number


def waiting(world: World, hours: float, **changes: Any) -> CommentId:
    """Return a held comment that came so long ago."""
    comment_id = world.held_comment(**changes)
    came = world.row(comment_id).created_at - timedelta(hours=hours)
    with world.store.write() as db:
        change = sa.update(comments).where(comments.c.id == comment_id)
        db.execute(change.values(created_at=came))
    return comment_id


def digest(world: World) -> int:
    return Digest(world.store, world.settings).run()


def test_one_message_tells_what_waits_with_a_link_and_no_text(make: Make, mailbox: Mailbox) -> None:
    world = make()
    reader(world, "anna")
    for _ in range(3):
        waiting(world, 5, author={"name": "Ida", "email": "ida@mail.example"})

    assert digest(world) == 1

    (message,) = mailbox.messages
    text = message.get_content()  # type: ignore[attr-defined]  # of the modern message
    assert message["To"] == "anna@news.example"
    assert message["Subject"] == "3 comments wait on The News"
    assert "https://comments.example/review?site=news" in text
    assert "the oldest for 5 hours" in text
    assert "Ida" not in text
    assert "example.com" not in text


def test_nobody_is_written_to_twice_within_the_interval(make: Make, mailbox: Mailbox) -> None:
    world = make()
    reader(world, "anna", hours=4)
    waiting(world, 5)
    digest(world)
    waiting(world, 6)

    again = digest(world)
    with world.store.write() as db:
        db.execute(sa.text("UPDATE digests SET sent_at = sent_at - 4 * 3600000"))
    later = digest(world)

    assert (again, later, len(mailbox.messages)) == (0, 1, 2)


@pytest.mark.parametrize(
    "case", ["nothing waits", "not long enough", "not asked", "shut out", "other sites only",
             "decided in time"],
)  # fmt: skip
def test_nobody_is_written_to_without_need(make: Make, mailbox: Mailbox, case: str) -> None:
    world = make()
    number = reader(world, "anna", hours=None if case == "not asked" else 1)
    if case != "nothing waits":
        comment_id = waiting(world, 3 if case == "not long enough" else 9)
    if case == "decided in time":
        world.moderation.decide(comment_id, Decision.SPAM, moderator=world.moderator, version=2)
    with world.store.write() as db:
        if case == "shut out":
            people.disable_moderator(db, number, world.services.clock())
        elif case == "other sites only":
            people.set_sites(db, number, [])

    assert digest(world) == 0
    assert mailbox.messages == []


def test_each_site_has_its_own_message(make: Make, mailbox: Mailbox) -> None:
    world = make()
    other, key = world.second_site("other")
    reader(world, "anna")
    waiting(world, 5)
    body = "See http://one-shop.com and http://two-shop.com"
    payload = {"thread": {"id": "x"}, "author": {"name": "I", "email": "i@b.example"}, "body": body}
    world.post(payload, key=key)
    world.run_worker_once()
    with world.store.write() as db:
        change = sa.update(comments).where(comments.c.site_id == other.id)
        db.execute(change.values(created_at=world.services.clock() - timedelta(hours=9)))

    assert digest(world) == 2
    assert {message["Subject"] for message in mailbox.messages} == {
        "1 comments wait on The News", "1 comments wait on Other",
    }  # fmt: skip


def test_texts_are_quoted_only_where_that_is_switched_on(make: Make, mailbox: Mailbox) -> None:
    world = make(DIGEST_TEXT="yes")
    reader(world, "anna")
    waiting(world, 5, author={"name": "Ida\u202e"}, body=(
        "First line http://one-shop.com\nsecond\u202e http://two-shop.com"))  # fmt: skip

    digest(world)

    (message,) = mailbox.messages
    text = message.get_content()  # type: ignore[attr-defined]  # of the modern message
    assert "Ida: First line http://one-shop.com second http://two-shop.com" in text
    assert "\u202e" not in text


def test_what_could_not_be_sent_is_sent_the_next_time(make: Make, mailbox: Mailbox) -> None:
    world = make()
    reader(world, "anna")
    waiting(world, 5)
    mailbox.refuses = True

    refused = digest(world)
    mailbox.refuses = False

    assert (refused, digest(world), len(mailbox.messages)) == (0, 1, 1)


@pytest.mark.parametrize("url", ["", "smtp://127.0.0.1:9", "smtp://user:pw@{server}"])
def test_without_a_server_or_without_tls_for_a_password_nothing_is_sent(
    make: Make, mailbox: Mailbox, url: str
) -> None:
    server = mailbox.url.removeprefix("smtp://")
    world = make(SMTP_URL=url.format(server=server))
    reader(world, "anna")
    waiting(world, 5)

    assert digest(world) == 0
    assert mailbox.messages == []
