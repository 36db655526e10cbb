"""Whether e-mail domains take mail, as far as DNS tells in time.

Look-ups go on in background threads and fill a cache. A batch waits for them a
moment at most; what is not known then is absent from its evidence. Nobody waits
for a look-up that was waited for in vain already. While DNS gives no answers it
is left alone for a while.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from threading import Lock

import dns.exception
import dns.resolver
from email_validator import EmailUndeliverableError, caching_resolver
from email_validator.deliverability import validate_email_deliverability

_THREADS = 4
_MOST_IN_FLIGHT = 64
_MOST_CACHED = 10_000
#: What takes mail will tomorrow; what does not may be mended within the hour.
_KEEP_SECONDS = {True: 86_400.0, False: 3_600.0}
_LOOKUP_SECONDS = 2
_SILENT_ANSWERS = 5
_REST_SECONDS = 60.0

#: Returns whether a domain takes mail, None if that cannot be found out.
Lookup = Callable[[str], bool | None]


def look_up(domain: str) -> bool | None:
    """Return whether `domain` takes mail as DNS tells it, None if DNS is away."""
    try:
        answer = validate_email_deliverability(domain, domain, dns_resolver=_resolver())
    except EmailUndeliverableError as error:
        return _denial(domain, error.__cause__)
    except dns.exception.DNSException:
        return None
    return None if "unknown-deliverability" in answer else True


class MailServers:
    """Remembers which domains take mail, and finds out about new ones."""

    def __init__(
        self, lookup: Lookup = look_up, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mailservers")
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self._asked: dict[str, Future[None]] = {}
        self._late: set[str] = set()
        self._silent = 0
        self._rests_until = 0.0

    def deliverable(self, domains: Iterable[str], *, seconds: float) -> dict[str, bool]:
        """Return what is known of `domains` within `seconds`."""
        wanted = set(domains)
        asked = {domain: future for domain in wanted if (future := self._ask(domain))}
        awaited = {future for domain, future in asked.items() if domain not in self._late}
        if awaited and seconds > 0:
            wait(awaited, timeout=seconds)
            self._note_late(asked)
        return {domain: known for domain in wanted if (known := self._recall(domain)) is not None}

    def close(self) -> None:
        """Look nothing up any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _recall(self, domain: str) -> bool | None:
        with self._lock:
            takes_mail, until = self._known.get(domain, (None, 0.0))
        return takes_mail if self._clock() < until else None

    def _ask(self, domain: str) -> "Future[None] | None":
        """Have the domain looked up, unless that is known, under way, or pointless now."""
        if self._recall(domain) is not None:
            return None
        with self._lock:
            if domain in self._asked:
                return self._asked[domain]
            if self._clock() < self._rests_until or len(self._asked) >= _MOST_IN_FLIGHT:
                return None
            self._asked[domain] = self._threads.submit(self._find_out, domain)
            return self._asked[domain]

    def _find_out(self, domain: str) -> None:
        takes_mail = self._lookup(domain)
        with self._lock:
            self._asked.pop(domain, None)
            self._late.discard(domain)
            self._note_answer(heard=takes_mail is not None)
            if takes_mail is not None:
                self._known[domain] = takes_mail, self._clock() + _KEEP_SECONDS[takes_mail]
                self._known.move_to_end(domain)
            while len(self._known) > _MOST_CACHED:
                self._known.popitem(last=False)

    def _note_late(self, asked: Iterable[str]) -> None:
        with self._lock:
            self._late.update(domain for domain in asked if domain in self._asked)

    def _note_answer(self, *, heard: bool) -> None:
        self._silent = 0 if heard else self._silent + 1
        if self._silent >= _SILENT_ANSWERS:
            self._silent = 0
            self._rests_until = self._clock() + _REST_SECONDS


@cache
def _resolver() -> dns.resolver.Resolver:
    return caching_resolver(timeout=_LOOKUP_SECONDS)


def _denial(domain: str, cause: BaseException | None) -> bool | None:
    """Return False if DNS really denies that the domain takes mail.

    A resolver cut off from the world denies everything, even that `.com`
    exists; the library reports whatever else went wrong as a denial too.
    """
    if isinstance(cause, dns.resolver.NXDOMAIN):
        return False if _exists(domain.rpartition(".")[2]) else None
    return None if cause and not isinstance(cause, dns.resolver.NoAnswer) else False


def _exists(top_level: str) -> bool:
    try:
        _resolver().resolve(f"{top_level}.", "SOA")
    except dns.exception.DNSException:
        return False
    return True
