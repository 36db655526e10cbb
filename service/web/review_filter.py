"""Which comments a moderator wants to see, as addresses carry it."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from struct import Struct
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comment import CommentId, Status
from service.domain.decision import Moderator
from service.domain.lane import Lane
from service.keyring import Keyring
from service.storage.lanes import Place
from service.storage.reviewing import ReviewFilter
from service.web.callers import normal_address
from service.web.schemas import OneLine

#: A hundred years: more would leave the calendar.
_LONGEST_AGE = 100 * 366 * 24 * 3600

#: What a lane is ordered by, as an unsigned number of 64 bits.
_PLACE = Struct(">Q")
#: The end of the year 9999.
_LAST_MILLISECOND = 253_402_300_799_000

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
    q: _Word | None = Field(
        None,
        description="Part of the text or of the author's name; whoever may see addresses"
        " also finds a whole e-mail or IP address",
    )
    lane: Lane | None = Field(None, description="Where it stands before moderators")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = Field(
        None, description="The language it seems to be written in"
    )
    campaign: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")] | None = Field(
        None, description="Nearly the same text as others of this campaign"
    )
    domain: Annotated[OneLine, Field(max_length=253)] | None = Field(
        None, description="Links to this registered domain"
    )
    like: UUID | None = Field(None, description="Has the very text of this comment")
    by: UUID | None = Field(None, description="Has the author of this comment, on its site")
    claimed: Literal["mine", "others", "nobody"] | None = Field(None, description="Who has it open")
    after: str | None = Field(
        None, description="`next` of the page before", pattern=r"^[A-Za-z0-9_-]{32}$"
    )

    def as_filter(
        self,
        moderator: Moderator,
        keyring: Keyring,
        now: datetime,
        claims: Mapping[CommentId, str],
    ) -> ReviewFilter:
        """Return the filter for the record; `claims` tells who has which comment open.

        Whoever may not see addresses may not find out by searching for them.
        """
        author, email_hash = self._split(self.author, moderator, keyring)
        text, searched_hash = self._split(self.q, moderator, keyring)
        address = normal_address(text) if text and moderator.sees_addresses else None
        mine = frozenset(each for each, login in claims.items() if login == moderator.login)
        others = frozenset(claims) - mine
        return ReviewFilter(
            sites=moderator.sites,
            status=self.status,
            category=self.category,
            rule=self.rule,
            site=self.site,
            thread=self.thread,
            author=author,
            email_hash=email_hash or searched_hash,
            created_from=_before(now, self.max_age),
            created_before=_before(now, self.min_age),
            text=None if address else text,
            address_hash=keyring.hash("address", address) if address else None,
            lane=self.lane,
            language=self.language,
            campaign=self.campaign,
            domain=self.domain,
            same_text=CommentId(str(self.like)) if self.like else None,
            same_author=CommentId(str(self.by)) if self.by else None,
            claimed={"mine": mine, "others": others}.get(self.claimed or ""),
            unclaimed=frozenset(claims) if self.claimed == "nobody" else None,
        )

    def _split(
        self, asked: str | None, moderator: Moderator, keyring: Keyring
    ) -> tuple[str | None, str | None]:
        """Return a text as it is, or the keyed hash of the e-mail address that it is."""
        if asked and "@" in asked and moderator.sees_addresses:
            return None, keyring.hash("email", asked.lower())
        return asked, None


def sealed(place: Place | None) -> str | None:
    """Return the cursor that leads to `place`."""
    if place is None:
        return None
    number, comment_id = place
    return urlsafe_b64encode(_PLACE.pack(number) + UUID(comment_id).bytes).decode()


def opened(cursor: str | None) -> Place | None:
    """Return the place that a well-formed cursor leads to."""
    if cursor is None:
        return None
    raw = urlsafe_b64decode(cursor)
    (number,) = _PLACE.unpack(raw[: _PLACE.size])
    # Beyond the calendar there is nothing to come to.
    return min(number, _LAST_MILLISECOND), CommentId(str(UUID(bytes=raw[_PLACE.size :])))


def _before(now: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else now - timedelta(seconds=seconds)
