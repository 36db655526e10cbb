"""Text of strangers made safe to show: as HTML for readers, in pieces for moderators."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import nh3
from jinja2.utils import urlize
from markupsafe import escape

_LINK_REL = "nofollow ugc noopener"
_SPACE = re.compile(r"(\s+)")
_BLANK_LINES = re.compile(r"\n\s*\n")

#: The last gate: whatever the steps before it let through, only this comes out.
_CLEANER = nh3.Cleaner(
    tags={"p", "br", "a"},
    attributes={"a": {"href"}},
    url_schemes={"http", "https"},
    link_rel=_LINK_REL,
)


def body_to_html(body: str) -> str:
    """Return a comment's text as HTML: paragraphs, line breaks and web links only.

    Markup that the author typed is shown as text.
    """
    paragraphs = _BLANK_LINES.split(body.strip())
    html = "".join(f"<p>{_lines(paragraph)}</p>" for paragraph in paragraphs)
    return _CLEANER.clean(html)


def _lines(paragraph: str) -> str:
    return "<br>".join(_linked(line) for line in paragraph.split("\n"))


def _linked(line: str) -> str:
    # Word by word, because urlize would also make links of bare domains and
    # e-mail addresses, which nobody asked to be one.
    return "".join(
        urlize(word, rel=_LINK_REL) if "http://" in word or "https://" in word else escape(word)
        for word in _SPACE.split(line)
    )


PieceKind = Literal["text", "mark", "control"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text shown in one way; `title` says why, where there is a why."""

    text: str
    kind: PieceKind = "text"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text, in code points, and the reason for which it is marked."""

    start: int
    end: int
    title: str


def pieces(text: str, marks: Iterable[Mark] = ()) -> list[Piece]:
    """Return `text` cut where marks begin and end, with hidden characters made visible.

    Joined, the pieces of kind text and mark give back the text without its
    hidden characters. Marks that reach past the text are cut off.
    """
    shown: list[Piece] = []
    reached = 0
    for mark in _merged(marks, len(text)):
        shown += _visible(text[reached : mark.start])
        shown += _visible(text[mark.start : mark.end], "mark", mark.title)
        reached = mark.end
    return [*shown, *_visible(text[reached:])]


def _merged(marks: Iterable[Mark], length: int) -> list[Mark]:
    """Return marks that do not overlap, in order; those that did are one, with all reasons."""
    merged: list[Mark] = []
    for given in sorted(marks, key=lambda mark: mark.start):
        mark = replace(given, end=min(given.end, length))
        if merged and mark.start < merged[-1].end:
            merged.append(_joined(merged.pop(), mark))
        elif mark.start < mark.end:
            merged.append(mark)
    return merged


def _joined(first: Mark, second: Mark) -> Mark:
    titles = dict.fromkeys([*first.title.split("; "), second.title])
    return Mark(first.start, max(first.end, second.end), "; ".join(titles))


#: Characters that change what a reader sees without being seen: directions,
#: zero widths, tags, and the old control codes (all but TAB and newline).
_HIDDEN = re.compile(
    "([\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\U000e0000-\U000e007f\u0000-\u0008\u000b-\u001f\u007f-\u009f])"
)


def _visible(text: str, kind: PieceKind = "text", title: str = "") -> Iterator[Piece]:
    for index, part in enumerate(_HIDDEN.split(text)):
        if index % 2:
            yield Piece(f"U+{ord(part):04X}", "control", _character_name(part))
        elif part:
            yield Piece(part, kind, title)


def _character_name(character: str) -> str:
    return unicodedata.name(character, "control character").capitalize()
