"""Word goes out: an e-mail to moderators when something waits too long.

One message for each person and site, and only so often as the person wished:
never one for each comment. It carries a link, and the comments' texts only
where the operator switched that on.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlencode, urlsplit

import structlog

from service.domain.lane import Lane
from service.domain.site import Site
from service.moderation.turns import turn
from service.settings import Settings
from service.storage import Store, database_now, digests
from service.storage.lanes import LaneCount, lane_counts
from service.storage.people import Account, accounts
from service.storage.reviewing import QueueRow, ReviewFilter, queue_rows
from service.storage.sites import list_sites

_LEASE_SECONDS = 120
_TIMEOUT_SECONDS = 20
_TEXTS = 5
_PORTS = {"smtp": 587, "smtps": 465}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """A person to whom a message about a site is due."""

    account: Account
    site: Site
    waiting: LaneCount
    rows: tuple[QueueRow, ...]


class Digest:
    """Writes to people, one process at a time."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def run(self) -> int:
        """Send what is due; return how many messages.

        What cannot be sent is logged without its address and tried again the
        next time.
        """
        if not self._settings.smtp_url:
            return 0
        with turn(self._store, "digest", _LEASE_SECONDS) as ours:
            return self._sent() if ours else 0

    def _sent(self) -> int:
        with self._store.read() as db:
            now = database_now(db)
        due, sent = self._due(now), 0
        if not due:
            return 0
        try:
            with self._server() as server:
                for each in due:
                    server.send_message(self._message(each, now))
                    with self._store.write() as db:
                        digests.note_sent(db, each.account.moderator.id, each.site.id, now)
                    sent += 1
        except (OSError, smtplib.SMTPException) as error:
            log.warning("digest not sent", error=type(error).__name__, left=len(due) - sent)
        return sent

    def _due(self, now: datetime) -> list[_Due]:
        found: list[_Due] = []
        oldest = now - timedelta(hours=self._settings.digest_after_hours)
        with self._store.read() as db:
            sent = digests.last_sent(db)
            everybody = accounts(db)
            for site in list_sites(db):
                count = lane_counts(db, None, site.slug)[Lane.REVIEW]
                if count.oldest is None or count.oldest > oldest:
                    continue
                wanted = ReviewFilter(lane=Lane.REVIEW, site=site.slug)
                rows = tuple(queue_rows(db, wanted, limit=_TEXTS).rows)
                found += [
                    _Due(account, site, count, rows)
                    for account in everybody
                    if _wants(account, site, sent.get((account.moderator.id, site.id)), now)
                ]
        return found

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        """Give the mail server, over TLS wherever it can; no password travels in the clear."""
        parts = urlsplit(self._settings.smtp_url)
        address = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        trusted = ssl.create_default_context()
        secure = parts.scheme == "smtps"
        server: smtplib.SMTP = (
            smtplib.SMTP_SSL(*address, timeout=_TIMEOUT_SECONDS, context=trusted)
            if secure
            else smtplib.SMTP(*address, timeout=_TIMEOUT_SECONDS)
        )
        with server:
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=trusted)
                secure = True
            if parts.username:
                if not secure:
                    raise smtplib.SMTPNotSupportedError("no TLS, so no password is sent")
                server.login(unquote(parts.username), unquote(parts.password or ""))
            yield server

    def _message(self, due: _Due, now: datetime) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._settings.mail_from
        message["To"] = due.account.email
        count = "10,000+" if due.waiting.more else f"{due.waiting.count:,}"
        message["Subject"] = f"{count} comments wait on {_line(due.site.name)}"
        message["Auto-Submitted"] = "auto-generated"
        address = f"{self._settings.base_url}/review?{urlencode({'site': due.site.slug})}"
        lines = [
            f"{count} comments wait for a person on {_line(due.site.name)},",
            f"the oldest for {_hours(now, due.waiting.oldest)}.",
            "",
            address,
            "",
        ]
        if self._settings.digest_text:
            for row in due.rows:
                lines += [f"{_line(row.author_name) or 'Somebody'}: {_line(row.excerpt)}", ""]
        lines += [
            "You asked to be written to at most every"
            f" {due.account.digest_hours} hours; change that under {self._settings.base_url}"
            "/review/account",
        ]
        message.set_content("\n".join(lines))
        return message


def _wants(account: Account, site: Site, sent: datetime | None, now: datetime) -> bool:
    if account.disabled_at or not account.email or account.digest_hours is None:
        return False
    pause = timedelta(hours=account.digest_hours)
    return account.moderator.reviews(site.id) and (sent is None or sent <= now - pause)


def _line(text: str) -> str:
    """Return the text as one line without characters that could turn it around."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _hours(now: datetime, oldest: datetime | None) -> str:
    hours = int((now - oldest).total_seconds() // 3600) if oldest else 0
    return f"{hours} hours" if hours != 1 else "an hour"
