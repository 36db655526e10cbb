"""Markers: what a comment tells by other means than its words, each with a name.

Links and where they stand, the shape of names and addresses, signs and
repetition. A marker is there or not; how much that weighs is learned.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from service.domain.comment import Author
from worker.models.features import Word
from worker.signals.email import domain_of
from worker.signals.links import Link
from worker.signals.text import View

_HTML = re.compile(r"<a\s|</a>|href *=|\[/?url|\[/?link|<br|&nbsp;|&lt;", re.IGNORECASE)
_MONEY = re.compile(
    r"[$€£₹₩]\s?\d|\d\s?(?:usd|eur|gbp|inr|dollars?|euros?|pounds?)\b", re.IGNORECASE
)
_PHONE = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_SHARE = re.compile(r"\d\s?%")
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_CONSONANTS = re.compile(r"[bcdfghjklmnpqrstvwxz]{5,}")
_DIGITS = re.compile(r"\d")
_SIGNS = re.compile(r"[|:~»«•★!]")

_MANY_LINKS = (1, 2, 4, 8)
_LENGTHS = (3, 8, 20, 50, 120, 300)
_MOSTLY = 0.3
_NEAR_THE_END = 5
_LONG_NAME, _LONG_HOST = 3, 18
_SHOUTED, _FEWEST_CAPITALS = 0.5, 10
_OFTEN = 0.15

#: What people read when a marker moved a score; those without one are not shown.
PHRASES = {
    "links": "its links",
    "links-mostly": "mostly links",
    "link-first": "a link at the start",
    "link-last": "a link at the end",
    "html": "HTML",
    "money": "sums of money",
    "phone": "a telephone number",
    "pictures": "emoji",
    "shouting": "capitals",
    "exclaiming": "exclamation marks",
    "repeating": "repetition",
    "url": "the author's website",
    "url-path": "a page in the website field",
    "url-digits": "digits in the website",
    "url-hyphens": "hyphens in the website",
    "url-long": "a long website name",
    "name-link": "a link as the name",
    "name-long": "a name of several words",
    "name-digits": "digits in the name",
    "name-signs": "signs in the name",
    "name-in-url": "a name made of the website's words",
    "email-digits": "digits in the e-mail address",
    "email-odd": "an e-mail address of random letters",
    "email-of-url": "e-mail and website of one domain",
}


#: Every marker that there is.
NAMES = (
    *(f"length:{step}" for step in range(len(_LENGTHS) + 1)),
    *(f"links:{step}" for step in range(1, len(_MANY_LINKS) + 1)),
    *(name for name in PHRASES if name != "links"),
    "share",
    "name-small",
)


def phrase_of(marker: str) -> str | None:
    """Return what people read for a marker; None if it is not worth telling."""
    return PHRASES.get(marker.partition(":")[0])


def markers_of_text(text: str, words: Sequence[Word], links: Sequence[Link]) -> Iterator[str]:
    """Yield the markers of a comment's text, given as it was received."""
    yield _step("length", len(words), _LENGTHS)
    if links:
        yield _step("links", len(links), _MANY_LINKS)
        linked = sum(link.end - link.start for link in links)
        yield from _if("links-mostly", linked > _MOSTLY * max(1, len(text)))
        yield from _if("link-first", links[0].start < _NEAR_THE_END)
        yield from _if("link-last", links[-1].end > len(text) - _NEAR_THE_END)
    yield from _if("html", _HTML.search(text))
    yield from _if("money", _MONEY.search(text))
    yield from _if("phone", _PHONE.search(text))
    yield from _if("share", _SHARE.search(text))
    yield from _if("pictures", _PICTURE.search(text))
    yield from _if("exclaiming", text.count("!") > 1)
    upper = sum(map(str.isupper, text))
    lower = sum(map(str.islower, text))
    yield from _if("shouting", upper > max(_FEWEST_CAPITALS, _SHOUTED * (upper + lower)))
    yield from _if("repeating", _repeats(words))


def markers_of_author(author: Author, name: View, links: Sequence[Link]) -> Iterator[str]:
    """Yield the markers of who says to have written it.

    `name` is the folded name, `links` what the website field leads to.
    """
    names = name.text.split()
    yield from _if("name-long", len(names) > _LONG_NAME)
    yield from _if("name-digits", _DIGITS.search(name.text))
    yield from _if("name-signs", _SIGNS.search(author.name))
    yield from _if("name-link", "http" in name.text or "www." in name.text)
    yield from _if("name-small", author.name and author.name == author.name.lower())
    local, domain = author.email.lower().rpartition("@")[0], domain_of(author.email)
    yield from _if("email-digits", len(_DIGITS.findall(local)) > _LONG_NAME)
    yield from _if("email-odd", _CONSONANTS.search(local))
    for link in links:
        host, _, path = link.target.partition("/")
        yield "url"
        yield from _if("url-path", path)
        yield from _if("url-digits", _DIGITS.search(host))
        yield from _if("url-hyphens", "-" in host)
        yield from _if("url-long", len(link.domain) > _LONG_HOST)
        yield from _if("email-of-url", domain and domain == link.domain)
        yield from _if(
            "name-in-url", any(len(part) > _LONG_NAME and part in host for part in names)
        )


def _if(marker: str, holds: object) -> Iterator[str]:
    if holds:
        yield marker


def _step(marker: str, number: int, steps: Sequence[int]) -> str:
    return f"{marker}:{sum(number >= step for step in steps)}"


def _repeats(words: Sequence[Word]) -> bool:
    """Whether some longer word makes up much of a text."""
    longer = Counter(word.text for word in words if len(word.text) > _LONG_NAME)
    return bool(longer) and max(longer.values()) > max(2, _OFTEN * len(words))
