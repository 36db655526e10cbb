"""Verdicts: what the rules found in one comment, with every reason kept.

A verdict is written once and never edited. It is stored and sent as the JSON
that `Verdict.as_dict` returns, so the shape here is the shape everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from service.domain.clock import in_zulu
from service.domain.comment import Status

Mode = Literal["live", "shadow"]

#: Category of reasons that say "this could not be checked", never "this is bad".
ENGINE = "engine"
#: Category of reasons that call the comment an advertisement.
SPAM = "spam"
#: Categories of reasons that say nothing against the comment itself.
_NOBODYS_FAULT = frozenset({ENGINE, "policy"})


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a field of the comment that made a rule match.

    `start` and `end` are code-point offsets into the text as received, `view`
    names the folding through which it was seen ("plain", "links", ...).
    """

    field: str
    start: int
    end: int
    view: str = "plain"


@dataclass(frozen=True, slots=True)
class Hit:
    """One rule that matched: its points and its reason in plain words.

    `needed` is true if without this rule the comment would have been approved.
    """

    rule: str
    category: str
    points: int
    why: str
    mode: Mode = "live"
    needed: bool = False
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of live points in one category against its threshold."""

    points: int
    hold_at: int


@dataclass(frozen=True, slots=True)
class RuleError:
    """A rule that could not run, and why."""

    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole evidence on one comment: `status` is `approved` or `held`.

    `signals` holds the values that the rules read, by name, `absent` the names
    of those that could not be had, `took_ms` the judging time in milliseconds.
    """

    status: Status
    ruleset: str
    at: datetime
    took_ms: float
    totals: Mapping[str, Total]
    hits: tuple[Hit, ...]
    signals: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    errors: tuple[RuleError, ...] = ()

    @property
    def severity(self) -> int:
        """0 approved, 1 at its threshold, 2 at twice, 3 at three times or more."""
        if self.status is not Status.HELD:
            return 0
        ratios = [total.points / total.hold_at for total in self.totals.values()]
        return max(1, min(3, int(max(ratios, default=1))))

    @property
    def spam_only(self) -> bool:
        """Whether all the live rules that matched speak of spam."""
        return {hit.category for hit in self.hits if hit.mode == "live"} == {SPAM}

    @property
    def language(self) -> str | None:
        """The language that the comment seems to be written in, None if that is unclear."""
        return self.signals.get("language")

    @property
    def link_domains(self) -> tuple[str, ...]:
        """The registrable domains that the comment leads to, each once."""
        return tuple(dict.fromkeys(self.signals.get("links", ())))

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values; times are ISO 8601 in UTC."""
        # Spelled out: `dataclasses.asdict` copies so deeply that it took as long
        # as all the rules together.
        return {
            "status": self.status.value,
            "ruleset": self.ruleset,
            "at": in_zulu(self.at),
            "took_ms": self.took_ms,
            "totals": {
                category: {"points": total.points, "hold_at": total.hold_at}
                for category, total in self.totals.items()
            },
            "hits": [_hit_as_dict(hit) for hit in self.hits],
            "signals": dict(self.signals),
            "absent": list(self.absent),
            "errors": [{"rule": error.rule, "detail": error.detail} for error in self.errors],
        }


def _hit_as_dict(hit: Hit) -> dict[str, Any]:
    return {
        "rule": hit.rule,
        "category": hit.category,
        "points": hit.points,
        "why": hit.why,
        "mode": hit.mode,
        "needed": hit.needed,
        "spans": [
            {"field": span.field, "start": span.start, "end": span.end, "view": span.view}
            for span in hit.spans
        ],
    }


def verdict_from_dict(values: Mapping[str, Any]) -> Verdict:
    """Return the verdict that `Verdict.as_dict` was called on."""
    hits = values["hits"]
    return Verdict(
        status=Status(values["status"]),
        ruleset=values["ruleset"],
        at=datetime.fromisoformat(values["at"]),
        took_ms=values["took_ms"],
        totals={category: Total(**total) for category, total in values["totals"].items()},
        hits=tuple(
            Hit(**hit | {"spans": tuple(Span(**span) for span in hit["spans"])}) for hit in hits
        ),
        signals=values["signals"],
        absent=tuple(values["absent"]),
        errors=tuple(RuleError(**error) for error in values["errors"]),
    )


def speaks_against(evidence: Mapping[str, Any]) -> bool:
    """Whether a verdict as JSON values holds the comment for what it is.

    Not so where it could not be checked, or where a person has to look anyway.
    """
    totals = evidence["totals"]
    over = {name for name, total in totals.items() if total["points"] >= total["hold_at"]}
    return bool(over - _NOBODYS_FAULT)
