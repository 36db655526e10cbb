"""Comments made up for trying rules: the tests in a rule file, and `rules try`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from yaml.nodes import MappingNode, Node

from service.domain.comment import (
    Author,
    Comment,
    CommentId,
    SiteId,
    Status,
    ThreadId,
    ThreadRef,
)
from service.domain.history import AuthorHistory
from worker.context import Context
from worker.models.score import NO_MODELS, Scorer
from worker.ruleset.document import Document
from worker.ruleset.model import read_period

#: When made-up comments are judged; no rule looks at the time of day.
_MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_HISTORY = ("approved", "rejected", "claimed_approved", "claimed_rejected", "seen")
_SOMEBODY = CommentId("00000000-0000-7000-8000-000000000000")
_MOST = 1_000_000


@dataclass
class Case:
    """A made-up comment and what is known of its author and its way here."""

    text: str = ""
    name: str = ""
    email: str = ""
    url: str = ""
    ip: str | None = None
    site: str = ""
    reply: bool = False
    honeypot: bool = False
    deliverable: bool | None = None
    reviews_everything: bool = False
    form_seconds: float | None = None
    history: dict[str, int] = field(default_factory=dict)
    proven: bool = False
    counts: dict[str, int | None] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def comment(self) -> Comment:
        """Return the comment."""
        opened = None
        if self.form_seconds is not None:
            opened = _MOMENT - timedelta(seconds=self.form_seconds)
        return Comment(
            id=CommentId(""),
            site_id=SiteId(0),
            site_slug=self.site,
            thread_id=ThreadId(0),
            thread=ThreadRef(""),
            status=Status.PENDING,
            version=0,
            author=Author(
                name=self.name,
                email=self.email,
                url=self.url,
                ip=self.ip,
                verified_id="somebody" if self.proven else None,
            ),
            body=self.text,
            created_at=_MOMENT,
            parent_id=_SOMEBODY if self.reply else None,
            form_opened_at=opened,
            honeypot_filled=self.honeypot,
        )

    def context(self, models: Scorer = NO_MODELS) -> Context:
        """Return what its verdict depends on beside it."""
        return Context(
            at=_MOMENT,
            history=AuthorHistory(**self.history),
            counts=self.counts,
            deliverable=self.deliverable,
            reviews_everything=self.reviews_everything,
            scores=self.scores,
            models=models,
        )


def read_case(document: Document, node: Node) -> Case | None:
    """Return the case that a text, or a mapping of its parts, describes; None if it is wrong."""
    if not isinstance(node, MappingNode):
        text = document.text(node)
        return Case(text) if text is not None else None
    told = len(document.problems)
    case = Case()
    for name, value in document.mapping(node, _PARTS, "part of a test").items():
        _PARTS[name](document, value, case)
    return case if len(document.problems) == told else None


Part = Callable[[Document, Node, Case], None]


def _text_part(name: str) -> Part:
    def read(document: Document, node: Node, case: Case) -> None:
        setattr(case, name, document.text(node) or "")

    return read


def _flag_part(name: str) -> Part:
    def read(document: Document, node: Node, case: Case) -> None:
        setattr(case, name, bool(document.flag(node, name)))

    return read


def _ip(document: Document, node: Node, case: Case) -> None:
    written = document.text(node) or ""
    try:
        case.ip = str(ip_address(written))
    except ValueError:
        document.error(node, f"“{written}” is no IP address")


def _moderation(document: Document, node: Node, case: Case) -> None:
    case.reviews_everything = document.choice(node, "moderation", ("all", "rules")) == "all"


def _form_seconds(document: Document, node: Node, case: Case) -> None:
    case.form_seconds = document.number(node, "form_seconds")


def _author(document: Document, node: Node, case: Case) -> None:
    members = document.mapping(node, (*_HISTORY, "proven"), "part of an author")
    if "proven" in members:
        case.proven = bool(document.flag(members.pop("proven"), "proven"))
    for name, value in members.items():
        case.history[name] = document.whole(value, name, 0, _MOST) or 0
    # Only under a proven identity is anything approved or rejected counted.
    case.proven = case.proven or any(case.history.get(name) for name in ("approved", "rejected"))


def _count(document: Document, node: Node, case: Case) -> None:
    for name, value in document.mapping(node, None, "count").items():
        of, _, period = name.partition(".")
        if read_period(period) is None:
            document.error(value, f"a count is named such as {of}.1h, not “{name}”")
        case.counts[name] = document.whole(value, name, 0, _MOST)


def _score(document: Document, node: Node, case: Case) -> None:
    for name, value in document.mapping(node, None, "score").items():
        case.scores[name] = document.number(value, name) or 0.0


_PARTS: Mapping[str, Part] = {
    "text": _text_part("text"),
    "name": _text_part("name"),
    "email": _text_part("email"),
    "url": _text_part("url"),
    "site": _text_part("site"),
    "ip": _ip,
    "reply": _flag_part("reply"),
    "honeypot": _flag_part("honeypot"),
    "deliverable": _flag_part("deliverable"),
    "moderation": _moderation,
    "form_seconds": _form_seconds,
    "author": _author,
    "count": _count,
    "score": _score,
}
