"""Sites, their keys and their threads."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from service.domain.comment import SiteId, ThreadId
from service.domain.site import Caller, KeyKind, Moderation, Site, SiteKey, Thread
from service.keyring import Keyring, digest, is_short
from service.storage.tables import site_keys, sites, threads

_PREFIX_CHARACTERS = 7
#: What clients insist on is short, and what is shown of it helps those who guess.
_SHORT_PREFIX = 2
_PLAIN_CHARACTERS = 64


def create_site(
    db: Connection,
    *,
    slug: str,
    name: str,
    now: datetime,
    origins: tuple[str, ...] = (),
    **options: Any,
) -> Site:
    """Store a new site and return it.

    `options` are further fields of Site. Raises IntegrityError if the slug is taken.
    """
    draft = Site(id=SiteId(0), slug=slug, name=name, origins=origins, **options)
    values = {column.name: getattr(draft, column.name, None) for column in sites.columns}
    del values["id"]
    values |= {"origins": list(origins), "created_at": now}
    created = db.execute(sa.insert(sites).values(values).returning(sites.c.id)).scalar_one()
    site = site_by_id(db, SiteId(created))
    assert site is not None, "it was stored in this transaction"
    return site


def update_site(db: Connection, site_id: SiteId, **columns: Any) -> None:
    """Change columns of a site; `origins` as a list."""
    db.execute(sa.update(sites).where(sites.c.id == site_id).values(**columns))


def site_by_id(db: Connection, site_id: SiteId) -> Site | None:
    """Return the site with that id, or None."""
    row = db.execute(sa.select(sites).where(sites.c.id == site_id)).one_or_none()
    return _site(row) if row else None


def site_by_slug(db: Connection, slug: str) -> Site | None:
    """Return the site with that slug, or None."""
    row = db.execute(sa.select(sites).where(sites.c.slug == slug)).one_or_none()
    return _site(row) if row else None


def list_sites(db: Connection) -> list[Site]:
    """Return all sites by slug."""
    return [_site(row) for row in db.execute(sa.select(sites).order_by(sites.c.slug))]


def add_key(
    db: Connection,
    site_id: SiteId,
    kind: KeyKind,
    key: str,
    *,
    keyring: Keyring,
    now: datetime,
    expires_at: datetime | None = None,
) -> SiteKey:
    """Store the digest of `key` for the site; the key itself is kept nowhere."""
    prefix = key[: _SHORT_PREFIX if kind is KeyKind.AKISMET else _PREFIX_CHARACTERS]
    statement = sa.insert(site_keys).values(
        site_id=site_id,
        kind=kind,
        prefix=prefix,
        hash=keyring.key_digest(key),
        created_at=now,
        expires_at=expires_at,
    )
    created = db.execute(statement.returning(site_keys.c.id)).scalar_one()
    return SiteKey(created, kind, prefix, created_at=now, expires_at=expires_at)


def rotate_keys(
    db: Connection,
    site_id: SiteId,
    kind: KeyKind,
    key: str,
    *,
    keyring: Keyring,
    now: datetime,
    overlap: timedelta,
) -> SiteKey:
    """Add `key` and let the site's other keys of that kind end after `overlap`."""
    ends = now + overlap
    live = sa.or_(site_keys.c.expires_at.is_(None), site_keys.c.expires_at > ends)
    db.execute(
        sa.update(site_keys)
        .where(site_keys.c.site_id == site_id, site_keys.c.kind == kind, live)
        .values(expires_at=ends)
    )
    return add_key(db, site_id, kind, key, keyring=keyring, now=now)


def harden_keys(db: Connection, keyring: Keyring, limit: int) -> int:
    """Store short keys that an earlier version kept by their plain digest as now; return how many.

    Until then `caller_by_key` knows them by that.
    """
    query = sa.select(site_keys.c.id, site_keys.c.hash).where(_plain()).limit(limit)
    rows = db.execute(query.order_by(site_keys.c.id)).all()
    for row in rows:
        hardened = keyring.harden(row.hash)
        db.execute(sa.update(site_keys).where(site_keys.c.id == row.id).values(hash=hardened))
    return len(rows)


def caller_by_key(db: Connection, key: str, *, keyring: Keyring, now: datetime) -> Caller | None:
    """Return who holds `key`, or None if nobody does or it has ended."""
    known = site_keys.c.hash == keyring.key_digest(key)
    if is_short(key):
        known = sa.or_(known, sa.and_(site_keys.c.hash == digest(key), _plain()))
    statement = (
        sa.select(sites, site_keys.c.id.label("key_id"), site_keys.c.kind)
        .join(site_keys, site_keys.c.site_id == sites.c.id)
        .where(
            known,
            sa.or_(site_keys.c.expires_at.is_(None), site_keys.c.expires_at > now),
        )
    )
    row = db.execute(statement).one_or_none()
    return Caller(site=_site(row), key_id=row.key_id, kind=KeyKind(row.kind)) if row else None


def thread_by_key(db: Connection, site_id: SiteId, key: str) -> Thread | None:
    """Return the site's thread with that key, or None."""
    statement = sa.select(threads).where(threads.c.site_id == site_id, threads.c.key == key)
    row = db.execute(statement).one_or_none()
    return thread_from_row(row) if row else None


def update_thread(db: Connection, thread_id: ThreadId, **columns: Any) -> None:
    """Change columns of a thread, such as `moderation` or `closed_at`."""
    db.execute(sa.update(threads).where(threads.c.id == thread_id).values(**columns))


def thread_from_row(row: Row[Any]) -> Thread:
    """Return the thread that a row of the table holds."""
    return Thread(
        id=ThreadId(row.id),
        site_id=SiteId(row.site_id),
        key=row.key,
        url=row.url,
        title=row.title,
        moderation=Moderation(row.moderation) if row.moderation else None,
        closed_at=row.closed_at,
        source=row.source,
    )


def _plain() -> sa.ColumnElement[bool]:
    """Return the condition that a short key is stored by its plain digest, which is longer."""
    return sa.and_(
        site_keys.c.kind == KeyKind.AKISMET, sa.func.length(site_keys.c.hash) == _PLAIN_CHARACTERS
    )


def _site(row: Row[Any]) -> Site:
    return Site(
        id=SiteId(row.id),
        slug=row.slug,
        name=row.name,
        origins=tuple(row.origins),
        moderation=Moderation(row.moderation),
        require_name=row.require_name,
        require_email=row.require_email,
        honeypot_field=row.honeypot_field,
        max_depth=row.max_depth,
        reports_to_reopen=row.reports_to_reopen,
        public_per_minute=row.public_per_minute,
        server_per_minute=row.server_per_minute,
        house_rules=row.house_rules,
        akismet_keep_days=row.akismet_keep_days,
        akismet_discard=row.akismet_discard,
    )
