"""Moderators, their tokens and sessions, on every database."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from service.domain.decision import Role
from service.storage import people
from tests.contract.desk import Desk

MINUTE = timedelta(minutes=1)


def test_a_moderator_is_found_by_login_with_their_password(desk: Desk) -> None:
    with desk.store.write() as db:
        ann = people.create_moderator(db, "ann", "hash of ann's", Role.SENIOR, desk.now)

    with desk.store.read() as db:
        assert people.moderator_by_login(db, "ann") == (ann, "hash of ann's")
        assert people.moderator_by_login(db, "Ann") is None
        assert [each.moderator for each in people.accounts(db)] == [ann, desk.moderator]


def test_a_login_belongs_to_one_person(desk: Desk) -> None:
    with pytest.raises(IntegrityError), desk.store.write() as db:
        people.create_moderator(db, "mod", "another", Role.ADMIN, desk.now)


def test_a_new_password_replaces_the_old(desk: Desk) -> None:
    with desk.store.write() as db:
        people.set_password(db, desk.moderator.id, "new")

    with desk.store.read() as db:
        assert people.moderator_by_login(db, "mod") == (desk.moderator, "new")


def test_a_token_speaks_for_its_moderator_until_it_expires(desk: Desk) -> None:
    end = desk.now + MINUTE
    with desk.store.write() as db:
        people.add_token(db, desk.moderator.id, "d1", "session", now=desk.now, expires_at=end)

    with desk.store.read() as db:
        assert people.moderator_by_token(db, "d1", end - MINUTE) == desk.moderator
        assert people.moderator_by_token(db, "d1", end) is None
        assert people.moderator_by_token(db, "d2", desk.now) is None


def test_a_session_is_no_token_and_a_token_no_session(desk: Desk) -> None:
    with desk.store.write() as db:
        people.add_token(db, desk.moderator.id, "d1", "session", now=desk.now)

    with desk.store.read() as db:
        assert people.moderator_by_token(db, "d1", desk.now, kind="session") == desk.moderator
        assert people.moderator_by_token(db, "d1", desk.now, kind="token") is None


def test_signing_out_ends_one_session_and_leaves_the_others(desk: Desk) -> None:
    with desk.store.write() as db:
        for digest in ("here", "there"):
            people.add_token(db, desk.moderator.id, digest, "session", now=desk.now)
        people.drop_token(db, "here")

    with desk.store.read() as db:
        assert people.moderator_by_token(db, "here", desk.now) is None
        assert people.moderator_by_token(db, "there", desk.now) == desk.moderator


def test_all_sessions_can_be_ended_without_the_tokens(desk: Desk) -> None:
    with desk.store.write() as db:
        people.add_token(db, desk.moderator.id, "browser", "session", now=desk.now)
        people.add_token(db, desk.moderator.id, "script", "token", now=desk.now)
        people.drop_tokens_of(db, desk.moderator.id, kind="session")

    with desk.store.read() as db:
        assert people.moderator_by_token(db, "browser", desk.now) is None
        assert people.moderator_by_token(db, "script", desk.now) == desk.moderator


def test_a_disabled_moderator_is_out_at_once(desk: Desk) -> None:
    with desk.store.write() as db:
        people.add_token(db, desk.moderator.id, "d1", "token", now=desk.now)
        people.disable_moderator(db, desk.moderator.id, desk.now)

    with desk.store.read() as db:
        assert people.moderator_by_token(db, "d1", desk.now) is None
        assert people.moderator_by_login(db, "mod") is None
        assert [each.disabled_at for each in people.accounts(db)] == [desk.now]
