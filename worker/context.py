"""What a verdict depends on besides the comment: given from outside, so it can be replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from service.domain.history import AuthorHistory
from worker.models.score import NO_MODELS, Scorer


@dataclass(frozen=True, slots=True)
class Context:
    """The moment of judging. None stands for what could not be found out.

    `counts` tells how often something was seen before this comment, by the
    counter's name (`text.1h`); `deliverable` whether the e-mail's domain takes
    mail; `reviews_everything` whether site or thread wants a person to look
    first; `models` give scores, `scores` are those given from outside, which win,
    by name, 0 to 1. The rules named in `muted` are counted but decide nothing, whatever their mode.
    """

    at: datetime
    history: AuthorHistory = field(default_factory=AuthorHistory)
    counts: Mapping[str, int | None] = field(default_factory=dict)
    deliverable: bool | None = None
    reviews_everything: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    models: Scorer = NO_MODELS
    muted: frozenset[str] = frozenset()
