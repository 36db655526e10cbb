r"""Links: whatever a reader could follow or type into a browser, and addresses of mail.

One RE2 pass finds candidates, the public suffix list confirms them. Bare names
such as `cheap.xyz` count; file names, version numbers and a missing blank after
a full stop do not. What only a reader can put together is looked for in further
passes, where something asks for them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import idna
import re2
from publicsuffixlist import PSLFILE, PublicSuffixList, encode_idn

from worker.signals.characters import is_mixed
from worker.signals.view import View

#: After so many the exact number no longer matters, and hostile text stays cheap.
MAX_LINKS = 200
_MAX_HOST_CHARACTERS = 253
#: `U.S`, `a.m` and `J.R` are no hosts, and nobody owns `x.co.uk` by accident.
_SHORTEST_NAME = _INITIALS = 2

# No counted repetition and no groups here: with either RE2 gives up its fast
# automaton, and a text without any link takes eighty times as long.
_LABEL = r"[\pL\pN][\pL\pM\pN_-]*"
_BRACKETED = r"[\[({{] ?{} ?[\])}}]"
_HIDDEN_DOT = rf" ?{_BRACKETED.format('(?:[.]|dot)')} ?|。"
_HOST = rf"{_LABEL}(?:(?:\.|{_HIDDEN_DOT}){_LABEL})+"
_ANCHOR = r"(?:href *= *[\"']?|\[(?:url|link)(?: *= *[\"']?|\])|\]\()"
_SCHEME = r"(?:https?|hxxps?|h\*\*ps?|ftp) ?(?::|\[:\]) ?(?://|\\\\)"
_USER = r"[^\s/\\?#@<>\[\]]+@"
_PATH = r"(?:[/\\?#][^\s<>\"'\[\]]*)?"
_PORT = r"(?::\d+)?"
_CANDIDATE = rf"{_ANCHOR}?(?:{_SCHEME}(?:{_USER})?)?{_HOST}\.?{_PORT}{_PATH}"
#: Hosts that only a scheme makes such: a number, or an address in brackets.
_NUMBERED = rf"{_SCHEME}(?:{_USER})?(?:0x[0-9a-f]+|\d+|\[[0-9a-f:.]+\]){_PORT}{_PATH}"

#: A dot in words or drawn otherwise, before endings that make no sense else.
_DOT_SAID = r"(?: +dot +| \. ?|[·•∙]| +(?:punkt|punto|ponto|точка) +)"
_SAID = (
    rf"{_LABEL}(?:\.{_LABEL})*{_DOT_SAID}"
    rf"(?:com|net|org|info|ru|ру|xyz|top|online|site|shop|club|biz|io){_PATH}"
)
#: What a candidate consists of, taken apart without going back.
_OPENING = re.compile(f"({_ANCHOR})?(?:({_SCHEME})({_USER.replace('+@', '++@')})?)?")
_HOST_END = re.compile(r"\.?(?:[/\\?#]|:\d|$)")
_SAID_DOT = re.compile(_DOT_SAID)
#: What no candidate lacks, which most texts do. One class of characters comes first here,
#: as in all that is looked for in every text: those are passed over soonest.
_MAY_BE_LINK = re.compile(r"[.。\[({](?:(?<=。)|(?<=\.)\S|(?<![.。]) ?(?:\.|dot))")
_MAY_BE_SAID = re.compile(r"[ ·•∙](?:(?<! )|\.|(?:dot|p[ou]n[kt]t?[ot]|точка) )")
#: What follows where an ending is spoken of, and no address given: `German .info domains`.
_OF_ENDINGS = re.compile(
    r" +(?:domain|domän|domein|dominio|domaine|домен|address|adress|адрес|site|сайт|zone|зон|name"
    r"|ending|endung|suffix|bubble|boom|crash|era|compan|start-?up|develop|framework|program)"
)
#: Endings that are words: after a blank put before a full stop they begin a sentence.
_ENDINGS_IN_PROSE = frozenset({"top", "online", "site", "shop", "club"})
#: Words before `dot com` that make it a word itself.
_NO_NAMES = frozenset(
    {"the", "a", "an", "any", "every", "this", "that", "of", "in", "and", "or", "with", "for"}
    | {"use", "using", "microsoft", "late", "early", "old", "big", "all", "no", "from", "by", "is"}
)

_AT = rf"@| ?{_BRACKETED.format('(?:@|at)')} ?"
_MAIL = rf"[\pL\pN][\pL\pN._%+-]*(?:{_AT}){_HOST}"
_AT_SIGN = re.compile(_AT)
_MAY_BE_MAIL = re.compile(r"@|[\[({] ?at ?[\])}]")
_AT_BEFORE = re.compile(r"(?:@|[\[({] ?at ?[\])}] ?)$")
_LONGEST_AT = 7

_PLAIN_HOST = re.compile(r"[^\[({。 ]+")
_PATH_START = re.compile(r"[/\\?#]")
_MORE_OF_HOST = re.compile(r"[\w'-]|\.\w")
_IP_PARTS, _BYTE, _LONGEST_NUMBER = 4, 255, 12

_OPEN_SCHEMES = ("http://", "https://", "ftp://")
_AFTER_LINKS = ".,;:!?*'\"…»”)"

#: Endings of files that are top-level domains as well.
_FILES = "bz cpp do go java md ml mov mp pl pm ps py rs sh so st tf vi zip"
_FILE_ENDINGS = frozenset(_FILES.split())

#: Top-level domains that are everyday words of some language: after a forgotten
#: blank they make no link unless something else does (a scheme, `www.`, a path).
#: Not those that spam is known to buy: click, club, download, live, online, shop ...
_WORDS = """
able ac academy ad ads ai al all am an and apple ar are army art arte as asia at au author auto
autos ba baby band bank bar bargains be beauty beer best bet bi bible bike bio black blue boats
bom book boo boutique box broker brother build builders business buy by ca cafe cal call cam
camera camp capital car care career careers cars casa case cash cat catering center ceo charity
chase chat cheap christmas church ci circle city claims cleaning clothing coach codes coffee
college community company compare computer construction contact cool country coupon courses
credit cruise da dad dance data dating day deal dealer deals degree delivery dental design
diamonds diet digital direct directory discount discover dish doctor dog domains dot drive du
earth eat edu education email energy engineer er es estate et events exchange expert exposed
express fail faith family fan fans farm farmers fashion fast feedback fi film final finance
financial fire fish fishing fit fitness flights flowers fly foo food football forsale forum
foundation free frontier fun fund furniture futbol gallery game games garden gay gent gift gifts
gives giving glass global go gold got gov graphics gratis green group guide guitars guru hair
health healthcare help here holiday homes horse hospital host hosting hot hotel hotels house how
hu ice id il im immo in inc industries ing ink institute insurance insure international
investments irish is it jetzt jewelry jobs joy juegos kaufen ki kids kim kitchen kiwi la land
lat latino law lawyer lease legal let li life lifestyle lighting like limited living lo loan
loans locker lol london love lu luxury ma maison man management map market marketing markets me
mean med media meet memorial men menu mil mint mo mobi mobile moda moi mom money monster mortgage
motorcycles mov movie mu museum music my na name navy ne network new news next ng ni no now nu
off observer office om one onion only open or orange organic origins pa page partners parts party
pay people pet pharmacy phone photo photography photos pictures pid pin ping pink pizza place
play plumbing plus poker porn post press prime pro prod productions prof progressive promo
properties property protection qa quest racing radio read recipes red rehab reise reisen reliance
ren rent rentals repair report republican rest restaurant review reviews rich rip rocks rodeo
room rugby run sa safe safety sale salon save say scholarships school schule science seat secure
security se search seek select services seven sew sex sexy share sharp shell shoes shopping show
si silk singles ski skin sky sling smart smile sn so soccer social software solar solutions song
soy spa space sport spot sr st stada staples star stockholm storage store stream studio study
style su sucks supplies supply support surf surgery swiss systems ta talk target tattoo tax taxi
te team tech technology tel tennis theater theatre tickets tips tires to today tools total tours
town toys trade trading training travel trust tube tunes tv um uno university us va vacations ve
ventures vet vi video villas vin vision viva vote voting voto voyage vu wales wang watch watches
weather web website wed wedding whoswho wiki win wine winners work works world wow yachts ye yes
yoga you za zero zone
"""

_NO_HOSTS = _FILE_ENDINGS | frozenset(_WORDS.split())

#: Endings that keyboards capitalise by themselves and that begin no sentence.
_ALWAYS_HOSTS = frozenset({"com", "net", "org"})

#: Names of software that are written like hosts.
_SOFTWARE = frozenset({"asp.net", "vb.net", "ado.net", "ml.net"})


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text: where it leads, and its place in the view.

    `domain` is the part that somebody registered, in ASCII; `target` host and
    path, by which two spellings of one link are known to be the same.
    `disguised` links are written so that a reader must repair them first, or
    would take them for others: `evil[.]com`, a number for a host, a host of
    mixed alphabets.
    """

    domain: str
    target: str
    start: int
    end: int
    disguised: bool = False


@dataclass(frozen=True, slots=True)
class MailAddress:
    """An address of mail in a text, in ordinary writing, and its place in the view."""

    address: str
    domain: str
    start: int
    end: int
    disguised: bool = False


def find_links(view: View) -> tuple[Link, ...]:
    """Return the links in the text in order, each target once, at most MAX_LINKS."""
    found: dict[str, Link] = {}
    for link in _all_links(view):
        found.setdefault(link.target, link)
        if len(found) == MAX_LINKS:
            break
    return tuple(sorted(found.values(), key=lambda link: link.start))


def find_mail_addresses(view: View) -> tuple[MailAddress, ...]:
    """Return the addresses of mail in the text in order, each once, at most MAX_LINKS."""
    found: dict[str, MailAddress] = {}
    for match in _matches(_MAIL, view) if _MAY_BE_MAIL.search(view.text) else ():
        local, written = _AT_SIGN.split(match[0], maxsplit=1)
        host = _repaired(written)
        if domain := registered_domain(host):
            (start, end), address = match.span(), f"{local}@{host}"
            is_disguised = len(address) != end - start
            found.setdefault(address, MailAddress(address, domain, start, end, is_disguised))
            if len(found) == MAX_LINKS:
                break
    return tuple(found.values())


def link_of(address: str) -> Link | None:
    """Return the link that an address field holds, with or without a scheme."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return None
    domain = registered_domain(host) or ("//" in address and _ip_address(host))
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


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What may be a link, taken apart; `start` and `end` without what opens or follows it."""

    start: int
    end: int
    host_start: int
    scheme: str
    user: str
    host: str
    path: str
    has_anchor: bool
    goes_on: bool


def _all_links(view: View) -> Iterator[Link]:
    """Yield the links that each pass finds."""
    for match in _matches(_CANDIDATE, view) if _MAY_BE_LINK.search(view.text) else ():
        if link := _confirmed(_taken_apart(match), view):
            yield link
    if "//" in view.text or "\\\\" in view.text:
        for match in _matches(_NUMBERED, view):
            candidate = _taken_apart(match)
            if not candidate.goes_on and (link := _by_number(candidate)):
                yield link
    if _MAY_BE_SAID.search(view.text):
        for match in _matches(_SAID, view):
            speaks_of_it = _OF_ENDINGS.match(match.string, match.end())
            if not speaks_of_it and (link := _said(_taken_apart(match))):
                yield link


def _taken_apart(match: Any) -> _Candidate:
    (start, end), written = match.span(), match[0]
    opening = _OPENING.match(written)
    anchor, scheme, user = opening.groups(default="") if opening else ("", "", "")
    host_start = len(anchor) + len(scheme) + len(user)
    after = written.find("]", host_start) + 1 if written.startswith("[", host_start) else host_start
    host_end = _HOST_END.search(written, after)
    stop = host_end.start() if host_end else len(written)
    path_start = _PATH_START.search(written, stop)
    path = written[path_start.start() :] if path_start else ""
    kept = _without_rest(path)
    return _Candidate(
        start=start + len(anchor),
        end=end - len(path) + len(kept),
        host_start=start + host_start,
        scheme=scheme,
        user=user,
        host=written[host_start:stop],
        path=kept,
        has_anchor=bool(anchor),
        goes_on=not path and bool(_MORE_OF_HOST.match(match.string, end)),
    )


def _without_rest(path: str) -> str:
    """Return a path without the punctuation of the sentence that it stands in."""
    kept = path.rstrip(_AFTER_LINKS)
    if path[len(kept) :].startswith(")") and kept.count("(") > kept.count(")"):
        kept += ")"
    return kept


def _confirmed(candidate: _Candidate, view: View) -> Link | None:
    host = _repaired(candidate.host)
    domain = registered_domain(host)
    if domain is None or "." not in host:
        return _by_number(candidate) if candidate.scheme else None
    if "。" in candidate.host and not host.isascii():
        return None  # the end of a Chinese sentence
    if not _is_followed(candidate, domain) and _is_prose(candidate, domain, view):
        return None
    is_clear = host == candidate.host and not any(map(is_mixed, host.split(".")))
    return _link(candidate, host, domain, disguised=not is_clear)


def _by_number(candidate: _Candidate) -> Link | None:
    """Return the link to an address in numbers, which has no registered domain."""
    address = _ip_address(candidate.host)
    if address is None:
        return None
    return _link(candidate, address, address, disguised=address != candidate.host.strip("[]"))


def _said(candidate: _Candidate) -> Link | None:
    """Return the link of which a dot was said in words."""
    name, ending = _SAID_DOT.split(candidate.host, maxsplit=1)
    if candidate.goes_on or name in _NO_NAMES or len(name) < _SHORTEST_NAME:
        return None
    if "." in name and registered_domain(name):
        return None  # a link, and a sentence after it
    if candidate.host.endswith(f" .{ending}") and ending in _ENDINGS_IN_PROSE:
        return None
    domain = registered_domain(f"{name}.{ending}")
    if domain in _SOFTWARE:
        return None
    return _link(candidate, f"{name}.{ending}", domain, disguised=True) if domain else None


def _link(candidate: _Candidate, host: str, domain: str, *, disguised: bool) -> Link:
    is_open = candidate.scheme in ("", *_OPEN_SCHEMES) and "." not in candidate.user
    target = _target(host, candidate.path)
    return Link(domain, target, candidate.start, candidate.end, disguised or not is_open)


def _is_followed(candidate: _Candidate, domain: str) -> bool:
    """Whether the writing says by itself that this is a link."""
    if candidate.scheme or candidate.host.startswith("www."):
        return True
    return candidate.has_anchor and domain.partition(".")[2] not in _FILE_ENDINGS


def _is_prose(candidate: _Candidate, domain: str, view: View) -> bool:
    """Whether a bare name is more likely an address of mail, a file, or two sentences."""
    if _beside_at(view.text, candidate.start, candidate.end):
        return True
    if len(candidate.path) > 1:
        return False
    name, _, suffix = domain.partition(".")
    if suffix in _NO_HOSTS or domain in _SOFTWARE:
        return True
    return len(name) < _SHORTEST_NAME or _starts_sentence(candidate, suffix, view)


def _starts_sentence(candidate: _Candidate, suffix: str, view: View) -> bool:
    """Whether the ending is written like the first word of a sentence: `end.Online shops`."""
    if suffix in _ALWAYS_HOSTS:
        return False
    start = candidate.host_start
    name, _, ending = view.source(start, start + len(candidate.host)).rpartition(".")
    if len(ending) == _INITIALS and ending.isupper():
        return not name.isupper()  # `Sorry.SB` is signed
    return ending[:1].isupper() and not ending.isupper()


def _beside_at(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _LONGEST_AT) : start]
    return bool(_AT_BEFORE.search(before)) or text[end : end + 1] == "@"


def _target(host: str, path: str) -> str:
    return host.removeprefix("www.") + path.rstrip("/")


def _repaired(host: str) -> str:
    """Return a host with ordinary dots."""
    return host if _PLAIN_HOST.fullmatch(host) else re2.sub(_HIDDEN_DOT, ".", host)


def _ip_address(host: str) -> str | None:
    """Return an IP address in its usual form, whatever numbers a browser takes for it."""
    if host.startswith("["):
        try:
            return str(IPv6Address(host.strip("[]")))
        except AddressValueError:
            return None
    try:
        *first, last = [_number(part) for part in host.split(".")]
    except ValueError:
        return None
    if len(first) > _IP_PARTS - 1 or any(part > _BYTE for part in first):
        return None
    if last >= 256 ** (_IP_PARTS - len(first)):
        return None
    value = sum(part << 8 * (_IP_PARTS - 1 - place) for place, part in enumerate(first)) + last
    return str(IPv4Address(value))


def _number(written: str) -> int:
    """Return a part of an address, in the base that browsers read it in."""
    if len(written) > _LONGEST_NUMBER or not written.isascii():
        raise ValueError(written)
    if written.startswith("0x"):
        return int(written, 16)
    return int(written, 8 if written.startswith("0") else 10)


def _ascii(host: str) -> str | None:
    if host.isascii():
        return host
    # A label at a time: an ending that does not exist is found out cheaply.
    try:
        ending = idna.encode(host.rpartition(".")[2]).decode()
        return idna.encode(host, uts46=True).decode() if _suffixes().publicsuffix(ending) else None
    except idna.IDNAError:
        return None


def _matches(pattern: str, view: View) -> Iterator[Any]:
    found: Iterator[Any] = _compiled(pattern).finditer(view.text)
    return found


@cache
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(_suffix_rules(), accept_unknown=False, accept_encoded_idn=False)


def _suffix_rules() -> Iterator[str]:
    """Yield the lines of the public suffix list, those of other letters in punycode too.

    The library would encode all of them, ten thousand plain ones among them.
    """
    for line in Path(PSLFILE).read_text(encoding="utf-8").splitlines():
        yield line
        if not line.isascii() and not line.startswith("//"):
            exception = "!" * line.startswith("!")
            yield exception + encode_idn(line.removeprefix("!"))
