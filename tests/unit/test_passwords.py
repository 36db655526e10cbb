"""Passwords of moderators."""

import threading

import pytest

from service import passwords
from service.domain.errors import RateLimited


def test_a_password_is_known_again_and_no_other_is() -> None:
    stored = passwords.hash_password("correct horse battery staple")

    assert passwords.verify_password("correct horse battery staple", stored)
    assert not passwords.verify_password("correct horse battery stable", stored)


def test_the_same_password_is_stored_differently_each_time() -> None:
    assert passwords.hash_password("twice") != passwords.hash_password("twice")


@pytest.mark.parametrize("password", ["the password of nobody", "", "anything"])
def test_nobody_signs_in_with_an_unknown_login(password: str) -> None:
    assert not passwords.verify_password(password, None)


@pytest.mark.parametrize("stored", ["", "no password", "$argon2id$v=19$broken"])
def test_a_stored_value_that_is_no_hash_lets_nobody_in(stored: str) -> None:
    assert not passwords.verify_password("anything", stored)


def test_a_hash_of_weaker_days_is_outdated() -> None:
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$1NzIyVpjAJ0SvvqP3JqIfQ"

    assert passwords.is_outdated(weak)
    assert not passwords.is_outdated(passwords.hash_password("fresh"))


def test_long_passwords_are_not_cut() -> None:
    stored = passwords.hash_password("x" * 200 + "a")

    assert not passwords.verify_password("x" * 200 + "b", stored)


def test_too_many_attempts_at_once_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.01)

    with passwords._turn(), pytest.raises(RateLimited):
        passwords.hash_password("one too many")

    assert passwords.hash_password("the next one").startswith("$argon2id$")
