"""Accounts, rights and second factors, as admins and moderators meet them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
import sqlalchemy as sa

from service.domain.decision import Decision, Role
from service.domain.errors import CommentNotFound
from service.storage import people
from service.storage.people import Account
from service.storage.tables import moderators
from tests.support.signing_in import PASSWORD, Person, add_person, signed_in
from tests.support.world import World

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])

NEW_PASSWORD = "a longer and better one"


def account(world: World, login: str) -> Account:
    with world.store.read() as db:
        (found,) = [each for each in people.accounts(db) if each.moderator.login == login]
    return found


def browser(world: World) -> Person:
    return Person(world.app.test_client())


def shown_password(page: str) -> str:
    found = re.search(r"shown this once: <code[^>]*>([^<]+)</code>", page)
    assert found, "no password on the page"
    return unescape(found[1])


def secret_of(person: Person) -> tuple[str, str]:
    """Return nonce and secret that the page offers."""
    page = person.page("/review/account/second-factor")
    nonce = re.search(r'name="nonce" value="([0-9a-f]{32})"', page)
    secret = re.search(r'<code class="address">([A-Z2-7]+)</code>', page)
    assert nonce
    assert secret
    return nonce[1], secret[1]


def switch_on(person: Person) -> pyotp.TOTP:
    """Set up one-time passwords and return what generates them."""
    nonce, secret = secret_of(person)
    generator = pyotp.TOTP(secret)
    answer = person.send(
        "/review/account/second-factor", onto="/review/account", nonce=nonce, code=generator.now()
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return generator


class TestPeoplePage:
    """Admins make accounts and change them."""

    def test_a_new_person_signs_in_with_the_password_shown_once(self, world: World) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)

        page = admin.send(
            "/review/people", onto="/review/people", login="bert", role="senior", reach="every"
        ).get_data(as_text=True)
        again = admin.page("/review/people")

        assert browser(world).sign_in("bert", shown_password(page)).status_code == 303
        assert account(world, "bert").moderator.role is Role.SENIOR
        assert "shown this once" not in again
        assert "Person made: <bdi>bert</bdi> (senior, every site), by <bdi>anna</bdi>" in again

    def test_a_login_name_is_given_once(self, world: World) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)

        answer = admin.send("/review/people", onto="/review/people", login="anna", role="admin")

        assert answer.status_code == 409
        assert "This login name is taken" in answer.get_data(as_text=True)

    @pytest.mark.parametrize("login", ["", "ann a", "<b>", "x" * 65])
    def test_a_login_name_is_a_plain_word(self, world: World, login: str) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)

        answer = admin.send("/review/people", onto="/review/people", login=login, role="admin")

        assert answer.status_code == 422

    def test_rights_are_changed_at_once(self, world: World) -> None:
        admin, bert = signed_in(world, "anna", Role.ADMIN), signed_in(world, "bert", Role.ADMIN)
        number = account(world, "bert").moderator.id

        admin.send(
            f"/review/people/{number}/rights", onto="/review/people", role="moderator",
            reach="some", sites=["news"],
        )  # fmt: skip

        assert bert.client.get("/review/people").status_code == 403
        assert account(world, "bert").moderator.sites == frozenset({world.site.id})

    def test_only_some_sites_must_name_one(self, world: World) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)
        number = account(world, "anna").moderator.id

        answer = admin.send(
            f"/review/people/{number}/rights", onto="/review/people", role="admin", reach="some"
        )

        assert answer.status_code == 422
        assert account(world, "anna").moderator.sites is None

    @pytest.mark.parametrize("role", [Role.MODERATOR, Role.SENIOR])
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/review/people"),
            ("POST", "/review/people"),
            ("POST", "/review/people/1/rights"),
            ("POST", "/review/people/1/disable"),
            ("POST", "/review/people/1/enable"),
            ("POST", "/review/people/1/password"),
            ("POST", "/review/people/1/second-factor/off"),
        ],
    )
    def test_nobody_else_manages_people(
        self, world: World, role: Role, method: str, path: str
    ) -> None:
        person = signed_in(world, "otto", role)
        fields = {"csrf_token": person.csrf_token(), "login": "x", "role": "admin"}

        answer = person.client.open(path, method=method, data=fields)

        assert answer.status_code == 403
        assert len(everybody(world)) == 2

    def test_somebody_shut_out_is_out_at_once_and_can_be_let_in_again(self, world: World) -> None:
        admin, bert = signed_in(world, "anna", Role.ADMIN), signed_in(world, "bert", Role.SENIOR)
        number = account(world, "bert").moderator.id

        admin.send(f"/review/people/{number}/disable", onto="/review/people")
        out = bert.client.get("/review").status_code, browser(world).sign_in("bert").status_code
        admin.send(f"/review/people/{number}/enable", onto="/review/people")

        assert out == (303, 403)
        assert browser(world).sign_in("bert").status_code == 303

    def test_the_last_admin_stays(self, world: World) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)
        first, second = account(world, "mod").moderator.id, account(world, "anna").moderator.id
        admin.send(f"/review/people/{first}/disable", onto="/review/people")

        shut = admin.send(f"/review/people/{second}/disable", onto="/review/people")
        lowered = admin.send(
            f"/review/people/{second}/rights", onto="/review/people", role="senior", reach="every"
        )

        assert (shut.status_code, lowered.status_code) == (409, 409)
        assert admin.client.get("/review/people").status_code == 200

    def test_a_new_password_replaces_the_old_and_ends_sessions(self, world: World) -> None:
        admin, bert = signed_in(world, "anna", Role.ADMIN), signed_in(world, "bert")
        number = account(world, "bert").moderator.id

        answer = admin.send(f"/review/people/{number}/password", onto="/review/people")
        password = shown_password(answer.get_data(as_text=True))

        assert bert.client.get("/review").status_code == 303
        assert browser(world).sign_in("bert").status_code == 403
        assert browser(world).sign_in("bert", password).status_code == 303

    def test_an_unknown_person_is_not_found(self, world: World) -> None:
        admin = signed_in(world, "anna", Role.ADMIN)

        for act in ("disable", "enable", "password", "second-factor/off"):
            answer = admin.send(f"/review/people/99/{act}", onto="/review/people")
            assert answer.status_code == 404, act


def everybody(world: World) -> list[Account]:
    with world.store.read() as db:
        return people.accounts(db)


class TestSites:
    """A moderator of some sites sees and changes nothing of the others."""

    @pytest.fixture
    def person(self, world: World) -> Person:
        """A moderator of the site `other` alone."""
        site, _ = world.second_site("other")
        person = signed_in(world, "otto", Role.SENIOR)
        with world.store.write() as db:
            people.set_sites(db, account(world, "otto").moderator.id, [site.id])
        return person

    def test_comments_of_other_sites_are_not_there(self, world: World, person: Person) -> None:
        comment_id = world.held_comment(author={"name": "Ida"})

        assert "Ida" not in person.page("/review")
        assert person.client.get(f"/review/{comment_id}").status_code == 404
        assert "Nothing waits for you." in person.page("/review")

    def test_comments_of_other_sites_cannot_be_decided(self, world: World, person: Person) -> None:
        comment_id = world.held_comment()
        moderator = account(world, "otto").moderator

        with pytest.raises(CommentNotFound):
            world.moderation.decide(comment_id, Decision.SPAM, moderator=moderator, version=2)
        result = world.moderation.decide_many([comment_id], Decision.SPAM, moderator=moderator)
        answer = person.send(f"/review/{comment_id}/decision", decision="spam", version=2)

        assert result.unchanged == {comment_id: "There is no such comment."}
        assert answer.status_code == 404
        assert world.status(comment_id) == "held"

    def test_decisions_on_other_sites_cannot_be_undone(self, world: World, person: Person) -> None:
        comment_id = world.held_comment()
        event = world.moderation.decide(
            comment_id, Decision.SPAM, moderator=world.moderator, version=2
        )
        batch = world.moderation.decide_many(
            [world.held_comment()], Decision.SPAM, moderator=world.moderator
        ).batch

        answers = [
            person.send("/review/undo", event=event.id),
            person.send("/review/undo", batch=batch),
        ]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert world.status(comment_id) == "spam"

    def test_their_own_site_is_theirs(self, world: World, person: Person) -> None:
        moderator = account(world, "otto").moderator
        with world.store.write() as db:
            people.set_sites(db, moderator.id, [world.site.id])
        world.held_comment(author={"name": "Ida"})

        assert "Ida" in person.page("/review")


class TestAccount:
    """What everybody sets for themselves."""

    def test_a_new_password_needs_the_old_one(self, world: World) -> None:
        person = signed_in(world, "anna")

        wrong = person.send(
            "/review/account/password", onto="/review/account", password="no",
            new_password=NEW_PASSWORD,
        )  # fmt: skip
        right = person.send(
            "/review/account/password", onto="/review/account", password=PASSWORD,
            new_password=NEW_PASSWORD,
        )  # fmt: skip

        assert (wrong.status_code, right.status_code) == (422, 303)
        assert browser(world).sign_in("anna", NEW_PASSWORD).status_code == 303
        assert browser(world).sign_in("anna").status_code == 403

    def test_a_short_password_is_refused(self, world: World) -> None:
        person = signed_in(world, "anna")

        answer = person.send(
            "/review/account/password", onto="/review/account", password=PASSWORD,
            new_password="short",
        )  # fmt: skip

        assert answer.status_code == 422

    def test_changing_the_password_ends_every_other_session(self, world: World) -> None:
        here = signed_in(world, "anna")
        there = browser(world)
        there.sign_in("anna")

        here.send(
            "/review/account/password", onto="/review/account", password=PASSWORD,
            new_password=NEW_PASSWORD,
        )  # fmt: skip

        assert here.client.get("/review").status_code == 200
        assert there.client.get("/review").status_code == 303

    def test_signing_out_everywhere_rotates_the_own_session(self, world: World) -> None:
        here = signed_in(world, "anna")
        with here.client.session_transaction() as cookie:
            before = cookie["signed_in"]
        copy, there = browser(world), browser(world)
        with copy.client.session_transaction() as cookie:
            cookie["signed_in"] = before
        there.sign_in("anna")

        here.send("/review/account/sign-out-everywhere", onto="/review/account")

        assert here.client.get("/review").status_code == 200
        assert there.client.get("/review").status_code == 303
        assert copy.client.get("/review").status_code == 303

    def test_preferences_are_kept(self, world: World) -> None:
        person = signed_in(world, "anna")

        person.send(
            "/review/account/preferences", onto="/review/account", theme="dark", break_after="20"
        )

        liked = account(world, "anna").moderator.preferences
        assert (liked.theme, liked.break_after) == ("dark", 20)
        assert (liked.single_keys, liked.collapse_severe, liked.still) == (False, False, False)

    def test_wishes_about_e_mail_are_kept(self, world: World) -> None:
        person = signed_in(world, "anna")

        answers = [
            person.send("/review/account/digest", onto="/review/account", **fields)
            for fields in (
                {"hours": "4"},
                {"hours": "4", "email": "no address"},
                {"hours": "4", "email": "anna@news.example"},
            )
        ]

        assert [answer.status_code for answer in answers] == [422, 422, 303]
        kept = account(world, "anna")
        assert (kept.email, kept.digest_hours) == ("anna@news.example", 4)


class TestSecondFactor:
    """One-time passwords."""

    def test_signing_in_asks_for_a_code_once_it_is_switched_on(self, world: World) -> None:
        generator = switch_on(signed_in(world, "anna"))
        later = browser(world)

        first = later.sign_in("anna")
        inside = later.client.get("/review").status_code
        # The next half minute's code: the one just used to switch it on counts no more.
        code = generator.at(datetime.now(UTC) + timedelta(seconds=30))
        second = later.send("/login/code", onto="/login/code", code=code)

        assert first.headers["Location"].startswith("/login/code")
        assert inside == 303
        assert second.headers["Location"] == "/review"
        assert later.client.get("/review").status_code == 200

    def test_a_code_counts_once(self, world: World) -> None:
        generator = switch_on(signed_in(world, "anna"))
        code = generator.now()

        answers = []
        for _ in range(2):
            person = browser(world)
            person.sign_in("anna")
            answers.append(person.send("/login/code", onto="/login/code", code=code))

        assert [answer.status_code for answer in answers] == [303, 403]

    @pytest.mark.parametrize("code", ["", "000000", "abcdef", "1" * 500, "１２３４５６"])
    def test_a_wrong_code_opens_nothing(self, world: World, code: str) -> None:
        switch_on(signed_in(world, "anna"))
        person = browser(world)
        person.sign_in("anna")

        answer = person.send("/login/code", onto="/login/code", code=code)

        assert answer.status_code == 403
        assert person.client.get("/review").status_code == 303

    def test_guesses_are_limited_for_the_person(self, build_world: Callable[..., World]) -> None:
        world = build_world({"LOGINS_PER_MINUTE": "3"})
        switch_on(signed_in(world, "anna"))
        person = browser(world)
        person.sign_in("anna")

        answers = [person.send("/login/code", onto="/login/code", code="000000") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [403, 403, 403, 429]

    def test_the_code_s_page_needs_the_password_first(self, world: World) -> None:
        person = browser(world)

        assert person.client.get("/login/code").headers["Location"].startswith("/login")

    def test_it_is_switched_on_only_once_a_code_was_shown(self, world: World) -> None:
        person = signed_in(world, "anna")
        nonce, _ = secret_of(person)

        answer = person.send(
            "/review/account/second-factor", onto="/review/account", nonce=nonce, code="000000"
        )

        assert answer.status_code == 422
        assert not account(world, "anna").has_totp

    def test_its_owner_switches_it_off_with_the_password(self, world: World) -> None:
        person = signed_in(world, "anna")
        switch_on(person)

        wrong = person.send(
            "/review/account/second-factor/off", onto="/review/account", password="no"
        )
        right = person.send(
            "/review/account/second-factor/off", onto="/review/account", password=PASSWORD
        )

        assert (wrong.status_code, right.status_code) == (422, 303)
        assert browser(world).sign_in("anna").headers["Location"] == "/review"

    def test_an_admin_switches_it_off_for_a_lost_telephone(self, world: World) -> None:
        switch_on(signed_in(world, "bert"))
        admin = signed_in(world, "anna", Role.ADMIN)
        number = account(world, "bert").moderator.id

        admin.send(f"/review/people/{number}/second-factor/off", onto="/review/people")

        assert browser(world).sign_in("bert").headers["Location"] == "/review"

    def test_the_record_holds_no_secret(self, world: World) -> None:
        person = signed_in(world, "anna")
        generator = switch_on(person)

        with world.store.read() as db:
            row = db.execute(sa.select(moderators).where(moderators.c.login == "anna")).one()

        assert generator.secret not in str(row)


def test_over_https_the_cookie_belongs_to_this_host_alone(
    build_world: Callable[..., World],
) -> None:
    world = build_world({"BASE_URL": "https://comments.example"})

    cookie = world.client.get("/login", base_url="https://comments.example").headers["Set-Cookie"]

    assert cookie.startswith("__Host-anteroom=")
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "path",
    ["people", "people/1/rights", "account/password", "account/sign-out-everywhere"],
)
def test_forged_requests_change_nothing(world: World, path: str) -> None:
    person = signed_in(world, "anna", Role.ADMIN)
    before = everybody(world)

    answer = person.client.post(f"/review/{path}", data={"login": "x", "role": "admin"})

    assert answer.status_code == 400
    assert everybody(world) == before


def test_signing_in_again_ends_the_browser_s_former_session(world: World) -> None:
    add_person(world, "anna")
    person = browser(world)
    person.sign_in("anna")
    with person.client.session_transaction() as cookie:
        before = dict(cookie)
    stolen = browser(world)
    with stolen.client.session_transaction() as cookie:
        cookie["signed_in"] = before["signed_in"]

    person.client.post(
        "/login",
        data={"login": "anna", "password": PASSWORD, "csrf_token": person.csrf_token()},
    )

    assert stolen.client.get("/review").status_code == 303
