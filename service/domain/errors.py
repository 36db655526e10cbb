"""What can go wrong, named for the fact. `web/problems.py` turns these into answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.domain.comment import CommentId, Status


class ModerationError(Exception):
    """Base of every error that a caller can be told about."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field; `pointer` is an RFC 6901 JSON Pointer."""

    pointer: str
    detail: str


class InvalidSubmission(ModerationError):
    """The fields do not make a comment. Carries every error at once."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(f"{len(errors)} invalid fields")
        self.errors = tuple(errors)


class StoreUnavailable(ModerationError):
    """The database is away; nothing was promised."""


class CommentNotFound(ModerationError):
    """There is no such comment within what the caller may see."""


class ThreadNotFound(ModerationError):
    """There is no such site or thread."""


class ParentNotFound(ModerationError):
    """The comment replied to does not exist in this thread."""


class ParentNotApproved(ModerationError):
    """Replies are taken only under approved comments."""


class ThreadClosed(ModerationError):
    """The thread takes no more comments."""


class DuplicateComment(ModerationError):
    """The same author said the same in the same thread within 24 hours.

    `first` is None unless the caller may know it (the same server key sent it).
    """

    def __init__(self, first: CommentId | None) -> None:
        super().__init__("duplicate comment")
        self.first = first


class IdempotencyKeyReused(ModerationError):
    """The idempotency key was used before with another body."""


class ExternalIdTaken(ModerationError):
    """The external id belongs to a comment with other content."""


class DecisionConflict(ModerationError):
    """The comment moved on since the moderator saw it.

    `status` and `version` are where it stands now, `decided_by` the actor of
    its last event.
    """

    def __init__(
        self, comment_id: CommentId, status: Status, version: int, decided_by: str
    ) -> None:
        super().__init__(f"{comment_id} is {status} at version {version}")
        self.comment_id = comment_id
        self.status = status
        self.version = version
        self.decided_by = decided_by


class PersonNotFound(ModerationError):
    """There is no such moderator."""


class LoginTaken(ModerationError):
    """Another moderator has this login name."""


class LastAdmin(ModerationError):
    """One admin must remain who can sign in."""


class NotWithdrawable(ModerationError):
    """The comment is past the point where its author can take it back."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"comment is {status}")
        self.status = status


class RateLimited(ModerationError):
    """Too many requests; `retry_after` in whole seconds, `limit` per `window` seconds."""

    def __init__(self, policy: str, *, limit: int, window: int, retry_after: int) -> None:
        super().__init__(f"over the limit {policy!r}")
        self.policy = policy
        self.limit = limit
        self.window = window
        self.retry_after = retry_after


class CheckUnavailable(ModerationError):
    """No worker gave a verdict in time, or too many checks wait already."""


@dataclass(frozen=True, slots=True)
class RulesetProblem:
    """One thing wrong with a ruleset, and where; lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    severity: str = "error"


class InvalidRuleset(ModerationError):
    """The ruleset has mistakes; the running one stays as it is. Carries all of them at once."""

    def __init__(self, problems: Sequence[RulesetProblem]) -> None:
        super().__init__(f"{len(problems)} problems in the ruleset")
        self.problems = tuple(problems)


class RulesetConflict(ModerationError):
    """Somebody else published a ruleset since this change was begun.

    `number` is the version that is live now, None if none is; `author` who published it.
    """

    def __init__(self, number: int | None, author: str) -> None:
        super().__init__(f"version {number} is live, by {author}")
        self.number = number
        self.author = author


class RulesetNotAllowed(ModerationError):
    """The change is not theirs to publish: seniors keep lists and shadow rules, admins all."""


class RulesetNotFound(ModerationError):
    """There is no such ruleset, or no such version of it."""


class TrialNotFound(ModerationError):
    """There is no such trial of a ruleset."""


class SiteNotFound(ModerationError):
    """There is no such site."""


class LearnerNotProven(ModerationError):
    """The site's learner may not be switched on; the message says what it lacks."""
