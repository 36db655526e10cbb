"""Which comments say nearly the same: the same advert on many pages is one campaign."""

from collections.abc import Iterable, Sequence

from service.storage import Store
from service.storage.campaigns import MOST_IN_BAND, Mark, campaigns_by_band
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
        under = {
            signature: [str(band) for band in bands(signature)]
            for signature in signatures
            if signature is not None
        }
        if not under:
            return [None] * len(signatures)
        wanted = {band for some in under.values() for band in some}
        with self._store.read() as db:
            known = campaigns_by_band(db, wanted)
        new: dict[str, Mark] = {}
        return [
            None if signature is None else _mark(signature, under[signature], known, new)
            for signature in signatures
        ]


def _mark(
    signature: int, under: Sequence[str], known: dict[str, list[str]], new: dict[str, Mark]
) -> Mark:
    candidates = dict.fromkeys(name for band in under for name in known.get(band, ()))
    found = _nearest(signature, candidates)
    if found is not None:
        # Whoever belongs to a new campaign brings its bands along: the comment
        # that began it may turn out to be decided already, and is then not recorded.
        return new.get(found, Mark(found))
    name = f"{signature:032x}"
    free = tuple(band for band in under if len(known.get(band, ())) < MOST_IN_BAND)
    new[name] = Mark(name, free)
    for band in free:
        known.setdefault(band, []).append(name)
    return new[name]


def _nearest(signature: int, names: Iterable[str]) -> str | None:
    """Return the campaign that is like the text, the same one whenever there are several."""
    near = [name for name in names if alike(int(name, 16), signature)]
    return min(near, key=lambda name: ((int(name, 16) ^ signature).bit_count(), name), default=None)
