"""A small neural network: reads a few dozen words at a time, in their order.

Its directory holds `model.json`, `network.onnx` with weights of eight bits,
`tokenizer.json` and `SHA256SUMS`. None of them is code.

One text is read at a time. Texts read together would be 15 % faster at best, but
numbers are rounded to eight bits by what is largest among all of them: a comment's
score would depend on which others came with it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from worker.models import wording
from worker.models.artefact import FORMAT, HEADER, DamagedArtefact, checked, seal
from worker.models.score import MODELS
from worker.models.wording import worded

NETWORK, TOKENIZER = "network.onnx", "tokenizer.json"

#: ORT's levels: 3 is an error, which is raised anyway.
_FATAL = 4

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """What a head's probability is made of: linear · sum + network · sum + offset."""

    linear: float
    network: float
    offset: float


@dataclass(frozen=True, slots=True)
class NetworkHeader:
    """What there is to know of a network beside its weights.

    `linear` is the version of the linear model that it is mixed with, and `shares`
    says how, for each of `heads`. `wording` is the form of the texts that it reads, and
    `words` how many at a time.
    """

    name: str
    language: str
    wording: int
    words: int
    heads: tuple[str, ...]
    linear: str
    shares: tuple[Share, ...]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Read:
    """What a network says of a text: for each head a sum, the mean of what `each` token says.

    `offsets` tell where the tokens stand in the text as it was worded.
    """

    text: str
    sums: Sums
    each: NDArray[np.float32]
    offsets: Sequence[tuple[int, int]]

    def pulls(self, head: int) -> Sums:
        """Return how much each character of the text moves a head's sum.

        What half of all tokens say moves nothing.
        """
        said = self.each[:, head]
        moved = (said - np.median(said)) / len(said)
        places = wording.places(self.text)
        pulls = np.zeros(len(self.text) + 1)
        for pull, (start, end) in zip(moved, self.offsets, strict=True):
            if end > start:
                pulls[places[start] : places[end - 1] + 1] += pull / (
                    places[end - 1] + 1 - places[start]
                )
        return pulls[:-1]


class Network:
    """A network that can be asked; made before processes fork, it serves all of them.

    It has no threads of its own, so that a fork leaves nothing behind.
    """

    def __init__(self, header: NetworkHeader, version: str, directory: Path) -> None:
        self.header = header
        self.version = version
        self._tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        self._session = _session(directory / NETWORK)

    def read(self, text: str) -> Read:
        """Return what the network says of a text."""
        encoded = self._tokenizer.encode(worded(text))
        ids = np.array([encoded.ids], np.int64)
        given = {"ids": ids, "mask": np.ones_like(ids)}
        [sums], [each] = self._session.run(["sums", "each"], given)
        return Read(text, np.asarray(sums, np.float64), each, encoded.offsets)


def read(directory: Path) -> Network:
    """Return the network in a directory; raises DamagedArtefact."""
    try:
        version = checked(directory, (HEADER, NETWORK, TOKENIZER))
        header = _header(json.loads((directory / HEADER).read_bytes()))
        network = Network(header, version, directory)
        number = len(network.read("A text of no importance").sums)
    except FileNotFoundError as error:
        raise DamagedArtefact(f"{Path(error.filename).name} is missing") from error
    except DamagedArtefact:
        raise
    except Exception as error:  # of kinds that the libraries do not tell
        raise DamagedArtefact(f"unreadable: {type(error).__name__}") from error
    if number != len(header.heads):
        raise DamagedArtefact("the network does not fit the header")
    return network


def write(directory: Path, header: NetworkHeader) -> Network:
    """Write the header of a network whose other files are there, and return it as read again."""
    seal(directory, asdict(header), (NETWORK, TOKENIZER))
    return read(directory)


def _header(values: dict[str, Any]) -> NetworkHeader:
    if values["format"] != FORMAT:
        raise DamagedArtefact(f"its form is {values['format']}, not {FORMAT}")
    if values["wording"] != wording.VERSION or values["name"] not in MODELS:
        raise DamagedArtefact("it is for another version of this program")
    shares = tuple(Share(**one) for one in values["shares"])
    header = NetworkHeader(**values | {"heads": tuple(values["heads"]), "shares": shares})
    if len(header.heads) != len(header.shares):
        raise DamagedArtefact("the header contradicts itself")
    return header


def _session(file: Path) -> onnxruntime.InferenceSession:
    """Return the network in memory: one thread, and no more memory than is in use."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = _FATAL
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
