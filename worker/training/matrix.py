"""Matrices: comments as rows of features, made by the code that judges with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from tqdm import tqdm

from worker.models import features
from worker.models.material import PREPARING, Material
from worker.ruleset.cases import Case
from worker.signals.comment import Signals
from worker.training.corpora import Row
from worker.training.keeping import kept_whole


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model looks at: its kind, bounds of the runs of characters, buckets as 2^bits."""

    kind: str
    shortest: int
    longest: int
    bits: int


def signals_of(row: Row) -> Signals:
    """Return the signals of a row as if it were a comment."""
    case = Case(text=row.text, name=row.name, email=row.email, url=row.url)
    return Signals(case.comment(), case.context())


def matrix(
    rows: Sequence[Row], shape: Shape, markers: Sequence[str], cache: Path, what: str
) -> sp.csr_matrix:
    """Return the features of `rows`, the last reading of each where tricks were undone.

    Markers have the last columns. What was worked out before for the same rows
    and the same shape is read from the folder `cache`.
    """
    kept = cache / f"{what}-{_digest(rows, shape, markers)}.npz"
    if kept.exists():
        return sp.load_npz(kept)
    buckets, values, ends = [], [], [0]
    place = {marker: (1 << shape.bits) + number for number, marker in enumerate(markers)}
    for row in tqdm(rows, desc=f"features of {what}", unit=" comments", mininterval=5):
        *_, material = PREPARING[shape.kind](signals_of(row), shape.shortest, shape.longest)
        for part in material.parts:
            buckets.append(part.features.buckets(1 << shape.bits).astype(np.int32))
            values.append(part.features.values)
        found = [place[marker] for marker in material.markers]
        buckets.append(np.array(found, np.int32))
        values.append(np.ones(len(found), np.float32))
        ends.append(ends[-1] + _number(material) + len(found))
    made = sp.csr_matrix(
        (np.concatenate(values), np.concatenate(buckets), np.array(ends)),
        shape=(len(rows), (1 << shape.bits) + len(markers)),
    )
    made.sum_duplicates()
    with kept_whole(kept) as file:
        sp.save_npz(file, made, compressed=False)
    return made


def _number(material: Material) -> int:
    return sum(len(part.features.values) for part in material.parts)


def _digest(rows: Sequence[Row], shape: Shape, markers: Sequence[str]) -> str:
    digest = sha256(f"{features.VERSION} {shape} {markers}".encode())
    for row in rows:
        digest.update(f"{row.text}\0{row.name}\0{row.email}\0{row.url}\1".encode())
    return digest.hexdigest()[:16]
