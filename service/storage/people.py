"""Moderators, their rights, and the tokens and sessions by which they are known."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from service.domain.comment import SiteId
from service.domain.decision import Moderator, Role
from service.domain.preferences import Preferences, preferences_from
from service.storage.tables import moderator_sites, moderator_tokens, moderators

#: A session of the kind "half" has shown the password and still owes the one-time password.
TokenKind = Literal["token", "session", "half"]


@dataclass(frozen=True, slots=True)
class Account:
    """A moderator as admins see them, disabled ones too.

    `digest_hours` is how often they want an e-mail at most; None for never.
    """

    moderator: Moderator
    email: str
    digest_hours: int | None
    totp_nonce: str | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def has_totp(self) -> bool:
        """Whether signing in asks for a one-time password."""
        return self.totp_nonce is not None


def create_moderator(
    db: Connection,
    login: str,
    password_hash: str,
    role: Role,
    now: datetime,
    sites: frozenset[SiteId] | None = None,
) -> Moderator:
    """Return the new moderator; a login that is taken raises IntegrityError."""
    new = sa.insert(moderators).values(
        login=login, password_hash=password_hash, role=role, created_at=now
    )
    made = Moderator(db.execute(new.returning(moderators.c.id)).scalar_one(), login, role, sites)
    set_sites(db, made.id, sites)
    return made


def accounts(db: Connection) -> list[Account]:
    """Return everybody, by login."""
    rows = db.execute(sa.select(moderators).order_by(moderators.c.login)).all()
    rights = _rights(db, [row.id for row in rows])
    return [_account(row, rights) for row in rows]


def account_of(db: Connection, moderator_id: int, *, locked: bool = False) -> Account | None:
    """Return one person's account, `locked` for the rest of the transaction."""
    query = sa.select(moderators).where(moderators.c.id == moderator_id)
    row = db.execute(query.with_for_update() if locked else query).one_or_none()
    return _account(row, _rights(db, [row.id])) if row else None


def enabled_admins(db: Connection) -> list[int]:
    """Return who may manage people; nobody changes that until the commit."""
    query = sa.select(moderators.c.id).where(moderators.c.role == Role.ADMIN, _enabled())
    return list(db.scalars(query.order_by(moderators.c.id).with_for_update()))


def change_account(db: Connection, moderator_id: int, **columns: Any) -> None:
    """Change columns of a person's row."""
    db.execute(sa.update(moderators).where(moderators.c.id == moderator_id).values(columns))


def set_sites(db: Connection, moderator_id: int, sites: Iterable[SiteId] | None) -> None:
    """Let the person review these sites, or every site if None."""
    db.execute(sa.delete(moderator_sites).where(moderator_sites.c.moderator_id == moderator_id))
    change_account(db, moderator_id, every_site=sites is None)
    rows = [{"moderator_id": moderator_id, "site_id": site} for site in sorted(sites or ())]
    if rows:
        db.execute(sa.insert(moderator_sites), rows)


def set_preferences(db: Connection, moderator_id: int, preferences: Preferences) -> None:
    """Keep how the person likes the console."""
    change_account(db, moderator_id, preferences=preferences.as_dict())


def use_totp_step(db: Connection, moderator_id: int, step: int) -> bool:
    """Whether the one-time password of that half minute was not used before; now it is."""
    unused = sa.and_(moderators.c.id == moderator_id, moderators.c.totp_step < step)
    return db.execute(sa.update(moderators).where(unused).values(totp_step=step)).rowcount == 1


def moderator_by_login(db: Connection, login: str) -> tuple[Moderator, str] | None:
    """Return the moderator and their password hash; None if unknown or disabled."""
    query = sa.select(moderators).where(moderators.c.login == login, _enabled())
    row = db.execute(query).one_or_none()
    return (_row_to_moderator(db, row), row.password_hash) if row else None


def set_password(db: Connection, moderator_id: int, password_hash: str) -> None:
    """Replace the moderator's password; sessions stay unless dropped as well."""
    db.execute(
        sa.update(moderators)
        .where(moderators.c.id == moderator_id)
        .values(password_hash=password_hash)
    )


def disable_moderator(db: Connection, moderator_id: int, now: datetime) -> None:
    """Shut the moderator out from this moment on, in every session."""
    db.execute(sa.update(moderators).where(moderators.c.id == moderator_id).values(disabled_at=now))
    drop_tokens_of(db, moderator_id)


def add_token(
    db: Connection,
    moderator_id: int,
    token_digest: str,
    kind: TokenKind,
    *,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Let the token with this digest speak for the moderator until it expires."""
    db.execute(
        sa.insert(moderator_tokens).values(
            hash=token_digest,
            moderator_id=moderator_id,
            kind=kind,
            created_at=now,
            expires_at=expires_at,
        )
    )


def moderator_by_token(
    db: Connection, token_digest: str, now: datetime, *, kind: TokenKind | None = None
) -> Moderator | None:
    """Return whom the token speaks for; None if it is unknown, expired or theirs no more."""
    kinds = [] if kind is None else [moderator_tokens.c.kind == kind]
    query = (
        sa.select(moderators)
        .join(moderator_tokens, moderator_tokens.c.moderator_id == moderators.c.id)
        .where(moderator_tokens.c.hash == token_digest, _unexpired(now), _enabled(), *kinds)
    )
    row = db.execute(query).one_or_none()
    return _row_to_moderator(db, row) if row else None


def drop_token(db: Connection, token_digest: str) -> None:
    """End one token or session."""
    db.execute(sa.delete(moderator_tokens).where(moderator_tokens.c.hash == token_digest))


def drop_tokens_of(db: Connection, moderator_id: int, *, kind: TokenKind | None = None) -> None:
    """End all of a moderator's tokens and sessions, or those of one kind."""
    kinds = [] if kind is None else [moderator_tokens.c.kind == kind]
    db.execute(
        sa.delete(moderator_tokens).where(moderator_tokens.c.moderator_id == moderator_id, *kinds)
    )


def drop_expired_tokens(db: Connection, now: datetime) -> int:
    """Forget tokens and sessions that ended by themselves; return how many."""
    return db.execute(sa.delete(moderator_tokens).where(~_unexpired(now))).rowcount


def _enabled() -> sa.ColumnElement[bool]:
    return moderators.c.disabled_at.is_(None)


def _unexpired(now: datetime) -> sa.ColumnElement[bool]:
    expires_at = moderator_tokens.c.expires_at
    return sa.or_(expires_at.is_(None), expires_at > now)


def _row_to_moderator(db: Connection, row: Row[Any]) -> Moderator:
    return _moderator(row, {} if row.every_site else _rights(db, [row.id]))


def _account(row: Row[Any], rights: dict[int, frozenset[SiteId]]) -> Account:
    return Account(
        moderator=_moderator(row, rights),
        email=row.email,
        digest_hours=row.digest_hours,
        totp_nonce=row.totp_nonce,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def _moderator(row: Row[Any], rights: dict[int, frozenset[SiteId]]) -> Moderator:
    sites = None if row.every_site else rights.get(row.id, frozenset())
    preferences = preferences_from(row.preferences)
    return Moderator(row.id, row.login, Role(row.role), sites, preferences)


def _rights(db: Connection, ids: list[int]) -> dict[int, frozenset[SiteId]]:
    query = sa.select(moderator_sites).where(moderator_sites.c.moderator_id.in_(ids))
    sites: dict[int, set[SiteId]] = defaultdict(set)
    for row in db.execute(query):
        sites[row.moderator_id].add(SiteId(row.site_id))
    return {moderator_id: frozenset(found) for moderator_id, found in sites.items()}
