"""Lessons: what a person's decision on a comment says of each score."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.domain.comment import Comment, Status
from service.domain.decision import Reason
from service.storage.learners import Taught

#: What a rejection says of each score, by its reason; nothing where it is about neither.
_REJECTED: Mapping[str, Mapping[str, float]] = {
    "": {"abuse": 1.0},
    Reason.ABUSE: {"abuse": 1.0},
    Reason.HATE: {"abuse": 1.0},
    Reason.THREAT: {"abuse": 1.0},
    Reason.ADVERTISING: {"spam": 1.0},
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """One decision: by whom, and what the scores should have been.

    `held` is what the rules made of the comment, None where no verdict is kept;
    `rejected` what the person made of it. `kept` and `absent` are the signals of the
    verdict, for judging it again.
    """

    comment: Comment
    person: str
    targets: Mapping[str, float]
    rejected: bool
    held: bool | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


def lesson_of(taught: Taught) -> Lesson:
    """Return what a decision that stands in the record says."""
    status, evidence = taught.comment.status, taught.evidence
    targets = dict(targets_of(status, taught.reason))
    # Whoever calls a rule wrong speaks of what the rule is about, whatever else they decide.
    for category in _categories(evidence, taught.wrong_rules):
        targets.setdefault(category, 0.0)
    return Lesson(
        taught.comment,
        taught.actor,
        targets,
        rejected=status is not Status.APPROVED,
        held=evidence["status"] == Status.HELD if evidence else None,
        kept=evidence["signals"] if evidence else {},
        absent=tuple(evidence["absent"]) if evidence else (),
    )


def targets_of(status: Status, reason: str) -> Mapping[str, float]:
    """Return what each score should have been; those that the decision says nothing of lack."""
    if status is Status.APPROVED:
        return {"spam": 0.0, "abuse": 0.0}
    if status is Status.SPAM:
        return {"spam": 1.0}
    return _REJECTED.get(reason, {})


def _categories(evidence: Mapping[str, Any] | None, rules: tuple[str, ...]) -> set[str]:
    hits = evidence["hits"] if evidence else ()
    return {hit["category"] for hit in hits if hit["rule"] in rules} & {"spam", "abuse"}
