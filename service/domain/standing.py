"""What a person thinks of an author: trusted or muted, for a while."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.domain.comment import SiteId


class Standing(StrEnum):
    """Trusted authors pass over holds for spam; muted ones are always held."""

    TRUSTED = "trusted"
    MUTED = "muted"


@dataclass(frozen=True, slots=True)
class AuthorStanding:
    """One person's word on one author of one site.

    It is about an identity that the website vouches for: a name or an address
    that anybody can type would let strangers be trusted, or others be muted.
    """

    id: int
    site_id: SiteId
    verified_id: str
    standing: Standing
    actor: str
    at: datetime
    ends_at: datetime
