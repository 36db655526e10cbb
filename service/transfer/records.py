"""What the readers of all formats give: comments as another system kept them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import TypeVar

from service.domain.comment import Author, Status, ThreadRef

T = TypeVar("T")


class Unreadable(Exception):
    """The file cannot be read on; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One comment; `state` is what its system called its status.

    `key` tells it from all others of the same system, `parent_key` is that of
    the comment it answers. `external_id` is the website's own id of it, and
    `created_at` None where no time is told that can be believed. `former_key`
    is the key under which earlier versions kept it, where that was another.
    """

    key: str
    state: str
    status: Status
    thread: ThreadRef
    author: Author
    body: str
    created_at: datetime | None
    parent_key: str | None = None
    external_id: str | None = None
    former_key: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that is not taken in, and why, said of several: "are of type x"."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that is no proper comment: where it stands, and what is wrong with it."""

    where: str
    why: str


Record = Imported | LeftOut | Broken


#: Elements after which a text goes on in a new paragraph.
_BLOCKS = frozenset({"p", "div", "blockquote", "ul", "ol", "li", "pre", "h1", "h2", "h3"})
_BLANK_LINES = re.compile(r"[ \t]*\n(?:[ \t]*\n)+")


def html_to_text(html: str) -> str:
    """Return the text of HTML that another system stored: paragraphs, lines, links by address."""
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _TextOf()
    reader.feed(html)
    reader.close()
    return _BLANK_LINES.sub("\n\n", "".join(reader.pieces)).strip()


class _TextOf(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._links: list[tuple[str, int]] = []

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Pass over "<![" to the next ">": the parser itself gives up on all but a few words."""
        return self.parse_bogus_comment(i, report)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._break("\n")
        elif tag in _BLOCKS:
            self._break("\n\n")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._break("\n\n")
        elif tag == "a" and self._links:
            address, start = self._links.pop()
            said = "".join(self.pieces[start:])
            if address and address not in said:
                self.pieces.append(f" ({address})")

    def handle_data(self, data: str) -> None:
        # A line end right behind <br> or <p> is how the source is written, not text.
        after_break = bool(self.pieces) and self.pieces[-1] in ("\n", "\n\n")
        self.pieces.append(data.lstrip("\n") if after_break else data)

    def _break(self, lines: str) -> None:
        if self.pieces:
            self.pieces.append(lines)


def in_batches(records: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the records in lists of `size`, the last one shorter."""
    batch: list[T] = []
    for record in records:
        batch.append(record)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
