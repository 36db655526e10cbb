"""Who reviews: making accounts, giving and taking rights.

Every change is written down with who made it. One admin always remains, so
that nobody locks the last door from outside.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from service.domain.comment import SiteId
from service.domain.decision import Moderator, Role
from service.domain.errors import LastAdmin, LoginTaken, PersonNotFound
from service.passwords import hash_password
from service.storage import Store, people
from service.storage.acts import record_act
from service.storage.people import Account

_PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Rights:
    """What a person may do, and on which sites; None is every site."""

    role: Role
    sites: frozenset[SiteId] | None = None


class Staff:
    """Makes and changes accounts; `actor` is who does it, as in the audit log."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def add(self, login: str, rights: Rights, password: str, *, actor: str) -> Moderator:
        """Return the new moderator; raises LoginTaken."""
        hashed, now = hash_password(password), self._clock()
        try:
            with self._store.write() as db:
                made = people.create_moderator(db, login, hashed, rights.role, now, rights.sites)
                record_act(db, now, actor, "person made", login, _told(rights))
        except IntegrityError as error:
            raise LoginTaken(login) from error
        return made

    def give(self, moderator_id: int, rights: Rights, *, actor: str) -> None:
        """Replace a person's rights; raises PersonNotFound or LastAdmin."""
        with self._store.write() as db:
            account = _account(db, moderator_id)
            if rights.role is not Role.ADMIN:
                _keep_an_admin(db, account)
            people.change_account(db, moderator_id, role=rights.role)
            people.set_sites(db, moderator_id, rights.sites)
            self._record(db, actor, "rights given", account, _told(rights))

    def disable(self, moderator_id: int, *, actor: str) -> None:
        """Shut a person out at once; raises PersonNotFound or LastAdmin."""
        with self._store.write() as db:
            account = _account(db, moderator_id)
            _keep_an_admin(db, account)
            people.disable_moderator(db, moderator_id, self._clock())
            self._record(db, actor, "person disabled", account)

    def enable(self, moderator_id: int, *, actor: str) -> None:
        """Let a person in again, with the rights from before; raises PersonNotFound."""
        with self._store.write() as db:
            account = _account(db, moderator_id)
            people.change_account(db, moderator_id, disabled_at=None)
            self._record(db, actor, "person enabled", account)

    def set_password(self, moderator_id: int, password: str, *, actor: str) -> None:
        """Replace a person's password and end their sessions; raises PersonNotFound."""
        hashed = hash_password(password)
        with self._store.write() as db:
            account = _account(db, moderator_id)
            people.set_password(db, moderator_id, hashed)
            people.drop_tokens_of(db, moderator_id, kind="session")
            self._record(db, actor, "password replaced", account)

    def set_totp(self, moderator_id: int, nonce: str | None, *, actor: str) -> None:
        """Ask the person for one-time passwords made with `nonce`, or for none.

        Ends their sessions; raises PersonNotFound.
        """
        with self._store.write() as db:
            account = _account(db, moderator_id)
            people.change_account(db, moderator_id, totp_nonce=nonce, totp_step=0)
            people.drop_tokens_of(db, moderator_id, kind="session")
            kind = "second factor on" if nonce else "second factor off"
            self._record(db, actor, kind, account)

    def _record(
        self, db: Connection, actor: str, kind: str, account: Account, detail: str = ""
    ) -> None:
        record_act(db, self._clock(), actor, kind, account.moderator.login, detail)


def new_password() -> str:
    """Return a fresh random password, long enough to be guessed by nobody."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _account(db: Connection, moderator_id: int) -> Account:
    account = people.account_of(db, moderator_id, locked=True)
    if account is None:
        raise PersonNotFound
    return account


def _keep_an_admin(db: Connection, account: Account) -> None:
    if people.enabled_admins(db) == [account.moderator.id]:
        raise LastAdmin


def _told(rights: Rights) -> str:
    if rights.sites is None:
        return f"{rights.role}, every site"
    return f"{rights.role}, {len(rights.sites)} sites"
