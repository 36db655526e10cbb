"""The signals of one comment, each worked out when a rule first asks for it."""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Any, Literal, TypeVar

from service.domain.comment import Comment
from service.domain.verdict import Span
from worker.context import Context
from worker.models.score import MODELS, NAMES, SITE_NAMES, Score
from worker.signals import author
from worker.signals.characters import may_be_odd
from worker.signals.email import domain_of, is_disposable
from worker.signals.language import language_of
from worker.signals.links import MAX_LINKS, Link, find_links, link_of
from worker.signals.text import Fold, View, linkable, views, with_revealed
from worker.signals.words import MAX_FOUND, Found, Standing, WordIndex, WordList

#: More domains than this in the evidence help nobody who reviews.
_DOMAINS_SHOWN = 20

#: Of shorter texts further readings are whole.
_WORTH_CUTTING = 200

T = TypeVar("T")

#: What rules call the fields of a comment.
Field = Literal["text", "name", "email", "url"]

#: What verdicts call the same fields.
FIELD_NAMES: Mapping[Field, str] = {
    "text": "body",
    "name": "author.name",
    "email": "author.email",
    "url": "author.url",
}


class Signals:
    """What can be noticed in `comment`, given its context.

    The engine adds to `noticed` the names of the rules that matched so far, each with
    the places it is about, and gives the `index` by which all lists of the ruleset are
    looked up at once.
    """

    def __init__(self, comment: Comment, context: Context) -> None:
        self.comment = comment
        self.context = context
        self.noticed: dict[str, tuple[Span, ...]] = {}
        self.index: WordIndex | None = None
        self._seen: dict[tuple[Field, Fold], tuple[View, ...]] = {}
        self._kept: dict[Hashable, Any] = {}
        self._told: dict[int, list[tuple[Set[object], Set[object]]]] = {}
        self._was_cut = False

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` gives, made only the first time `key` is asked for."""
        if key not in self._kept:
            self._kept[key] = make()
        kept: T = self._kept[key]
        return kept

    # --- texts -----------------------------------------------------------------

    def text(self, field: Field) -> str:
        """Return a field as it was received."""
        sender = self.comment.author
        match field:
            case "text":
                return self.comment.body
            case "name":
                return sender.name
            case "email":
                return sender.email
            case "url":
                return sender.url

    def views(self, field: Field, fold: Fold = "plain") -> tuple[View, ...]:
        """Return a field folded: plainly, or in all the ways that evaders call for.

        Of these only the first are whole; the others have what is new in them.
        """
        key = (field, fold)  # asked for very often, so without a call of its own
        if key not in self._seen:
            self._seen[key] = self._views(field, fold)
        return self._seen[key]

    def readings(self, field: Field) -> tuple[View, ...]:
        """Return a field folded in all the ways that evaders call for, each of them whole."""
        return self.once(("readings", field), lambda: with_revealed(self.views(field)).views)

    def candidates(self, view: View) -> Standing:
        """Return which entries of the index may stand in a view that `views` gave, by list."""
        index = self.index
        return self.once(("candidates", id(view)), lambda: index.candidates(view)) if index else {}

    def tell(self, possible: Set[object], known: Set[object], view: View) -> None:
        """Note which of the `known` phrases may stand in a view that `views` gave."""
        self._told.setdefault(id(view), []).append((possible, known))

    def possible(self, phrases: Sequence[T], view: View) -> Sequence[T]:
        """Return the phrases that may stand in a view, as far as anything was told of it."""
        for possible, known in self._told.get(id(view), ()):
            phrases = [one for one in phrases if one in possible or one not in known]
        return phrases

    def found(self, entries: WordList, view: View) -> tuple[Found, ...]:
        """Return where entries of a list stand in a view that `views` gave."""
        found = self.once((entries, id(view)), lambda: self._find(entries, view))
        self._was_cut = self._was_cut or len(found) >= MAX_FOUND
        return found

    def may_be_odd(self, field: Field) -> bool:
        """Return whether a field may have characters of any of the odd kinds."""
        return self.once(("odd", field), lambda: may_be_odd(self.text(field)))

    # --- links -----------------------------------------------------------------

    def links(self, field: Field) -> tuple[Link, ...]:
        """Return the links in a field; an address field is one as a whole."""
        return self.once(("links", field), lambda: self._links_in(field))

    def link_span(self, field: Field, link: Link) -> Span:
        """Return the place of a link that `links` gave for the field."""
        if field == "url":
            return Span(FIELD_NAMES[field], link.start, link.end, view="links")
        view = self._linkable_body if field == "text" else linkable(self.text(field))
        return Span(FIELD_NAMES[field], *view.place(link.start, link.end), view=view.name)

    def raw_spans(self, field: Field, places: Sequence[tuple[int, int]]) -> Iterator[Span]:
        """Give the spans of places in a field as it was received."""
        return (Span(FIELD_NAMES[field], start, end, view="raw") for start, end in places)

    # --- models ------------------------------------------------------------------

    def score(self, name: str) -> Score | None:
        """Return what a model says; None where it says nothing. Raises what the model raises."""
        given = self.context.scores.get(name)
        return self.context.models.score(name, self) if given is None else Score(given)

    # --- facts -----------------------------------------------------------------

    @cached_property
    def email_domain(self) -> str:
        """The domain of the author's e-mail address, "" without one."""
        return domain_of(self.comment.author.email)

    @cached_property
    def is_disposable(self) -> bool | None:
        """Whether the e-mail address is made to be thrown away; None without an address."""
        return is_disposable(self.email_domain) if self.email_domain else None

    @cached_property
    def language(self) -> str | None:
        """The language of the text as ISO 639-1 has it; None if it is not clear."""
        return language_of(self.comment.body)

    @cached_property
    def form_seconds(self) -> float | None:
        """Seconds between opening the form and sending it; None if not told or not possible."""
        opened = self.comment.form_opened_at
        if opened is None:
            return None
        seconds = (self.comment.created_at - opened).total_seconds()
        return seconds if seconds >= 0 else None

    @property
    def is_truncated(self) -> bool:
        """Whether some bound kept a part of the text from being looked at, so far."""
        return self._was_cut or len(self.links("text")) >= MAX_LINKS

    def value(self, name: str) -> Any:
        """Return a signal by the name under which verdicts keep it; None if it is absent."""
        return self.values().get(name)

    def values(self) -> dict[str, Any]:
        """Return what the verdict keeps as evidence; None is what could not be had."""
        return self._text_values() | self._given_values() | self._score_values()

    def _text_values(self) -> dict[str, Any]:
        links, own = self.links("text"), self.links("url")
        return {
            "text.characters": len(self.comment.body),
            "language": self.language,
            "links": list(dict.fromkeys(link.domain for link in links))[:_DOMAINS_SHOWN],
            "links.count": len(links),
            "author.link": own[0].domain if own else "",
            "email.disposable": self.is_disposable,
        }

    def _given_values(self) -> dict[str, Any]:
        """Return what the text does not tell: all that judging it again later would need."""
        history, context = self.context.history, self.context
        return {
            "author.proven": author.is_proven(self.comment.author),
            "author.approved": history.approved,
            "author.rejected": history.rejected,
            "author.rejected_share": history.rejected_share,
            "author.claimed_approved": history.claimed_approved,
            "author.claimed_rejected": history.claimed_rejected,
            "author.seen": history.seen,
            "email.deliverable": context.deliverable,
            "form_seconds": self.form_seconds,
            "honeypot": self.comment.honeypot_filled,
            "moderation": "all" if context.reviews_everything else "rules",
            **{f"count.{name}": count for name, count in context.counts.items()},
        }

    def _score_values(self) -> dict[str, Any]:
        """Return what models say, and which ones said it."""
        # A site without a learner does not lack what one would say.
        learner = self.context.models.version("site", self)
        of_site = SITE_NAMES if learner else ()
        names = dict.fromkeys([*NAMES, *of_site, *self.context.scores])
        versions = {f"model.{model}": self.context.models.version(model, self) for model in MODELS}
        if learner:
            versions["model.site"] = learner
        return versions | {f"score.{name}": self._score_value(name) for name in names}

    def _score_value(self, name: str) -> float | None:
        try:
            score = self.score(name)
        except Exception:  # told by every rule that asks for it
            return None
        return score.value if score else None

    def _find(self, entries: WordList, view: View) -> tuple[Found, ...]:
        if self.index is None:
            return tuple(entries.find_all(view))
        return tuple(entries.find_all(view, self.candidates(view)))

    def _views(self, field: Field, fold: Fold) -> tuple[View, ...]:
        if fold == "plain":
            return views(self.text(field), "plain")
        # The same objects for the readings that both have, so that what was
        # found in them is found once.
        if self.index is None or len(self.text(field)) < _WORTH_CUTTING:
            return self.readings(field)
        found = with_revealed(self.views(field), self.index.margin)
        self._was_cut |= found.is_cut
        return found.views

    def _links_in(self, field: Field) -> tuple[Link, ...]:
        if field == "url":
            link = link_of(self.comment.author.url)
            return (link,) if link else ()
        view = self._linkable_body if field == "text" else linkable(self.text(field))
        return find_links(view)

    @cached_property
    def _linkable_body(self) -> View:
        return linkable(self.comment.body)
