"""Late verdicts, told to the Akismet clients that wait for them.

Where the rules leave it to a person, what that person decides is told. A client
that nobody tells asks again by itself, so a few attempts are enough.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import structlog

from service.domain.comment import Status
from service.domain.verdict import speaks_against
from service.keyring import Keyring
from service.settings import Settings
from service.storage import Store, akismet
from service.storage.akismet import Callback
from service.storage.comments import verdicts_of
from service.webhooks.sending import Bounds, post

#: Seconds from one attempt to the next; after the last the client is left to ask.
_INTERVALS = (5, 60, 600)
_BATCH = 50
#: A comment that is no more, of which there is nothing to tell.
_GONE = (Status.WITHDRAWN, Status.ERASED)

log = structlog.get_logger(__name__)


def tell_callbacks(
    store: Store, keyring: Keyring, settings: Settings, clock: Callable[[], datetime]
) -> int:
    """Tell those who wait for a verdict that is there by now; return how many heard it."""
    bounds = Bounds(settings.webhook_timeout, settings.webhook_networks)
    heard = 0
    with store.read() as db:
        due = akismet.callbacks_due(db, clock(), _BATCH)
        evidence = verdicts_of(db, [callback.comment_id for callback in due])
    for callback in due:
        if callback.status in _GONE:
            with store.write() as db:
                akismet.note_callback(db, callback.comment_id, None)
            continue
        result = _result(callback.status, evidence.get(callback.comment_id))
        if result is None:
            with store.write() as db:
                akismet.await_person(db, callback.comment_id)
            continue
        key = keyring.open_sealed(akismet.SEAL, callback.sealed_key)
        told = key is not None and _told(callback, key, result, bounds)
        heard += told
        # Without the key, which another secret sealed, nobody would believe it.
        again = None if told or key is None else _next_attempt(callback, clock())
        with store.write() as db:
            akismet.note_callback(db, callback.comment_id, again)
    return heard


def _result(status: Status, evidence: dict[str, Any] | None) -> str | None:
    """Return what the client is told; None where a person has to look first."""
    if status is Status.APPROVED:
        return "false"
    if status is Status.HELD and not (evidence and speaks_against(evidence)):
        return None
    return "true"


def _told(callback: Callback, key: str, result: str, bounds: Bounds) -> bool:
    body = urlencode(
        {
            "key": key,
            "endpoint": "comment-check",
            "comments[0][guid]": callback.comment_id,
            "comments[0][result]": result,
        }
    )
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-akismet-webhook": "1",
        "Connection": "close",
    }
    answer = post(callback.url, body.encode(), headers, bounds)
    log.info(
        "late verdict told",
        comment_id=callback.comment_id,
        status=answer.status,
        error=answer.error,
    )
    return answer.status is not None and 200 <= answer.status < 300


def _next_attempt(callback: Callback, now: datetime) -> datetime | None:
    if callback.attempts >= len(_INTERVALS):
        return None
    return now + timedelta(seconds=_INTERVALS[callback.attempts])
