"""Which comments a moderator wants to see, as addresses carry it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comment import CommentId, Status
from service.domain.decision import Moderator
from service.keyring import Keyring
from service.storage.reviewing import Place, ReviewFilter
from service.web.schemas import OneLine

#: A hundred years: more would leave the calendar.
_LONGEST_AGE = 100 * 366 * 24 * 3600

_Word = Annotated[OneLine, Field(max_length=200)]


class ReviewQuery(BaseModel):
    """Filters of the review queue; what is left out filters nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = None
    category: _Word | None = Field(None, description="Has a reason of this category")
    rule: _Word | None = Field(None, description="This rule matched")
    site: _Word | None = Field(None, description="The site's short name")
    thread: Annotated[OneLine, Field(max_length=2_048)] | None = Field(
        None, description="The site's own id of the thread"
    )
    author: Annotated[OneLine, Field(max_length=254)] | None = Field(
        None, description="Part of a name, or a whole verified id or e-mail address"
    )
    min_age: int | None = Field(
        None, ge=0, le=_LONGEST_AGE, description="Arrived at least so many seconds ago"
    )
    max_age: int | None = Field(
        None, ge=0, le=_LONGEST_AGE, description="Arrived at most so many seconds ago"
    )
    q: _Word | None = Field(None, description="Part of the text or of the author's name")
    lane: Literal["sample"] | None = Field(
        None, description="sample: approved automatically, and chosen for a second look"
    )
    after: str | None = Field(
        None, description="`next` of the page before", pattern=r"^[A-Za-z0-9_-]{23}$"
    )

    def as_filter(self, moderator: Moderator, keyring: Keyring, now: datetime) -> ReviewFilter:
        """Return the filter for the record.

        Whoever may not see addresses may not find out by searching for them.
        """
        address = self.author if self.author and "@" in self.author else None
        by_address = address is not None and moderator.sees_addresses
        return ReviewFilter(
            status=self.status,
            category=self.category,
            rule=self.rule,
            site=self.site,
            thread=self.thread,
            author=None if by_address else self.author,
            email_hash=keyring.hash("email", address.lower()) if address and by_address else None,
            created_from=_before(now, self.max_age),
            created_before=_before(now, self.min_age),
            text=self.q,
            sample=True if self.lane == "sample" else None,
        )


def sealed(place: Place | None) -> str | None:
    """Return the cursor that leads to `place`."""
    if place is None:
        return None
    severity, comment_id = place
    raw = bytes([severity]) + UUID(comment_id).bytes
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(cursor: str | None) -> Place | None:
    """Return the place that a well-formed cursor leads to."""
    if cursor is None:
        return None
    raw = urlsafe_b64decode(cursor + "=")
    return raw[0], CommentId(str(UUID(bytes=raw[1:])))


def _before(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now - timedelta(seconds=seconds)
