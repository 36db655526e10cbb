"""The rules that ship, in the order in which their reasons are shown.

A rule notices one thing and says in one sentence why that matters. Rules only
ever hold a comment for a person to look at; none of them rejects.
"""

from collections.abc import Callable

from service.domain.verdict import Span
from worker.ruleset import Match, Rule
from worker.signals.comment import Signals
from worker.signals.text import control_characters

#: Points that hold a comment, by category.
THRESHOLDS = {"spam": 10, "abuse": 10, "policy": 10, "engine": 10}

_LINKS_OF_A_STRANGER = 1
_SAME_TEXT_AN_HOUR = 3
#: "Thank you very much!" is said by many; what is longer is copied.
_SHORTEST_REPETITION = 20
_SPANS_SHOWN = 20

#: The string that mail filters agreed on for trying them out.
_GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"


def several_links(signals: Signals) -> Match | None:
    """Notice link drops: two or more, the author's own address counting as one.

    Not an author whose comments people approved before.
    """
    count = len(signals.links) + bool(signals.author_link)
    if signals.has_record or count <= _LINKS_OF_A_STRANGER:
        return None
    return Match(count, _link_spans(signals))


def newcomer_link(signals: Signals) -> Match | None:
    """Notice a link in the text of somebody of whom nothing was approved yet.

    Not the address that the form itself asks for.
    """
    if signals.has_record or not signals.links:
        return None
    return Match(signals.links[0].domain, _link_spans(signals))


def listed(name: str) -> Callable[[Signals], Match | None]:
    """Return a check for the entries of the list `name`, as whole words in text or name."""

    def check(signals: Signals) -> Match | None:
        if not (hit := signals.listed(name)):
            return None
        found, span = hit
        return Match(found.entry, (span,))

    return check


def praise_with_address(signals: Signals) -> Match | None:
    """Notice praise that fits any site, left for the sake of the author's own address.

    Not praise by somebody who leaves none.
    """
    if signals.has_record or not signals.author_link:
        return None
    return listed("praise")(signals)


def listed_domain(signals: Signals) -> Match | None:
    """Notice links to what is known to be advertised by spam.

    Not other names at the same top-level domain.
    """
    if not (hit := signals.listed_domain()):
        return None
    domain, span = hit
    return Match(domain, (span,))


def same_text(signals: Signals) -> Match | None:
    """Notice a text that is posted over and over, by whomever.

    Not short courtesies, which many people say alike.
    """
    seen = signals.context.text_seen
    if seen is None or seen < _SAME_TEXT_AN_HOUR or len(signals.body.text) <= _SHORTEST_REPETITION:
        return None
    return Match(seen)


def honeypot(signals: Signals) -> Match | None:
    """Notice forms filled in by programs: readers do not see that field."""
    return Match() if signals.comment.honeypot_filled else None


def disposable_email(signals: Signals) -> Match | None:
    """Notice throw-away addresses: a hint only, since careful people use them too."""
    return Match() if signals.is_disposable else None


def undeliverable_email(signals: Signals) -> Match | None:
    """Notice addresses that take no mail: a hint only, since people mistype."""
    return Match() if signals.context.deliverable is False else None


def gtube(signals: Signals) -> Match | None:
    """Notice the test string, so that anybody can see the filter at work."""
    start = signals.comment.body.find(_GTUBE)
    if start < 0:
        return None
    return Match(spans=(Span("body", start, start + len(_GTUBE), view="raw"),))


def control_character(signals: Signals) -> Match | None:
    """Notice control characters that no keyboard types: a hint at a broken program."""
    places = control_characters(signals.comment.body)[:_SPANS_SHOWN]
    spans = tuple(Span("body", place, place + 1, view="raw") for place in places)
    return Match(spans=spans) if spans else None


def first_comment(signals: Signals) -> Match | None:
    """Notice people nobody knows yet, for sites that want to greet each in person."""
    return Match() if signals.is_first_of_stranger else None


def reviews_everything(signals: Signals) -> Match | None:
    """Notice that site or thread wants a person to look at every comment first."""
    return Match() if signals.context.reviews_everything else None


def _link_spans(signals: Signals) -> tuple[Span, ...]:
    return tuple(signals.link_span(link) for link in signals.links[:_SPANS_SHOWN])


RULES = (
    Rule("listed-word", "abuse", 10, "Contains a listed insult: {value}", listed("insults")),
    Rule("listed-phrase", "spam", 10, "Contains a listed advert: {value}", listed("spam-phrases")),
    Rule("listed-domain", "spam", 10, "Links to {value}, a listed spam domain", listed_domain),
    Rule("several-links", "spam", 10, "{value} links from an author without a proven record",
         several_links),
    Rule("newcomer-link", "spam", 6, "A link to {value} from an author with no approved comments",
         newcomer_link),
    Rule("praise-with-address", "spam", 10, "Praise that fits any site, with an address: {value}",
         praise_with_address),
    Rule("same-text", "spam", 10, "The same text came {value} times before within an hour",
         same_text),
    Rule("honeypot", "spam", 10, "Filled in a field that readers do not see", honeypot),
    Rule("disposable-email", "spam", 4, "Uses a throw-away e-mail address", disposable_email),
    Rule("undeliverable-email", "spam", 4, "The e-mail address takes no mail",
         undeliverable_email),
    Rule("control-characters", "spam", 4, "Contains invisible control characters",
         control_character),
    Rule("gtube", "spam", 10, "Contains the string for trying out spam filters", gtube),
    Rule("first-comment", "spam", 10, "The first comment of an author whom nobody vouches for",
         first_comment, mode="off"),
    Rule("site-reviews-every-comment", "policy", 10, "This site reviews every comment",
         reviews_everything),
)  # fmt: skip
