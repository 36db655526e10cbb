"""One request to an address that somebody typed: guarded, bounded, never redirected.

The name is looked up once, every address that it has is checked, and the
connection goes to one that was checked: a name that changes in between leads
nowhere else.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Thread, Timer
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from service.settings import Network

_PORTS = {"http": 80, "https": 443}
#: Networks of IPv6 that carry an address of IPv4, and by how many bits it is shifted.
_CARRIERS = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
#: Networks that Python takes for public, or did in some version, and that lead to no
#: server that we should call: of special purpose, or a way into other networks.
_NOT_PUBLIC = (
    IPv4Network("192.0.0.0/24"),  # assignments of protocols
    IPv4Network("192.88.99.0/24"),  # relays from IPv6 to IPv4
    IPv4Network("198.18.0.0/15"),  # measuring
    IPv6Network("::/96"),  # addresses of IPv4 as once written
    IPv6Network("64:ff9b:1::/48"),  # local translation
    IPv6Network("100::/64"),  # leads nowhere
    IPv6Network("2001::/23"),  # assignments of protocols, tunnels among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
    IPv6Network("5f00::/16"),  # segment routing
    IPv6Network("fec0::/10"),  # local to a site
)


class Unsendable(Exception):
    """Nothing may be sent to this address; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status, or in `error` why there is none.

    `retry_after` are the seconds that the receiver asks to be left alone.
    """

    status: int | None
    took_ms: int
    error: str = ""
    retry_after: float | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a request may take in all, and which private networks it may reach.

    Of the answer at most `body_bytes` are read.
    """

    seconds: float
    networks: tuple[Network, ...] = ()
    body_bytes: int = 0


def post(url: str, body: bytes, headers: Mapping[str, str], bounds: Bounds) -> Answer:
    """Post `body` and return what came of it; nothing is raised, nothing tried twice."""
    started = monotonic()
    late = [False]
    try:
        with _connection(checked_url(url), bounds, late) as connection:
            connection.request("POST", _target(url), body, dict(headers))
            response = connection.getresponse()
            read = response.read(bounds.body_bytes) if bounds.body_bytes else b""
            return Answer(response.status, _ms(started), "", _retry_after(response), body=read)
    except Unsendable as error:
        return Answer(None, _ms(started), str(error))
    # What a receiver sends can break the parser in more ways than it names.
    except (OSError, HTTPException, ValueError) as error:
        why = f"no answer within {bounds.seconds:g} s" if late[0] else _told(error)
        return Answer(None, _ms(started), why)


def checked_url(url: str) -> SplitResult:
    """Return the parts of an address to which something may be sent; raise Unsendable."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for ports that are none
    except ValueError as error:
        raise Unsendable("the address is not valid") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Unsendable("the address must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise Unsendable("the address must not hold a password")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Unsendable("the address must be plain ASCII")
    return parts


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet, however it is written."""
    inner = _unwrapped(address)
    if inner.is_multicast or inner.is_reserved or any(inner in some for some in _NOT_PUBLIC):
        return False
    return inner.is_global


def may_reach(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    """Whether a request may go to the address: a public one, or one of `networks`."""
    return is_public(address) or any(_unwrapped(address) in network for network in networks)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv6Address):
        for network, shift in _CARRIERS:
            if address in network:
                return IPv4Address(int(address) >> shift & 0xFFFF_FFFF)
    return address


@contextmanager
def _connection(parts: SplitResult, bounds: Bounds, late: list[bool]) -> Iterator[HTTPConnection]:
    """Give a connection that is cut when its time is up, whatever it is doing then."""
    assert parts.hostname is not None, "it was checked"
    deadline = monotonic() + bounds.seconds
    port = parts.port or _PORTS[parts.scheme]
    addresses = _addresses(parts.hostname, port, bounds)
    plain = _connected(addresses, port, deadline)
    # A second handle, so that cutting does not depend on what the first is in the middle of.
    with plain.dup() as handle:

        def cut() -> None:
            late[0] = True
            try:
                handle.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed by the other side already

        timer = Timer(max(0.0, deadline - monotonic()), cut)
        timer.daemon = True
        timer.start()
        connection = HTTPConnection(parts.hostname, port)
        try:
            connection.sock = plain
            connection.auto_open = 0  # it never connects by itself, unguarded
            if parts.scheme == "https":
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(plain, server_hostname=parts.hostname)
                connection.default_port = _PORTS["https"]
            yield connection
        finally:
            timer.cancel()
            connection.close()


def _addresses(host: str, port: int, bounds: Bounds) -> list[str]:
    """Return the host's addresses; raise Unsendable if one of them is not allowed."""
    try:
        addresses = _looked_up(host, port).result(bounds.seconds)
    except TimeoutError as error:
        raise Unsendable("the host's address was not found in time") from error
    except (OSError, UnicodeError) as error:
        raise Unsendable("the host has no address") from error
    if not all(may_reach(ip_address(address), bounds.networks) for address in addresses):
        raise Unsendable("the host has a private address, which WEBHOOK_NETWORKS does not allow")
    return addresses


def _looked_up(host: str, port: int) -> "Future[list[str]]":
    """Have the host's addresses looked up aside: the system's resolver knows no bound."""
    answer: Future[list[str]] = Future()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([str(where[0]).partition("%")[0] for *_, where in found])
        except Exception as error:  # whoever waits is told
            answer.set_exception(error)

    Thread(target=look_up, name="look-up", daemon=True).start()
    return answer


def _connected(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """Return a connection to the first of the addresses that takes one."""
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            plain = socket.create_connection((address, port), max(0.1, deadline - monotonic()))
        except OSError as error:
            failure = error
        else:
            # From here on the deadline cuts it.
            plain.settimeout(None)
            return plain
    raise failure


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _retry_after(response: HTTPResponse) -> float | None:
    told = response.getheader("Retry-After") or ""
    return float(told) if told.isdecimal() and len(told) < 9 else None


def _told(error: Exception) -> str:
    """Return in few words what went wrong; what the receiver sent is not repeated."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not valid: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"
    return f"no proper answer ({type(error).__name__})"


def _ms(started: float) -> int:
    return round((monotonic() - started) * 1000)
