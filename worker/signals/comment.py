"""The signals of one comment, each worked out when a rule first asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from service.domain.comment import Comment
from service.domain.verdict import Span
from worker.context import Context
from worker.signals import author
from worker.signals.email import domain_of, is_disposable
from worker.signals.links import Link, find_links, link_of
from worker.signals.repetition import fingerprint
from worker.signals.text import View, linkable, plain
from worker.signals.words import Found, WordList

#: More domains than this in the evidence help nobody who reviews.
_DOMAINS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists that rules look things up in: words by list name, registered domains."""

    words: Mapping[str, WordList] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()


class Signals:
    """What can be noticed in `comment`, given its context and the lists."""

    def __init__(self, comment: Comment, context: Context, lists: Lists) -> None:
        self.comment = comment
        self.context = context
        self._lists = lists

    @cached_property
    def body(self) -> View:
        """The text, folded."""
        return plain(self.comment.body)

    @cached_property
    def name(self) -> View:
        """The author's name, folded."""
        return plain(self.comment.author.name)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links in the text."""
        return find_links(self._linkable)

    @cached_property
    def author_link(self) -> Link | None:
        """The link that the author gave beside the text."""
        return link_of(self.comment.author.url)

    @property
    def has_record(self) -> bool:
        """Whether people approved this author before, under a proven identity."""
        return author.has_record(self.comment.author, self.context.history)

    @property
    def is_first_of_stranger(self) -> bool:
        """Whether nobody vouches for the author and nothing was heard of them before."""
        proven = author.is_proven(self.comment.author)
        return not proven and author.is_first(self.context.history)

    @cached_property
    def is_disposable(self) -> bool | None:
        """Whether the e-mail address is made to be thrown away; None without an address."""
        domain = domain_of(self.comment.author.email)
        return is_disposable(domain) if domain else None

    def listed(self, name: str) -> tuple[Found, Span] | None:
        """Return the entry of a word list that the text or the author's name holds."""
        words = self._lists.words[name]
        for where, view in (("body", self.body), ("author.name", self.name)):
            if found := words.find(view):
                place = view.place(found.start, found.end)
                return found, Span(where, *place, view=view.name)
        return None

    def listed_domain(self) -> tuple[str, Span] | None:
        """Return the listed domain that the comment links to."""
        for link in self.links:
            if link.domain in self._lists.domains:
                return link.domain, self.link_span(link)
        own = self.author_link
        if own and own.domain in self._lists.domains:
            return own.domain, Span("author.url", own.start, own.end, view="links")
        return None

    def link_span(self, link: Link) -> Span:
        """Return the place of a link of the text."""
        view = self._linkable
        return Span("body", *view.place(link.start, link.end), view=view.name)

    def values(self) -> dict[str, Any]:
        """Return what the verdict keeps as evidence; None is what could not be had."""
        history, context = self.context.history, self.context
        return {
            "text.characters": len(self.comment.body),
            "links": list(dict.fromkeys(link.domain for link in self.links))[:_DOMAINS_SHOWN],
            "links.count": len(self.links),
            "author.link": self.author_link.domain if self.author_link else "",
            "author.proven": author.is_proven(self.comment.author),
            "author.approved": history.approved,
            "author.rejected": history.rejected,
            "author.claimed_approved": history.claimed_approved,
            "author.claimed_rejected": history.claimed_rejected,
            "author.seen": history.seen,
            "count.text.1h": context.text_seen,
            "email.disposable": self.is_disposable,
            "email.deliverable": context.deliverable,
        }

    @cached_property
    def _linkable(self) -> View:
        return linkable(self.comment.body)


def text_fingerprint(comment: Comment) -> str:
    """Return what this comment's text shares with its repetitions."""
    return fingerprint(plain(comment.body))
