"""What is counted of a comment: who sent it, what it says and where it leads, as keyed hashes."""

from collections.abc import Iterable, Mapping
from functools import partial

from service.keyring import Keyring
from worker.ruleset.model import Countable
from worker.signals.comment import Signals
from worker.signals.repetition import fingerprint

#: Hashed values by what they are of; of links there may be several.
Subjects = Mapping[Countable, tuple[str, ...]]

#: Enough of a hash that no two things are taken for one.
_HASH_CHARACTERS = 32
#: Whoever posts more links than this is noticed by their number.
_MOST_DOMAINS = 20


def subjects(
    signals: Signals, kinds: Iterable[Countable], keyring: Keyring, campaign: str | None
) -> Subjects:
    """Return what of the comment is counted for these kinds; what it lacks is left out."""
    hashed = partial(_hashed, keyring)
    found = {kind: hashed(kind, _values(signals, kind, campaign)) for kind in kinds}
    return {kind: values for kind, values in found.items() if values}


def _values(signals: Signals, kind: Countable, campaign: str | None) -> list[str]:
    author = signals.comment.author
    match kind:
        case "ip":
            values = [author.ip or ""]
        case "email":
            values = [author.email.lower()]
        case "name":
            values = [fingerprint(signals.views("name")[0])]
        case "text":
            values = [fingerprint(signals.views("text")[0])]
        case "campaign":
            values = [campaign or ""]
        case "domain":
            links = (link for field in ("text", "name", "url") for link in signals.links(field))
            values = list(dict.fromkeys(link.domain for link in links))[:_MOST_DOMAINS]
    return [value for value in values if value]


def _hashed(keyring: Keyring, kind: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(keyring.hash(f"count-{kind}", value)[:_HASH_CHARACTERS] for value in values)
