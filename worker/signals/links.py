r"""Links: whatever a reader could follow or type into a browser.

One RE2 pass finds candidates, the public suffix list confirms them. Bare names
such as `cheap.xyz` count; addresses of mail, file names, version numbers and a
missing blank after a full stop do not.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import idna
import re2
from publicsuffixlist import PublicSuffixList

from worker.signals.text import View

#: After so many the exact number no longer matters, and hostile text stays cheap.
MAX_LINKS = 200
_MAX_CANDIDATES = 5_000
_MAX_HOST_CHARACTERS = 253
#: `U.S`, `a.m` and `J.R` are no hosts, and nobody owns `x.co.uk` by accident.
_SHORTEST_NAME = 2

# No counted repetition here: with one, RE2 gives up its fast automaton and a
# text without any link takes eighty times as long.
_LABEL = r"[\pL\pN][\pL\pM\pN_-]*"
_HIDDEN_DOT = r"\[\.\]|\(\.\)|\[dot\]|\(dot\)"
_DOT = rf"(?:\.|{_HIDDEN_DOT})"
_IP_ADDRESS = r"\d{1,3}(?:\.\d{1,3}){3}"
_CANDIDATE = (
    r"(?P<anchor>href *= *[\"']?|\[(?:url|link)(?: *= *[\"']?|\]))?"
    r"(?P<scheme>(?:https?|hxxps?|h\*\*ps?|ftp) ?(?::|\[:\]) ?//(?:[^\s/@<>\[\]]+@)?)?"
    rf"(?P<host>{_LABEL}(?:{_DOT}{_LABEL})+)\.?(?::\d{{1,5}})?"
    r"(?P<path>[/?#][^\s<>\"'\[\]]*)?"
)
_ANCHOR, _HOST = 1, 3

#: Endings of files that are top-level domains as well.
_FILE_ENDINGS = "bz cpp do go java md ml mov mp pl pm ps py rs sh so st tf vi zip"

#: Top-level domains that are everyday words: after a forgotten blank they make
#: no link unless something else does (a scheme, `www.`, a path).
_WORDS = """
able ad ai al all am an and ar are as at au auto ba be best bet bio black blue boo box buy by
call cam car care cat cool da dad date day deal dog dot eat er es fail fan farm fit fly foo
forum free fun games gay gift go gold got green help here homes hot house how il im in ing is
it je jobs kim la law let li life like lo love lu ma man me mean men mo mobi mom moi money mu
my na name ne new news ni no now nu off one only open or pa page pay people phone photo pink
place play plus prof read red ren rest rip run sa safe sale save say school se search select
sex share show si silk ski sky so social soy support talk team to today tube um us vote
wine work works world wow yes you
"""

_NO_HOSTS = frozenset(_FILE_ENDINGS.split()) | frozenset(_WORDS.split())

#: Endings that keyboards capitalise by themselves and that begin no sentence.
_ALWAYS_HOSTS = frozenset({"com", "net", "org"})

#: Names of software that are written like hosts.
_SOFTWARE = frozenset({"asp.net", "vb.net", "ado.net", "ml.net"})


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text: where it leads, and its place in the view.

    `domain` is the part that somebody registered, in ASCII; `target` host and
    path, by which two spellings of one link are known to be the same.
    """

    domain: str
    target: str
    start: int
    end: int
    disguised: bool = False


def find_links(view: View) -> tuple[Link, ...]:
    """Return the links in the text, each target once, at most MAX_LINKS."""
    found: dict[str, Link] = {}
    for match in islice(_candidates().finditer(view.text), _MAX_CANDIDATES):
        if link := _confirmed(match, view):
            found.setdefault(link.target, link)
            if len(found) == MAX_LINKS:
                break
    return tuple(found.values())


def link_of(address: str) -> Link | None:
    """Return the link that an address field holds, with or without a scheme."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return None
    domain = registered_domain(host)
    return Link(domain, _target(host, ""), 0, len(address)) if domain else None


@lru_cache(maxsize=4_096)
def registered_domain(host: str) -> str | None:
    """Return the part of `host` that somebody registered, or None if it cannot exist."""
    if len(host) > _MAX_HOST_CHARACTERS:
        return None
    ascii_host = _ascii(host)
    if ascii_host is None or not _suffixes().publicsuffix(ascii_host):
        return None
    # Where the host is itself a suffix (a hosting company's), it stands for itself.
    return _suffixes().privatesuffix(ascii_host) or ascii_host


def _confirmed(match: Any, view: View) -> Link | None:
    host = re2.sub(_HIDDEN_DOT, ".", match["host"])
    domain = registered_domain(host)
    if domain is None or "." not in host:
        return _address(match, host) if match["scheme"] else None
    if not _is_followed(match, host) and _is_prose(match, host, domain, view):
        return None
    return Link(domain, _target(host, match["path"]), *_span(match))


def _span(match: Any) -> tuple[int, int]:
    return match.end(_ANCHOR) if match["anchor"] else match.start(), match.end()


def _is_followed(match: Any, host: str) -> bool:
    """Whether the writing says by itself that this is a link."""
    return bool(match["scheme"] or match["anchor"]) or host.startswith("www.")


def _is_prose(match: Any, host: str, domain: str, view: View) -> bool:
    """Whether a bare name is more likely an address of mail, a file, or two sentences."""
    if _beside_at(view.text, *match.span()):
        return True
    if match["path"] and len(match["path"]) > 1:
        return False
    name, _, suffix = domain.partition(".")
    if suffix in _NO_HOSTS or domain in _SOFTWARE:
        return True
    return len(name) < _SHORTEST_NAME or _starts_sentence(match, suffix, view)


def _starts_sentence(match: Any, suffix: str, view: View) -> bool:
    """Whether the ending is written like the first word of a sentence: `end.Online shops`."""
    if suffix in _ALWAYS_HOSTS:
        return False
    end = match.end(_HOST)
    ending = view.source(match.start(_HOST), end).rpartition(".")[2]
    return ending[:1].isupper() and not ending.isupper()


def _beside_at(text: str, start: int, end: int) -> bool:
    return text[start - 1 : start] == "@" or text[end : end + 1] == "@"


def _address(match: Any, host: str) -> Link | None:
    """Return the link to a bare IP address, which has no registered domain."""
    if not re2.fullmatch(_IP_ADDRESS, host):
        return None
    return Link(host, _target(host, match["path"]), *_span(match))


def _target(host: str, path: str | None) -> str:
    return host.removeprefix("www.") + (path or "").rstrip("/.,;:!?)*'")


def _ascii(host: str) -> str | None:
    if host.isascii():
        return host
    # A label at a time: an ending that does not exist is found out cheaply.
    try:
        ending = idna.encode(host.rpartition(".")[2]).decode()
        return idna.encode(host, uts46=True).decode() if _suffixes().publicsuffix(ending) else None
    except idna.IDNAError:
        return None


@cache
def _candidates() -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(_CANDIDATE, options)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
