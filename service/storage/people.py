"""Moderators, and the tokens and sessions by which they are known."""

from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from service.domain.decision import Moderator, Role
from service.storage.tables import moderator_tokens, moderators

TokenKind = Literal["token", "session"]


def create_moderator(
    db: Connection, login: str, password_hash: str, role: Role, now: datetime
) -> Moderator:
    """Return the new moderator; a login that is taken raises IntegrityError."""
    new = sa.insert(moderators).values(
        login=login, password_hash=password_hash, role=role, created_at=now
    )
    return Moderator(db.execute(new.returning(moderators.c.id)).scalar_one(), login, role)


def moderator_by_login(db: Connection, login: str) -> tuple[Moderator, str] | None:
    """Return the moderator and their password hash; None if unknown or disabled."""
    query = sa.select(moderators).where(moderators.c.login == login, _enabled())
    row = db.execute(query).one_or_none()
    return (_row_to_moderator(row), row.password_hash) if row else None


def list_moderators(db: Connection) -> list[Moderator]:
    """Return all who may sign in, by login."""
    query = sa.select(moderators).where(_enabled()).order_by(moderators.c.login)
    return [_row_to_moderator(row) for row in db.execute(query)]


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
    return _row_to_moderator(row) if row else None


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


def _row_to_moderator(row: Row[Any]) -> Moderator:
    return Moderator(row.id, row.login, Role(row.role))
