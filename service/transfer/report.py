"""What an import tells of itself when it is done."""

from collections import Counter
from dataclasses import dataclass, field

from service.domain.comment import Status

#: How many of those that are broken are told of one by one.
_NAMED = 10


@dataclass(slots=True)
class Report:
    """What an import did: which states became which statuses, and what did not fit.

    `mapped` counts by state and status, `existing` were imported before,
    `erased` were left out because their content was erased here, `cut` had a
    text that was too long, `redated` told no time that can be believed,
    `adopted` came before what they answer, of `parentless` that is nowhere in
    the file, and of `elsewhere` it stands in another thread. `clashing` have
    the number of another comment, and no source tells the two apart.
    `raised` stood deeper than conversations are here, and `left_out` counts by
    reason what is no comment for readers. `unnamed` have an id of the website's
    own that another comment has, or that none can have. `broken` are no proper
    comments, the first of which are named.
    """

    mapped: Counter[tuple[str, Status]] = field(default_factory=Counter)
    existing: int = 0
    erased: int = 0
    cut: int = 0
    redated: int = 0
    adopted: int = 0
    parentless: int = 0
    elsewhere: int = 0
    clashing: int = 0
    raised: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    broken: int = 0
    broken_ones: list[str] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """How many comments are new."""
        return sum(self.mapped.values())

    def note_broken(self, what: str) -> None:
        """Count a record that is no proper comment, and keep what is wrong with the first ones."""
        self.broken += 1
        if len(self.broken_ones) < _NAMED:
            self.broken_ones.append(what)
