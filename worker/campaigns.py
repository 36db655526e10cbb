"""Which comments say nearly the same: the same advert on many pages is one campaign."""

from collections.abc import Iterable, Sequence

from service.storage import Store
from service.storage.campaigns import Mark, campaigns_by_band
from worker.signals.near import alike, bands, nearby_bands


class Campaigns:
    """Finds the campaign of each text by its fingerprint, in one look-up for a batch."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of_batch(self, signatures: Sequence[int | None]) -> list[Mark | None]:
        """Return which campaign each belongs to; None where there is no fingerprint.

        What is like nothing before it begins a new campaign, to which later
        texts of the batch may belong already. Nothing is written.
        """
        wanted = {mark: nearby_bands(mark) for mark in signatures if mark is not None}
        if not wanted:
            return [None] * len(signatures)
        with self._store.read() as db:
            known = campaigns_by_band(db, {band for some in wanted.values() for band in some})
        return [
            None if signature is None else _mark(signature, wanted[signature], known)
            for signature in signatures
        ]


def _mark(signature: int, wanted: Sequence[str], known: dict[str, list[str]]) -> Mark:
    """Return the campaign of a text, and let those that come later in the batch find it."""
    near = {name for band in wanted for name in known.get(band, ())}
    name = _nearest(signature, near) or f"{signature:032x}"
    # Its own bands beside those of the first text: what is like it may share none with that.
    under = tuple(dict.fromkeys((*bands(int(name, 16)), *bands(signature))))
    for band in under:
        names = known.setdefault(band, [])
        if name not in names:
            names.append(name)
    return Mark(name, under)


def _nearest(signature: int, names: Iterable[str]) -> str | None:
    """Return the campaign that is like the text, the same one whenever there are several."""
    near = [name for name in names if alike(int(name, 16), signature)]
    return min(near, key=lambda name: ((int(name, 16) ^ signature).bit_count(), name), default=None)
