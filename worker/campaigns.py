"""Which comments say nearly the same: the same advert on many pages is one campaign."""

from collections.abc import Iterable, Sequence

from service.storage import Store
from service.storage.campaigns import Mark, campaigns_by_band
from worker.signals.near import alike, bands


class Campaigns:
    """Finds the campaign of each text by its fingerprint, in one look-up for a batch."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_batch(self, signatures: Sequence[int | None]) -> list[Mark | None]:
        """Return which campaign each belongs to; None where there is no fingerprint.

        What is like nothing before it begins a new campaign, to which later
        texts of the batch may belong already. Nothing is written.
        """
        under = {mark: bands(mark) for mark in signatures if mark is not None}
        if not under:
            return [None] * len(signatures)
        with self._store.read() as db:
            known = campaigns_by_band(db, {band for some in under.values() for band in some})
        return [
            None if signature is None else _mark(signature, under[signature], known)
            for signature in signatures
        ]


def _mark(signature: int, under: Sequence[str], known: dict[str, list[str]]) -> Mark:
    near = {name for band in under for name in known.get(band, ())}
    found = _nearest(signature, near)
    if found is not None:
        return Mark(found, bands(int(found, 16)))
    name = f"{signature:032x}"
    for band in under:
        known.setdefault(band, []).append(name)
    return Mark(name, tuple(under))


def _nearest(signature: int, names: Iterable[str]) -> str | None:
    """Return the campaign that is like the text, the same one whenever there are several."""
    near = [name for name in names if alike(int(name, 16), signature)]
    return min(near, key=lambda name: ((int(name, 16) ^ signature).bit_count(), name), default=None)
