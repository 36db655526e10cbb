"""The postman: carries what is due to an endpoint, and notes down what came of it.

One at a time goes to each endpoint, so that messages about a comment arrive in
order and a site with many of them is not flooded. An endpoint that fails is
left alone for a while; the messages themselves are tried again over three days.
"""

import json
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event, Lock
from time import monotonic

import structlog
from sqlalchemy import Connection

from service import __version__
from service.domain.clock import utc_now
from service.domain.errors import StoreUnavailable
from service.domain.webhook import Delivery, Endpoint, Message, MessageState
from service.keyring import Keyring
from service.moderation.turns import turn
from service.settings import Settings
from service.storage import Store, outbox
from service.storage.outbox import Attempt
from service.webhooks.callbacks import tell_callbacks
from service.webhooks.sending import Answer, Bounds, post
from service.webhooks.signing import signed_headers

#: Seconds from one attempt to the next; ten attempts within three days.
INTERVALS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000)
#: How much later than that an attempt may be, so that not all come at once.
_JITTER = 0.1
#: Seconds for which an endpoint is left alone after so many failures in a row.
_RESTS = (5, 20, 60, 300)
#: The longest rest that a receiver may ask for.
_LONGEST_REST = 86_400.0
#: From so many failures in a row on it was the endpoint, not one message, and
#: everything that waits is due as soon as it answers again.
_OUTAGE = 2

#: Messages carried in one go, and the seconds after which a go ends.
_BATCH = 50
_GO_SECONDS = 20.0
_MOST_ENDPOINTS_AT_ONCE = 16
#: Longer than telling one batch of late verdicts takes at the worst.
_CALLBACKS_SECONDS = 900.0

_GONE = 410
_TOO_BUSY = frozenset({408, 425, 429})

log = structlog.get_logger(__name__)


class Postman:
    """Delivers to endpoints, several at the same time, each by one thread."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._settings = settings
        self._bounds = Bounds(settings.webhook_timeout, settings.webhook_networks)
        self._clock = clock
        self._threads = ThreadPoolExecutor(_MOST_ENDPOINTS_AT_ONCE, "postman")
        self._busy: set[int] = set()
        self._lock = Lock()
        self._stopping = Event()

    def send_out(self, endpoints: Sequence[int]) -> None:
        """Have what is due carried to these endpoints; return without waiting for it."""
        for endpoint_id in endpoints:
            with self._lock:
                if endpoint_id in self._busy:
                    continue
                self._busy.add(endpoint_id)
            self._threads.submit(self._go, endpoint_id)

    def call_back(self) -> None:
        """Have late verdicts told to those who wait for them; return without waiting for it."""
        self._threads.submit(self._call_back)

    def close(self) -> None:
        """Finish the attempts under way; what is left stays due."""
        self._stopping.set()
        self._threads.shutdown()
        self._store.close()

    def deliver(self, endpoint_id: int) -> int:
        """Carry what is due to the endpoint; return how many messages arrived.

        Nothing is done while another process is at it. Raises StoreUnavailable
        while the database is away.
        """
        arrived = 0
        seconds = _GO_SECONDS + 2 * self._bounds.seconds
        ends = monotonic() + _GO_SECONDS
        with turn(self._store, f"webhook:{endpoint_id}", seconds) as ours:
            while ours and not self._stopping.is_set() and monotonic() < ends:
                attempts = self._batch(endpoint_id, ends)
                arrived += sum(each.state is MessageState.DELIVERED for each in attempts)
                if not attempts or attempts[-1].state is not MessageState.DELIVERED:
                    break
        return arrived

    def _go(self, endpoint_id: int) -> None:
        try:
            self.deliver(endpoint_id)
        except StoreUnavailable as error:
            log.warning("database away, webhooks wait", error=str(error))
        except Exception:
            log.exception("webhooks not delivered", endpoint=endpoint_id)
        finally:
            with self._lock:
                self._busy.discard(endpoint_id)

    def _call_back(self) -> None:
        try:
            with turn(self._store, "callbacks", _CALLBACKS_SECONDS) as ours:
                if ours:
                    tell_callbacks(self._store, self._keyring, self._settings, self._clock)
        except StoreUnavailable as error:
            log.warning("database away, callbacks wait", error=str(error))
        except Exception:
            log.exception("callbacks not told")

    def _batch(self, endpoint_id: int, ends: float) -> list[Attempt]:
        """Try what is due, up to the first sign that the endpoint itself is in trouble."""
        with self._store.read() as db:
            endpoint = outbox.endpoint_by_id(db, endpoint_id)
            messages = outbox.due_messages(db, endpoint_id, self._clock(), _BATCH)
        if endpoint is None or not messages:
            return []
        attempts: list[Attempt] = []
        answer = Answer(None, 0)
        for message in messages:
            answer, at = self._tell(endpoint, message), self._clock()
            attempts.append(_attempt(message, answer, at))
            if _is_in_trouble(answer) or self._stopping.is_set() or monotonic() >= ends:
                break
        with self._store.write() as db:
            outbox.record_attempts(db, attempts)
            _note_health(db, endpoint, attempts, answer, self._clock())
        return attempts

    def _tell(self, endpoint: Endpoint, message: Message) -> Answer:
        body = json.dumps(message.payload, ensure_ascii=False).encode()
        headers = signed_headers(self._keyring, endpoint, message.key, body, self._clock()) | {
            "Content-Type": "application/json",
            "User-Agent": f"Anteroom/{__version__}",
            "Connection": "close",
        }
        answer = post(endpoint.url, body, headers, self._bounds)
        log.info(
            "webhook",
            endpoint=endpoint.id,
            message=message.key,
            status=answer.status,
            ms=answer.took_ms,
            error=answer.error,
        )
        return answer


def _attempt(message: Message, answer: Answer, at: datetime) -> Attempt:
    """Return what came of one attempt; the last of them makes a dead letter."""
    delivery = Delivery(message.id, at, answer.took_ms, answer.status, answer.error)
    if _is_success(answer):
        return Attempt(delivery, MessageState.DELIVERED)
    if message.attempts >= len(INTERVALS):
        return Attempt(delivery, MessageState.DEAD)
    seconds = INTERVALS[message.attempts] * (1 + random.uniform(0, _JITTER))  # noqa: S311
    return Attempt(delivery, MessageState.WAITING, at + timedelta(seconds=seconds))


def _note_health(
    db: Connection, endpoint: Endpoint, attempts: Sequence[Attempt], last: Answer, now: datetime
) -> None:
    """Let an endpoint in trouble rest; when it answers again, let all that waits be due."""
    if last.status == _GONE:
        outbox.disable_endpoint(db, endpoint.id, "the website answered 410 Gone", now)
        return
    answered = any(attempt.state is MessageState.DELIVERED for attempt in attempts)
    failures = 0 if answered else endpoint.failures
    if _is_in_trouble(last):
        usual = _RESTS[min(failures, len(_RESTS) - 1)]
        asked_for = min(last.retry_after or 0.0, _LONGEST_REST)
        until = now + timedelta(seconds=max(usual, asked_for))
        outbox.update_endpoint(db, endpoint.id, failures=failures + 1, resting_until=until)
    elif endpoint.failures and answered:
        outbox.update_endpoint(db, endpoint.id, failures=0, resting_until=None)
    if answered and endpoint.failures >= _OUTAGE:
        outbox.wake(db, endpoint.id, now)


def _is_success(answer: Answer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def _is_in_trouble(answer: Answer) -> bool:
    """Whether the endpoint would fail with any message, not just with this one."""
    status = answer.status
    refused = status is not None and 400 <= status < 500 and status not in _TOO_BUSY
    return not _is_success(answer) and (status == _GONE or not refused)
