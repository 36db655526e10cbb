"""Signing in and out, and what a session is worth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from service.domain.decision import Role
from service.storage.people import disable_moderator, moderator_by_login, set_password
from service.storage.tables import moderator_tokens
from tests.support.signing_in import PASSWORD, Person, add_person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


def browser(world: World) -> Person:
    return Person(world.app.test_client())


def sessions(world: World) -> int:
    count = sa.select(sa.func.count()).where(moderator_tokens.c.kind == "session")
    with world.store.read() as db:
        return db.execute(count).scalar_one()


def test_the_right_password_opens_the_console(world: World) -> None:
    add_person(world, "anna")
    person = browser(world)

    answer = person.sign_in("anna")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/review"
    assert "Signed in as" in person.page()


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("anna", "wrong"),
        ("anna", ""),
        ("anna", PASSWORD + "x" * 2_000),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("an\0na", PASSWORD),
        ("x" * 5_000, PASSWORD),
    ],
)
def test_everything_else_gets_one_and_the_same_refusal(
    world: World, login: str, password: str
) -> None:
    add_person(world, "anna")
    person = browser(world)

    answer = person.sign_in(login, password)

    assert answer.status_code == 403
    assert "do not belong together" in answer.get_data(as_text=True)
    assert person.client.get("/review").status_code == 303
    assert sessions(world) == 0


def test_a_disabled_moderator_cannot_sign_in(world: World) -> None:
    add_person(world, "anna")
    disable(world, "anna")

    assert browser(world).sign_in("anna").status_code == 403


def test_who_is_not_signed_in_is_led_to_the_page_asked_for_afterwards(world: World) -> None:
    add_person(world, "anna")
    person = browser(world)
    asked = "/review?status=spam&q=a+b"

    sent_away = person.client.get(asked)
    login_page = person.client.get(sent_away.headers["Location"]).get_data(as_text=True)
    answer = person.send("/login", onto="/login", login="anna", password=PASSWORD, next=asked)

    assert sent_away.status_code == 303
    assert "status=spam&amp;q=a+b" in login_page
    assert answer.headers["Location"] == asked


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/demo", "/review\r\nX: y"],
)
def test_signing_in_leads_nowhere_else(world: World, wanted: str) -> None:
    add_person(world, "anna")

    answer = browser(world).send(
        "/login", onto="/login", login="anna", password=PASSWORD, next=wanted
    )

    assert answer.headers["Location"] == "/review"


def test_signing_in_needs_the_page_s_own_form(world: World) -> None:
    add_person(world, "anna")

    answer = browser(world).client.post("/login", data={"login": "anna", "password": PASSWORD})

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


def test_every_sign_in_starts_a_session_of_its_own(world: World) -> None:
    person = signed_in(world)
    person.page()
    with person.client.session_transaction() as cookie:
        before = dict(cookie)

    person.send("/logout")
    person.sign_in("anna")
    person.page()

    with person.client.session_transaction() as cookie:
        assert cookie["signed_in"] != before["signed_in"]
        assert cookie["csrf_token"] != before["csrf_token"]


def test_the_cookie_carries_a_random_token_and_nothing_about_the_person(world: World) -> None:
    person = signed_in(world)
    person.page()

    with person.client.session_transaction() as cookie:
        assert set(cookie) <= {"signed_in", "csrf_token"}
        assert len(cookie["signed_in"]) >= 43


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    add_person(world, "anna")

    cookie = browser(world).sign_in("anna").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure(build_world: Callable[..., World]) -> None:
    world = build_world({"BASE_URL": "https://comments.example"})

    cookie = world.client.get("/login", base_url="https://comments.example").headers["Set-Cookie"]

    assert "Secure" in cookie


def test_signing_out_ends_the_session_in_the_record_too(world: World) -> None:
    person = signed_in(world)
    with person.client.session_transaction() as cookie:
        kept = cookie["signed_in"]

    answer = person.send("/logout")
    with person.client.session_transaction() as cookie:
        cookie["signed_in"] = kept

    assert answer.headers["Location"] == "/login"
    assert sessions(world) == 0
    assert person.client.get("/review").status_code == 303


def test_signing_out_needs_the_csrf_token(world: World) -> None:
    person = signed_in(world)

    assert person.client.post("/logout").status_code == 400
    assert sessions(world) == 1


def test_disabling_a_moderator_ends_their_sessions_at_once(world: World) -> None:
    person = signed_in(world)

    disable(world, "anna")

    assert person.client.get("/review").status_code == 303


def test_a_session_ends_by_itself(world: World) -> None:
    person = signed_in(world)
    passed = datetime.now(UTC) - timedelta(seconds=1)
    with world.store.write() as db:
        db.execute(
            sa.update(moderator_tokens)
            .where(moderator_tokens.c.kind == "session")
            .values(expires_at=passed)
        )

    assert person.client.get("/review").status_code == 303


def test_attempts_are_limited_by_address(build_world: Callable[..., World]) -> None:
    world = build_world({"LOGINS_PER_MINUTE": "3"})
    person = browser(world)

    answers = [person.sign_in(f"guess{number}", "wrong") for number in range(4)]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert answers[-1].mimetype == "text/html"
    assert answers[-1].headers["Retry-After"]


def test_attempts_are_limited_by_login_name(build_world: Callable[..., World]) -> None:
    world = build_world({"LOGINS_PER_MINUTE": "3"})
    add_person(world, "anna")
    token = browser(world).csrf_token("/login")
    assert token

    answers = []
    for number in range(4):
        person = Person(world.app.test_client())
        fields = {"csrf_token": person.csrf_token("/login"), "login": "Anna", "password": "wrong"}
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        answers.append(person.client.post("/login", data=fields, environ_base=address))

    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]


def test_an_outdated_password_hash_is_renewed(world: World) -> None:
    add_person(world, "anna", Role.ADMIN)
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    store_hash(world, "anna", weak)

    answer = browser(world).sign_in("anna")

    assert answer.status_code == 303
    with world.store.read() as db:
        known = moderator_by_login(db, "anna")
    assert known is not None
    assert known[1] != weak


def disable(world: World, login: str) -> None:
    with world.store.write() as db:
        known = moderator_by_login(db, login)
        assert known is not None
        disable_moderator(db, known[0].id, datetime.now(UTC))


def store_hash(world: World, login: str, password_hash: str) -> None:
    with world.store.write() as db:
        known = moderator_by_login(db, login)
        assert known is not None
        set_password(db, known[0].id, password_hash)
