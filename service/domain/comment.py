"""Comments: what a website submits, what is stored, and the states it can be in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

CommentId = NewType("CommentId", str)
SiteId = NewType("SiteId", int)
ThreadId = NewType("ThreadId", int)

MAX_NAME_CHARACTERS = 245
MAX_EMAIL_CHARACTERS = 254
MAX_URL_CHARACTERS = 2_048
MAX_BODY_BYTES = 65_525
MAX_THREAD_KEY_CHARACTERS = 200


class Status(StrEnum):
    """Where a comment stands. Rules only ever reach `approved` or `held`."""

    PENDING = "pending"
    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    SPAM = "spam"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


#: What a moderator may still change: everything but a comment that its author
#: took back or that was erased on request.
REVIEWABLE = frozenset({Status.PENDING, Status.APPROVED, Status.HELD, Status.REJECTED, Status.SPAM})

#: What an author may still take back through the receipt.
WITHDRAWABLE = frozenset({Status.PENDING, Status.HELD})


@dataclass(frozen=True, slots=True)
class Author:
    """The writer as the website describes them.

    Only `verified_id` and `email_verified` carry proof; everything else is
    what somebody typed. `ip` is None when the website did not tell it.
    """

    name: str = ""
    email: str = ""
    url: str = ""
    ip: str | None = None
    user_agent: str = ""
    referrer: str = ""
    verified_id: str | None = None
    email_verified: bool = False


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """The page a comment belongs to, as the website names it.

    `key` identifies the thread within its site: the website's own id, else
    the normalised URL. URL and title only describe.
    """

    key: str
    url: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A validated comment on its way in, not yet stored."""

    thread: ThreadRef
    author: Author
    body: str
    parent_id: CommentId | None = None
    external_id: str | None = None
    form_opened_at: datetime | None = None
    honeypot_filled: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A stored comment. `thread_*` and `source` repeat the thread it belongs to for display."""

    id: CommentId
    site_id: SiteId
    site_slug: str
    thread_id: ThreadId
    thread: ThreadRef
    status: Status
    version: int
    author: Author
    body: str
    created_at: datetime
    parent_id: CommentId | None = None
    root_id: CommentId | None = None
    depth: int = 1
    external_id: str | None = None
    form_opened_at: datetime | None = None
    honeypot_filled: bool = False
    attempts: int = 0
    report_count: int = 0
    judged_at: datetime | None = None
    decided_at: datetime | None = None
    request_id: str = ""
    source: str = "native"

    @property
    def visible(self) -> bool:
        """Whether the public may read it."""
        return self.status is Status.APPROVED
