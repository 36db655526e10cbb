"""The first site and the first moderator of an installation, and their credentials."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from service.domain.decision import Role
from service.domain.site import KeyKind
from service.keyring import Keyring, digest, new_key, new_token
from service.passwords import hash_password
from service.storage import Store
from service.storage.people import add_token, create_moderator
from service.storage.sites import add_key, create_site, list_sites

FIRST_SITE = "demo"
FIRST_MODERATOR = "moderator"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the first site and the first moderator need; the record keeps only digests of it."""

    base_url: str
    site: str
    server_key: str
    public_key: str
    akismet_key: str
    moderator: str
    password: str
    api_token: str

    def as_json(self) -> str:
        """Return the credentials as the text of `credentials.json`."""
        return json.dumps(asdict(self), indent=2) + "\n"


def fresh_credentials(base_url: str) -> Credentials:
    """Return new random credentials, stored nowhere yet."""
    return Credentials(
        base_url=base_url,
        site=FIRST_SITE,
        server_key=new_key(KeyKind.SERVER),
        public_key=new_key(KeyKind.PUBLIC),
        akismet_key=new_key(KeyKind.AKISMET),
        moderator=FIRST_MODERATOR,
        password=secrets.token_urlsafe(12),
        api_token=new_token(),
    )


def read_credentials(path: Path) -> Credentials | None:
    """Return the credentials kept in `path`, or None if there are none."""
    if not path.exists():
        return None
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Credentials(**{item.name: str(kept[item.name]) for item in fields(Credentials)})


def has_sites(store: Store) -> bool:
    """Whether the installation has a site already."""
    with store.read() as db:
        return bool(list_sites(db))


def install(
    store: Store,
    credentials: Credentials,
    *,
    keyring: Keyring,
    origins: Sequence[str],
    now: datetime,
) -> None:
    """Store the first site and the first moderator with these credentials, or nothing."""
    with store.write() as db:
        site = create_site(db, slug=credentials.site, name="Demo", origins=tuple(origins), now=now)
        for kind, key in (
            (KeyKind.SERVER, credentials.server_key),
            (KeyKind.PUBLIC, credentials.public_key),
            (KeyKind.AKISMET, credentials.akismet_key),
        ):
            add_key(db, site.id, kind, key, keyring=keyring, now=now)
        password_hash = hash_password(credentials.password)
        person = create_moderator(db, credentials.moderator, password_hash, Role.ADMIN, now)
        add_token(db, person.id, digest(credentials.api_token), "token", now=now)
