"""What the console shows of one comment: its text in pieces, its reasons in plain words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from service.domain.comment import REVIEWABLE, Comment, SiteId, Status
from service.domain.decision import Event, EventKind
from service.domain.lane import FAR_OVER
from service.storage.comments import comment_by_id, events_of
from service.storage.following import campaign_size
from service.storage.notes import Note, author_of, notes_on
from service.storage.reviewing import AuthorHistory, AuthorRecord, ReviewItem, author_history
from service.web.pages import ago
from service.web.rendering import Mark, Piece, pieces

ABUSE = "abuse"

#: Link domains by which others are looked for.
_LINKS_OFFERED = 3

#: How people call the categories.
CATEGORIES = {
    "spam": "Advertising",
    ABUSE: "Abuse",
    "threat": "Threats",
    "personal": "Personal data",
    "policy": "House rules",
    "engine": "Could not be checked",
}


#: Events that tell something about a comment but do not move it.
_TOLD_ONLY = frozenset({EventKind.REPORT, EventKind.RULE_WRONG})


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule's finding. A decisive one would, if left out, have let the comment through."""

    rule: str
    category: str
    why: str
    points: int
    decisive: bool
    live: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """Points in one category against the number that holds a comment."""

    category: str
    points: int
    hold_at: int

    @property
    def over(self) -> bool:
        """Whether this category alone holds the comment."""
        return self.points >= self.hold_at

    @property
    def far_over(self) -> bool:
        """Whether it does so twice over."""
        return self.points >= FAR_OVER * self.hold_at


@dataclass(frozen=True, slots=True)
class Likeness:
    """By what other comments are like one: in words, and as the filter that finds them."""

    words: str
    filter: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verdict says of something that is no stored comment, as a card shows it."""

    held: bool
    body: Sequence[Piece]
    name: Sequence[Piece]
    url: Sequence[Piece]
    reasons: Sequence[Reason]
    meters: Sequence[Meter]
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """A comment with what a moderator needs to decide on it."""

    comment: Comment
    body: Sequence[Piece]
    name: Sequence[Piece]
    url: Sequence[Piece]
    title: Sequence[Piece]
    reasons: Sequence[Reason]
    meters: Sequence[Meter]
    history: str
    events: Sequence[Event]
    parent: Comment | None
    notes: Sequence[Note]
    links: Sequence[str]
    language: str
    campaign: str | None
    campaign_size: int

    @property
    def severe(self) -> bool:
        """Whether somebody may not want to read it unprepared."""
        return any(meter.category == ABUSE and meter.far_over for meter in self.meters)

    @property
    def blamed(self) -> str | None:
        """The rule to call wrong with one key: the first decisive one."""
        return next((reason.rule for reason in self.reasons if reason.decisive), None)

    @property
    def alike(self) -> Sequence[Likeness]:
        """By what others may be like it, for deciding on all of them at once."""
        comment_id = str(self.comment.id)
        rules = [each.rule for each in self.reasons if each.decisive]
        domains = self.links[:_LINKS_OFFERED]
        return [
            Likeness("Same author", {"by": comment_id}),
            Likeness("Same text", {"like": comment_id}),
            *(Likeness(f"Rule {rule}", {"rule": rule}) for rule in rules),
            *(Likeness(f"Links to {domain}", {"domain": domain}) for domain in domains),
        ]

    @property
    def decidable(self) -> bool:
        """Whether a moderator can still change its status."""
        return self.comment.status in REVIEWABLE and self.comment.body != ""

    @property
    def last_change(self) -> Event | None:
        """The event that brought it where it stands."""
        changes = [event for event in self.events if event.kind not in _TOLD_ONLY]
        return changes[-1] if changes else None


def card_of(db: Connection, item: ReviewItem, sites: frozenset[SiteId] | None = None) -> Card:
    """Return the card of a comment for somebody who may see `sites`."""
    comment, evidence = item.comment, item.evidence or {}
    marks = _marks(evidence)
    return Card(
        comment=comment,
        body=pieces(comment.body, marks.get("body", ())),
        name=pieces(comment.author.name, marks.get("author.name", ())),
        url=pieces(comment.author.url, marks.get("author.url", ())),
        title=pieces(comment.thread.title or comment.thread.key),
        reasons=_reasons(evidence),
        meters=_meters(evidence),
        history=told(author_history(db, comment)),
        events=events_of(db, comment.id),
        parent=comment_by_id(db, comment.parent_id) if comment.parent_id else None,
        notes=notes_on(db, comment.site_id, comment.id, author_of(db, comment.id)),
        links=evidence.get("signals", {}).get("links", ()),
        language=str(evidence.get("signals", {}).get("language") or ""),
        campaign=item.campaign,
        campaign_size=campaign_size(db, item.campaign, sites) if item.campaign else 0,
    )


def finding_of(evidence: Mapping[str, Any], *, body: str, name: str, url: str) -> Finding:
    """Return a verdict on a made-up comment, ready to be shown."""
    marks = _marks(evidence)
    return Finding(
        held=evidence["status"] == Status.HELD,
        body=pieces(body, marks.get("body", ())),
        name=pieces(name, marks.get("author.name", ())),
        url=pieces(url, marks.get("author.url", ())),
        reasons=_reasons(evidence),
        meters=_meters(evidence),
        evidence=evidence,
    )


def told(history: AuthorHistory) -> str:
    """Return an author's history as one line: "3rd comment, 1 approved, first seen 2 days ago"."""
    if history.proven:
        return f"{_told_place(history.proven)} (signed in at the site)"
    if history.claimed:
        return _told_place(history.claimed)
    return "No address, so no history"


def told_record(record: AuthorRecord) -> str:
    """Return a record as one line: "3 comments, 1 approved, first seen 2 days ago"."""
    if record.total == 1:
        return "First comment"
    return _told_counts(f"{record.total} comments", record)


def _told_place(record: AuthorRecord) -> str:
    if record.total == 1:
        return "First comment"
    place = f"{record.place}{_ending(record.place)}"
    if record.place == record.total:
        return _told_counts(f"{place} comment", record)
    return _told_counts(f"{place} of {record.total} comments", record)


def _ending(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _told_counts(begin: str, record: AuthorRecord) -> str:
    counted = [
        f"{record.by_status[status]} {word}"
        for status, word in (
            (Status.APPROVED, "approved"),
            (Status.REJECTED, "rejected"),
            (Status.SPAM, "spam"),
        )
        if record.by_status.get(status)
    ]
    seen = f"first seen {ago(record.first_seen)}"
    return ", ".join([begin, *(counted or ["none decided"]), seen])


def _reasons(evidence: Mapping[str, Any]) -> list[Reason]:
    hits = evidence.get("hits", ())
    over = {meter.category for meter in _meters(evidence) if meter.over}
    alone = any(hit["needed"] for hit in hits)
    reasons = [
        Reason(
            rule=hit["rule"],
            category=hit["category"],
            why=hit["why"],
            points=hit["points"],
            decisive=hit["needed"] if alone else hit["category"] in over,
            live=hit["mode"] == "live",
        )
        for hit in hits
    ]
    return sorted(
        reasons, key=lambda reason: (not reason.live, not reason.decisive, -reason.points)
    )


def _meters(evidence: Mapping[str, Any]) -> list[Meter]:
    totals = evidence.get("totals", {})
    meters = [Meter(name, total["points"], total["hold_at"]) for name, total in totals.items()]
    return [meter for meter in meters if meter.points]


def _marks(evidence: Mapping[str, Any]) -> dict[str, list[Mark]]:
    marks: dict[str, list[Mark]] = {}
    for place, mark in _places(evidence):
        marks.setdefault(place, []).append(mark)
    return marks


def _places(evidence: Mapping[str, Any]) -> Iterator[tuple[str, Mark]]:
    for hit in evidence.get("hits", ()):
        for span in hit["spans"]:
            yield span["field"], Mark(span["start"], span["end"], hit["why"])
