"""What a verdict depends on besides the comment: given from outside, so it can be replayed."""

from dataclasses import dataclass, field
from datetime import datetime

from service.domain.history import AuthorHistory


@dataclass(frozen=True, slots=True)
class Context:
    """The moment of judging. None stands for what could not be found out.

    `text_seen` is how often the same text came within the last hour before
    this comment; `deliverable` whether the e-mail's domain takes mail;
    `reviews_everything` whether site or thread wants a person to look first.
    """

    at: datetime
    history: AuthorHistory = field(default_factory=AuthorHistory)
    text_seen: int | None = 0
    deliverable: bool | None = None
    reviews_everything: bool = False
