"""Signing in to the console as a browser without scripts does."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.domain.decision import Role
from service.passwords import hash_password
from service.storage.people import create_moderator
from tests.support.world import World

PASSWORD = "correct horse battery staple"


def add_person(world: World, login: str, role: Role = Role.MODERATOR) -> None:
    """Store a moderator who signs in with PASSWORD."""
    hashed = hash_password(PASSWORD)
    with world.store.write() as db:
        create_moderator(db, login, hashed, role, datetime.now(UTC))


@dataclass
class Person:
    """Somebody at a browser of their own."""

    client: FlaskClient

    def page(self, path: str = "/review") -> str:
        """Return the text of a page."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def csrf_token(self, path: str = "/review") -> str:
        """Return the token that the forms of a page carry."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.page(path))
        assert found, "the page has no form"
        return unescape(found[1])

    def send(self, path: str, onto: str = "/review", **fields: Any) -> TestResponse:
        """Send a form of the page `onto`, without following the redirect."""
        return self.client.post(path, data={"csrf_token": self.csrf_token(onto)} | fields)

    def sign_in(self, login: str, password: str = PASSWORD) -> TestResponse:
        """Send the form of the sign-in page."""
        return self.send("/login", onto="/login", login=login, password=password)


def signed_in(world: World, login: str = "anna", role: Role = Role.ADMIN) -> Person:
    """Return a moderator at the console, newly made."""
    add_person(world, login, role)
    person = Person(world.app.test_client())
    answer = person.sign_in(login)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return person
