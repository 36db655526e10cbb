"""Sites, their keys and their threads."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.comment import SiteId, ThreadId


class Moderation(StrEnum):
    """Who looks at a comment first: the rules, or a person at every one."""

    RULES = "rules"
    ALL = "all"


class KeyKind(StrEnum):
    """What a site key may do.

    `server` keys are secret and may do everything for their site; `public`
    keys are seen by every reader's browser, work only from the site's own
    origins, and only post. `akismet` keys are the 12 hexadecimal characters
    that Akismet clients insist on.
    """

    SERVER = "server"
    PUBLIC = "public"
    AKISMET = "akismet"


@dataclass(frozen=True, slots=True)
class Site:
    """A website that sends comments.

    `origins` are the scheme://host[:port] from which its public keys work.
    What Akismet clients have checked is kept for `akismet_keep_days`, 0 meaning not
    at all; `akismet_discard` tells them to throw blatant spam away.
    `public_per_minute` bounds all posts by public key together,
    `server_per_minute` those by server key; None means no bound.
    """

    id: SiteId
    slug: str
    name: str
    origins: tuple[str, ...] = ()
    moderation: Moderation = Moderation.RULES
    require_name: bool = True
    require_email: bool = True
    honeypot_field: str = "website_confirm"
    max_depth: int = 5
    reports_to_reopen: int = 3
    public_per_minute: int | None = 600
    server_per_minute: int | None = None
    house_rules: str = ""
    akismet_keep_days: int = 30
    akismet_discard: bool = False


@dataclass(frozen=True, slots=True)
class SiteKey:
    """A key as the record keeps it: never the secret, only its prefix."""

    id: int
    kind: KeyKind
    prefix: str
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A site that proved who it is with one of its keys."""

    site: Site
    key_id: int
    kind: KeyKind

    @property
    def trusted(self) -> bool:
        """Whether the website itself speaks, not a reader's browser."""
        return self.kind is KeyKind.SERVER


@dataclass(frozen=True, slots=True)
class Thread:
    """A page that carries comments. `moderation` None means: as the site has it.

    `source` is "native" where we show the comments, else the kind of client that
    only has them checked here.
    """

    id: ThreadId
    site_id: SiteId
    key: str
    url: str = ""
    title: str = ""
    moderation: Moderation | None = None
    closed_at: datetime | None = None
    source: str = "native"
