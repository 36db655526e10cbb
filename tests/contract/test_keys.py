"""Site keys: found by what is stored of them, from which nobody finds them."""

import sqlalchemy as sa

from service.domain.site import Caller, KeyKind
from service.keyring import Keyring, digest, new_key
from service.storage.sites import add_key, caller_by_key
from service.storage.tables import site_keys
from tests.contract.desk import Desk


def given(desk: Desk, kind: KeyKind) -> str:
    """Return a fresh key of the site."""
    key = new_key(kind)
    with desk.store.write() as db:
        add_key(db, desk.site.id, kind, key, keyring=desk.keyring, now=desk.now)
    return key


def kept_by_an_earlier_version(desk: Desk) -> str:
    """Return an Akismet key that is stored by its plain digest."""
    key = given(desk, KeyKind.AKISMET)
    newest = site_keys.c.kind == KeyKind.AKISMET
    with desk.store.write() as db:
        db.execute(sa.update(site_keys).where(newest).values(hash=digest(key)))
    return key


def hashes(desk: Desk, kind: KeyKind) -> set[str]:
    """Return what is stored of the keys of a kind."""
    with desk.store.read() as db:
        return set(db.scalars(sa.select(site_keys.c.hash).where(site_keys.c.kind == kind)))


def holder(desk: Desk, key: str, keyring: Keyring | None = None) -> Caller | None:
    """Return who holds a key."""
    with desk.store.read() as db:
        return caller_by_key(db, key, keyring=keyring or desk.keyring, now=desk.now)


def test_a_short_key_is_found_by_nobody_without_the_secret(desk: Desk) -> None:
    key = given(desk, KeyKind.AKISMET)

    found = holder(desk, key)

    assert found is not None
    assert (found.site.id, found.kind) == (desk.site.id, KeyKind.AKISMET)
    assert holder(desk, key, Keyring("another secret")) is None
    assert digest(key) not in hashes(desk, KeyKind.AKISMET)


def test_a_short_key_of_an_earlier_version_works_before_and_after_it_is_hardened(
    desk: Desk,
) -> None:
    key = kept_by_an_earlier_version(desk)
    before = holder(desk, key)

    done = [desk.moderation.harden_keys() for _ in range(2)]

    assert done == [1, 0]
    assert digest(key) not in hashes(desk, KeyKind.AKISMET)
    assert before is not None
    assert holder(desk, key) == before


def test_what_is_stored_is_no_key_itself(desk: Desk) -> None:
    kept_by_an_earlier_version(desk)
    given(desk, KeyKind.SERVER)

    stored = hashes(desk, KeyKind.AKISMET) | hashes(desk, KeyKind.SERVER)
    desk.moderation.harden_keys()
    stored |= hashes(desk, KeyKind.AKISMET)

    assert [holder(desk, kept) for kept in sorted(stored)] == [None] * len(stored)


def test_long_keys_are_as_they_were(desk: Desk) -> None:
    for kind in (KeyKind.SERVER, KeyKind.PUBLIC):
        key = given(desk, kind)
        assert digest(key) in hashes(desk, kind)
        found = holder(desk, key, Keyring("another secret"))
        assert found is not None
        assert found.kind is kind
    assert desk.moderation.harden_keys() == 0
