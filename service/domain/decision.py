"""Decisions by moderators, and the events that tell a comment's story."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.domain.comment import CommentId, SiteId, Status
from service.domain.preferences import Preferences


class Decision(StrEnum):
    """What a moderator can say of a comment."""

    APPROVE = "approve"
    REJECT = "reject"
    SPAM = "spam"

    @property
    def status(self) -> Status:
        """The status that this decision gives a comment."""
        return _STATUS_OF[self]


_STATUS_OF = {
    Decision.APPROVE: Status.APPROVED,
    Decision.REJECT: Status.REJECTED,
    Decision.SPAM: Status.SPAM,
}


class Reason(StrEnum):
    """Why a moderator decided so. Codes are part of the API: never reuse one."""

    FINE = "fine"
    ABUSE = "abuse"
    HATE = "hate"
    THREAT = "threat"
    PERSONAL_DATA = "personal_data"
    ADVERTISING = "advertising"
    OFF_TOPIC = "off_topic"
    DUPLICATE = "duplicate"
    ILLEGAL = "illegal"
    OTHER = "other"


class EventKind(StrEnum):
    """What can happen to a comment after it was accepted.

    Reports, and that a moderator calls a rule wrong (the rule is the event's
    note), change nothing about the comment: they leave its version as it is.
    """

    VERDICT = "verdict"
    DECISION = "decision"
    UNDO = "undo"
    REPORT = "report"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    RETENTION = "retention"
    RETRIED = "retried"
    RULE_WRONG = "rule_wrong"
    IMPORTED = "imported"
    STANDING = "standing"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log, written once and never changed.

    `actor` is "rules", "moderator:LOGIN", "site:SLUG", "author", "reader" or
    "system"; `version` is the comment's version after the event.
    """

    id: int
    comment_id: CommentId
    at: datetime
    kind: EventKind
    actor: str
    from_status: Status
    to_status: Status
    version: int
    reason: str = ""
    note: str = ""
    batch: str | None = None


class Role(StrEnum):
    """What a moderator may see and do. Ordered: each may do all that the former may."""

    MODERATOR = "moderator"
    SENIOR = "senior"
    ADMIN = "admin"

    def includes(self, role: "Role") -> bool:
        """Whether it may do all that `role` may."""
        return _RANKS[self] >= _RANKS[role]


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Moderator:
    """A person who reviews comments; `sites` None means those of every site."""

    id: int
    login: str
    role: Role
    sites: frozenset[SiteId] | None = None
    preferences: Preferences = field(default_factory=Preferences)

    @property
    def actor(self) -> str:
        """The name under which their decisions stand in the audit log."""
        return f"moderator:{self.login}"

    def may(self, role: Role) -> bool:
        """Whether they may do what `role` may."""
        return self.role.includes(role)

    @property
    def sees_addresses(self) -> bool:
        """Whether authors' e-mail and IP addresses are shown to them."""
        return self.role is not Role.MODERATOR

    @property
    def takes_back(self) -> bool:
        """Whether they may take back what rules and others did, much at once."""
        return self.role is not Role.MODERATOR

    @property
    def keeps_rules(self) -> bool:
        """Whether they try rules out, and publish lists and rules that only count."""
        return self.role is not Role.MODERATOR

    @property
    def manages_people(self) -> bool:
        """Whether they make accounts and give rights."""
        return self.role is Role.ADMIN

    def reviews(self, site_id: SiteId) -> bool:
        """Whether comments of the site are theirs to see."""
        return self.sites is None or site_id in self.sites
