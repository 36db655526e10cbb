"""Taking comments in from elsewhere: each once, with its state, and a report on all of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from service.domain.comment import MAX_BODY_BYTES, Author, Status
from service.domain.site import Site
from service.keyring import Keyring
from service.storage import Store, importing
from service.storage.importing import Arrival, Kept, Orphan, Stored
from service.storage.tables import milliseconds
from service.transfer.cleaning import clean_author, clean_body, clean_thread, one_line
from service.transfer.moments import believed
from service.transfer.orphans import Orphans
from service.transfer.records import Imported, LeftOut, Record, Unreadable, in_batches
from service.transfer.report import Report

#: Comments stored in one transaction.
_BATCH = 500
_OURS = "anteroom:"
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
#: What other systems call a state is repeated in the report.
_LONGEST_WORD = 80
_LONGEST = 200
#: What earlier versions kept for a time that they could not read.
_UNREAD = datetime.fromtimestamp(0, UTC)


class Importer:
    """Stores the comments of another system as those of one site."""

    def __init__(self, store: Store, keyring: Keyring, site: Site) -> None:
        self._store = store
        self._keyring = keyring
        self._site = site
        self.report = Report()

    def run(self, records: Iterator[Record], now: datetime) -> None:
        """Store all records, some hundred at a time, and count in `report` what became of them.

        What was stored stays if reading fails later; running again goes on.
        """
        orphans = Orphans(self._store, self._site, self.report)
        try:
            for batch in in_batches(self._usable(records, now), _BATCH):
                stored = self._store_batch(batch, now)
                orphans.add(stored.orphans, stored.raised)
        except Unreadable:
            orphans.settle()
            raise
        orphans.settle()

    def _usable(self, records: Iterable[Record], now: datetime) -> Iterator[Imported]:
        read = 0
        for record in records:
            if isinstance(record, Imported):
                read += 1
                yield replace(record, created_at=believed(record.created_at, now))
            elif isinstance(record, LeftOut):
                read += 1
                self.report.left_out[one_line(record.why, _LONGEST_WORD)] += 1
            else:
                self.report.note_broken(one_line(f"{record.where}: {record.why}", _LONGEST))
        if self.report.broken and not read:
            raise Unreadable(f"nothing in it is a comment ({self.report.broken_ones[0]})")

    def _store_batch(self, batch: list[Imported], now: datetime) -> Stored:
        site_id, report = self._site.id, self.report
        arrivals = {self._known_as(record.key): record for record in batch}
        with self._store.write() as db:
            known = self._known(db, arrivals)
            fresh = {name: record for name, record in arrivals.items() if name not in known}
            wanted = (_usable_id(record) for record in fresh.values())
            taken = importing.taken_external_ids(db, site_id, list(filter(None, wanted)))
            ready = [self._arrival(*item, taken, now) for item in fresh.items()]
            stored = importing.store(db, self._site, ready, now)
        # An earlier run may have ended before it came to what these answer.
        stored.orphans += self._left_at_the_top(arrivals, known)
        self._count_known(arrivals, known)
        report.existing += len(batch) - len(arrivals)
        report.elsewhere += stored.elsewhere
        for record in fresh.values():
            report.mapped[one_line(record.state, _LONGEST_WORD), record.status] += 1
            report.redated += record.created_at is None
            report.cut += len(record.body.encode("utf-8", "replace")) > MAX_BODY_BYTES
        return stored

    def _left_at_the_top(
        self, arrivals: Mapping[str, Imported], known: Mapping[str, Kept]
    ) -> Iterator[Orphan]:
        for name, kept in known.items():
            record = arrivals[name]
            if record.parent_key and kept.parent_id is None and _is_same(record, kept):
                yield Orphan(kept.id, name, self._known_as(record.parent_key))

    def _count_known(self, arrivals: Mapping[str, Imported], known: Mapping[str, Kept]) -> None:
        for name, kept in known.items():
            record = arrivals[name]
            if _names_no_source(record) and not _is_same(record, kept):
                self.report.clashing += 1
            elif kept.status is Status.ERASED and record.status is not Status.ERASED:
                self.report.erased += 1
            else:
                self.report.existing += 1

    def _known(self, db: Connection, arrivals: Mapping[str, Imported]) -> dict[str, Kept]:
        """Return those that are here already, erased ones too, with what is here.

        Whatever an earlier version kept by its number alone is known by its source from now on.
        """
        ours = {name: record.key.removeprefix(_OURS) for name, record in arrivals.items()}
        former = {name: self._formerly(record) for name, record in arrivals.items()}
        names = [*arrivals, *filter(None, former.values())]
        there = importing.already_there(db, self._site.id, names, ours.values())
        stands = {name: there.get(name) or there.get(ours[name]) for name in arrivals}
        renamed = {}
        for name, record in arrivals.items():
            kept = there.get(former[name] or "")
            if stands[name] is None and kept and _is_same(record, kept):
                stands[name], renamed[name] = kept, kept.id
        importing.know_as(db, renamed)
        return {name: kept for name, kept in stands.items() if kept}

    def _formerly(self, record: Imported) -> str | None:
        if record.former_key in (None, record.key):
            return None
        return self._known_as(record.former_key or "")

    def _known_as(self, key: str) -> str:
        return self._keyring.hash("import", f"{self._site.id}:{key}")

    def _arrival(self, known_as: str, record: Imported, taken: set[str], now: datetime) -> Arrival:
        author = clean_author(record.author)
        external_id = _usable_id(record)
        if external_id in taken:
            external_id = None
        elif external_id:
            taken.add(external_id)
        self.report.unnamed += bool(record.external_id and not external_id)
        hashed = self._keyring.hash
        arrival = Arrival(
            known_as=known_as,
            thread=clean_thread(record.thread),
            author=author,
            body=clean_body(record.body),
            status=Status.HELD if record.status is Status.PENDING else record.status,
            created_at=record.created_at or now,
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


def _usable_id(record: Imported) -> str | None:
    """Return the website's own id of a comment if it can be one here."""
    return record.external_id if _EXTERNAL_ID.fullmatch(record.external_id or "") else None


def _names_no_source(record: Imported) -> bool:
    return record.former_key == record.key


def _is_same(record: Imported, kept: Kept) -> bool:
    """Whether the comment that is here is this one: two systems give the same number twice."""
    if record.created_at is None or kept.created_at == _UNREAD:
        return clean_thread(record.thread).key == kept.thread
    return milliseconds(record.created_at) == milliseconds(kept.created_at)
