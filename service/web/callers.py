"""Who calls: site keys, the origins from which public keys work, visitor addresses."""

import time
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from socket import AF_INET, inet_pton
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Request, request
from structlog.contextvars import bind_contextvars
from werkzeug.exceptions import Forbidden, Unauthorized

from service.domain.site import Caller, KeyKind
from service.keyring import Keyring, digest
from service.settings import Network
from service.storage import Store
from service.storage.sites import caller_by_key, list_sites

if TYPE_CHECKING:
    from service.web.context import Services

#: A key that was just looked up is believed for this long, so that a revoked
#: key works at most a second longer.
_REMEMBERED_SECONDS = 1.0
_REMEMBERED_KEYS = 1_000


class KeyDirectory:
    """Looks keys and origins up in the record and remembers them for a second."""

    def __init__(self, store: Store, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._callers: dict[str, tuple[float, Caller | None]] = {}
        self._origins: tuple[float, frozenset[str]] = (0.0, frozenset())

    def caller(self, key: str) -> Caller | None:
        """Return who holds `key`, or None."""
        name = digest(key)
        until, caller = self._callers.get(name, (0.0, None))
        if time.monotonic() < until:
            return caller
        with self._store.read() as db:
            caller = caller_by_key(db, key, keyring=self._keyring, now=self._clock())
        if len(self._callers) >= _REMEMBERED_KEYS:
            self._callers.clear()
        self._callers[name] = (time.monotonic() + _REMEMBERED_SECONDS, caller)
        return caller

    def knows_origin(self, origin: str) -> bool:
        """Whether any site allows posts by public key from `origin`."""
        until, origins = self._origins
        if time.monotonic() >= until:
            with self._store.read() as db:
                origins = frozenset(o for site in list_sites(db) for o in site.origins)
            self._origins = (time.monotonic() + _REMEMBERED_SECONDS, origins)
        return origin in origins


def bearer_token() -> str | None:
    """Return what stands behind `Authorization: Bearer`, or None."""
    scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def require_site_key(services: "Services", form_key: str | None = None) -> Caller:
    """Return the caller by server or public key; the latter from its origins only.

    `form_key` is the key that a plain HTML form carries as a field, as it can
    set no header. Aborts with 401 or 403.
    """
    key = bearer_token() or form_key
    caller = services.keys.caller(key) if key else None
    if caller is None or caller.kind is KeyKind.AKISMET:
        raise Unauthorized("A valid site key is needed.")
    if not caller.trusted and not _from_own_origin(caller, services):
        raise Forbidden("This public key works only from its site's own pages.")
    bind_contextvars(site=caller.site.slug)
    return caller


def require_server_key(services: "Services") -> Caller:
    """Return the caller by server key. Aborts with 401 or 403."""
    key = bearer_token()
    caller = services.keys.caller(key) if key else None
    if caller is None or caller.kind is KeyKind.AKISMET:
        raise Unauthorized("A valid server key is needed.")
    if not caller.trusted:
        raise Forbidden("A public key may only post comments and reports.")
    bind_contextvars(site=caller.site.slug)
    return caller


def origin_of(url: str) -> str | None:
    """Return scheme://host[:port] of a http(s) URL, or None if it has none."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        default = {"http": 80, "https": 443}[parts.scheme]
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        port = "" if parts.port in (None, default) else f":{parts.port}"
    except ValueError:
        return None
    return f"{parts.scheme}://{host}{port}"


def visitor_address(proxies: tuple[Network, ...], source: Request | None = None) -> str | None:
    """Return the address of whoever made this request.

    The peer's own, unless the peer is a trusted proxy: then the right-most
    entry of X-Forwarded-For that is not a trusted proxy itself.
    """
    received = source or request
    address = received.remote_addr
    forwarded = received.headers.get("X-Forwarded-For", "").split(",")
    while address and forwarded and _is_in(address, proxies):
        entry = normal_address(forwarded.pop().strip())
        if entry is None:
            break
        address = entry
    return normal_address(address) if address else None


def normal_address(text: str) -> str | None:
    """Return an IP address in its usual spelling, or None if `text` is none.

    IPv4 addresses that are written as IPv6 become IPv4; zones are refused.
    """
    if _is_ipv4(text):
        return text
    if "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _is_ipv4(text: str) -> bool:
    """Whether `text` is four numbers as they are usually spelled; the C library tells fast."""
    try:
        inet_pton(AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    normal = normal_address(address)
    return normal is not None and any(ip_address(normal) in network for network in networks)


def _from_own_origin(caller: Caller, services: "Services") -> bool:
    sent = request.headers.get("Origin") or origin_of(request.headers.get("Referer", ""))
    # Our own pages offer a refused form again, so our own origin counts as the site's.
    own = origin_of(services.settings.base_url)
    return sent is not None and (sent in caller.site.origins or sent == own)
