"""The files of a model: a header in JSON, one array of weights, and their checksums.

A directory holds `model.json`, `weights.npy` and `SHA256SUMS`, which
`sha256sum -c` understands. Nothing in them is code: no pickle is ever read. The
weights are mapped into memory, read-only, so that all processes share them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.models.features import VERSION as FEATURES
from worker.models.score import MODELS

#: The form of these files. Another number is another form.
FORMAT = 1

HEADER, WEIGHTS, SUMS = "model.json", "weights.npy", "SHA256SUMS"


class DamagedArtefact(Exception):
    """A model's files are missing, changed, or of another form; the message says which."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Makes a probability of a sum of weights: the logistic function of slope · sum + offset."""

    slope: float
    offset: float


@dataclass(frozen=True, slots=True)
class Header:
    """What there is to know of a model beside its weights.

    `features` is the form of the features that the weights belong to, `language`
    the one it speaks, "" for any. `heads` names the scores that it gives, and for each
    `bias` has its constant and `calibration` its scale. `markers` are weights of
    what is told by name and not by words, one for each head.
    """

    name: str
    language: str
    features: int
    shortest: int
    longest: int
    heads: tuple[str, ...]
    bias: tuple[float, ...]
    calibration: tuple[Calibration, ...]
    markers: dict[str, tuple[float, ...]]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model as it lies on disk: `weights` has a row for each bucket, a column for each head.

    `version` stands for the content of all of it.
    """

    header: Header
    weights: NDArray[np.float16]
    version: str


def read(directory: Path) -> Artefact:
    """Return the model in a directory; raises DamagedArtefact."""
    try:
        version = checked(directory, (HEADER, WEIGHTS))
        header = _header(json.loads((directory / HEADER).read_bytes()))
        weights = np.load(directory / WEIGHTS, mmap_mode="r", allow_pickle=False)
        rows, columns = weights.shape
    except FileNotFoundError as error:
        raise DamagedArtefact(f"{Path(error.filename).name} is missing") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DamagedArtefact(f"unreadable: {type(error).__name__}") from error
    if weights.dtype != np.float16 or columns != len(header.heads) or rows & (rows - 1):
        raise DamagedArtefact("the weights do not fit the header")
    return Artefact(header, weights, version)


def write(directory: Path, header: Header, weights: NDArray[np.float16]) -> Artefact:
    """Write a model into a directory, made if needed, and return it as it is read again."""
    directory.mkdir(parents=True, exist_ok=True)
    np.save(directory / WEIGHTS, np.ascontiguousarray(weights), allow_pickle=False)
    seal(directory, asdict(header), (WEIGHTS,))
    return read(directory)


def checked(directory: Path, names: Sequence[str]) -> str:
    """Return what stands for the content of these files of a model.

    Raises DamagedArtefact if one is not as it was when it was made, and
    FileNotFoundError if it is not there.
    """
    sums = _sums(directory)
    for name in names:
        if sha256((directory / name).read_bytes()).hexdigest() != sums.get(name):
            raise DamagedArtefact(f"{name} does not match its checksum")
    return sha256("".join(sums[name] for name in names).encode()).hexdigest()[:8]


def seal(directory: Path, header: Mapping[str, Any], names: Sequence[str]) -> None:
    """Write a model's header, and the checksums of it and of the other files named."""
    written = json.dumps(header, ensure_ascii=False, indent=1, sort_keys=True)
    (directory / HEADER).write_text(written + "\n", encoding="utf-8")
    lines = (
        f"{sha256((directory / name).read_bytes()).hexdigest()}  {name}\n"
        for name in (HEADER, *names)
    )
    (directory / SUMS).write_text("".join(lines), encoding="utf-8")


def _sums(directory: Path) -> dict[str, str]:
    lines = (directory / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _header(values: dict[str, Any]) -> Header:
    if values["format"] != FORMAT:
        raise DamagedArtefact(f"its form is {values['format']}, not {FORMAT}")
    if values["features"] != FEATURES or values["name"] not in MODELS:
        raise DamagedArtefact("it is for another version of this program")
    calibration = tuple(Calibration(**one) for one in values["calibration"])
    tuples = {name: tuple(values[name]) for name in ("heads", "bias")}
    markers = {marker: tuple(weights) for marker, weights in values["markers"].items()}
    header = Header(**values | tuples | {"calibration": calibration, "markers": markers})
    if not len(header.heads) == len(header.bias) == len(header.calibration):
        raise DamagedArtefact("the header contradicts itself")
    return header
