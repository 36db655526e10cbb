"""Taking comments in from elsewhere: each once, with its state, and a report on all of it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from service.domain.comment import (
    MAX_BODY_BYTES,
    MAX_EMAIL_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_THREAD_KEY_CHARACTERS,
    MAX_URL_CHARACTERS,
    Author,
    Status,
    ThreadRef,
)
from service.domain.site import Site
from service.keyring import Keyring
from service.storage import Store, importing
from service.storage.importing import Arrival
from service.transfer.moments import believed
from service.transfer.records import Imported, in_batches

#: Comments stored in one transaction.
_BATCH = 500
_OURS = "anteroom:"
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
#: Control characters but TAB and newline, and what is half of a character.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")


@dataclass(slots=True)
class Report:
    """What an import did: which states became which statuses, and what did not fit.

    `mapped` counts by state and status, `existing` were imported before,
    `erased` were left out because their content was erased here, `cut` had a
    text that was too long, `redated` told no time that can be believed,
    `adopted` came before what they answer, and of `parentless` that is nowhere
    in the file.
    """

    mapped: Counter[tuple[str, Status]] = field(default_factory=Counter)
    existing: int = 0
    erased: int = 0
    cut: int = 0
    redated: int = 0
    adopted: int = 0
    parentless: int = 0

    @property
    def stored(self) -> int:
        """How many comments are new."""
        return sum(self.mapped.values())


class Importer:
    """Stores the comments of another system as those of one site."""

    def __init__(self, store: Store, keyring: Keyring, site: Site) -> None:
        self._store = store
        self._keyring = keyring
        self._site = site
        self.report = Report()

    def run(self, records: Iterator[Imported], now: datetime) -> None:
        """Store all records, some hundred at a time, and count in `report` what became of them.

        What was stored stays if reading fails later; running again goes on.
        """
        orphans: list[tuple[str, str]] = []
        for batch in in_batches(records, _BATCH):
            orphans += self._store_batch(batch, now)
        with self._store.write() as db:
            self.report.adopted = importing.adopt(db, orphans)
        self.report.parentless = len(orphans) - self.report.adopted

    def _store_batch(self, batch: list[Imported], now: datetime) -> list[tuple[str, str]]:
        site_id, report = self._site.id, self.report
        arrivals = {self._known_as(record.key): record for record in batch}
        with self._store.write() as db:
            known = self._known(db, arrivals)
            fresh = {name: record for name, record in arrivals.items() if name not in known}
            wanted = [record.external_id for record in fresh.values() if record.external_id]
            taken = importing.taken_external_ids(db, site_id, wanted)
            ready = [self._arrival(*item, taken, now) for item in fresh.items()]
            stored = importing.store(db, site_id, ready, now)
        gone = [name for name, status in known.items() if status is Status.ERASED]
        erased = sum(arrivals[name].status is not Status.ERASED for name in gone)
        report.erased += erased
        report.existing += len(batch) - len(fresh) - erased
        for record in fresh.values():
            report.mapped[record.state, record.status] += 1
            report.redated += believed(record.created_at, now) is None
            report.cut += len(record.body.encode("utf-8", "replace")) > MAX_BODY_BYTES
        return stored.orphans

    def _known(self, db: Connection, arrivals: Mapping[str, Imported]) -> dict[str, Status]:
        """Return those that are here already, erased ones too, with where they stand."""
        ours = {name: record.key.removeprefix(_OURS) for name, record in arrivals.items()}
        there = importing.already_there(db, self._site.id, arrivals, ours.values())
        stands = {name: there.get(name) or there.get(ours[name]) for name in arrivals}
        return {name: status for name, status in stands.items() if status}

    def _known_as(self, key: str) -> str:
        return self._keyring.hash("import", f"{self._site.id}:{key}")

    def _arrival(self, known_as: str, record: Imported, taken: set[str], now: datetime) -> Arrival:
        author = _clean_author(record.author)
        external_id = record.external_id
        if external_id in taken or not _EXTERNAL_ID.fullmatch(external_id or ""):
            external_id = None
        hashed = self._keyring.hash
        arrival = Arrival(
            known_as=known_as,
            thread=_clean_thread(record.thread),
            author=author,
            body=_clean_body(record.body),
            status=Status.HELD if record.status is Status.PENDING else record.status,
            created_at=believed(record.created_at, now) or now,
            parent=self._known_as(record.parent_key) if record.parent_key else None,
            external_id=external_id,
            email_hash=hashed("email", author.email.lower()) if author.email else None,
            address_hash=hashed("address", author.ip) if author.ip else None,
        )
        return _without_content(arrival) if record.status is Status.ERASED else arrival


def _without_content(arrival: Arrival) -> Arrival:
    return replace(
        arrival, author=Author(), body="", external_id=None, email_hash=None, address_hash=None
    )


def _clean_author(author: Author) -> Author:
    return replace(
        author,
        name=_line(author.name, MAX_NAME_CHARACTERS),
        email=_line(author.email, MAX_EMAIL_CHARACTERS),
        url=_line(author.url, MAX_URL_CHARACTERS),
        ip=author.ip if author.ip and _ADDRESS.fullmatch(author.ip) else None,
        user_agent=_line(author.user_agent, 512),
    )


def _clean_thread(thread: ThreadRef) -> ThreadRef:
    return ThreadRef(
        key=_line(thread.key, MAX_THREAD_KEY_CHARACTERS) or "unknown",
        url=_line(thread.url, MAX_URL_CHARACTERS),
        title=_line(thread.title, 500),
    )


def _line(text: str, longest: int) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())[:longest]


def _clean_body(body: str) -> str:
    text = _CONTROL.sub(" ", body.replace("\r\n", "\n").replace("\r", "\n"))
    return text.encode()[:MAX_BODY_BYTES].decode(errors="ignore")
