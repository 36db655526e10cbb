"""Training a network, and mixing it with the linear model that is there already."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from worker.models import artefact, network, wording
from worker.models.linear import LinearModel
from worker.models.material import MOST_READINGS
from worker.models.mixture import Mixture
from worker.models.network import NETWORK, TOKENIZER, NetworkHeader, Share
from worker.models.shelf import NETWORKS
from worker.training.corpora import Row, may_train
from worker.training.figures import Scores
from worker.training.keeping import kept_whole
from worker.training.labels import importance, labels_of, origin
from worker.training.matrix import signals_of
from worker.training.recipes import Recipe
from worker.training.training import Made, Outcome, measured, scale_of

#: So many batches are learned.
STEPS = 9000
#: So many words are read at a time.
_WORDS = 40

_HOW = """\
A mixture of the linear model {linear} with a network: four of the six layers of
all-MiniLM-L6-v2 (see NOTICE), taught all heads at once in {steps:,} batches of {batch} texts,
as many as there are rows times {epochs:.2f}.{cut}
Its weights have eight bits. It reads up to {words} words at a time, see
`worker/models/mixture.py`. Version and figures are those of the mixture, asked of every
comment; at work the linear model answers for those that it finds calm."""
_CUT = "\nThe recipe has {0:,} batches: this one was cut short, and figures still rose."


def train_network(
    recipe: Recipe, name: str, folders: Sequence[Path], out: Path, cache: Path, steps: int
) -> Outcome:
    """Make the network that goes with a recipe's linear model, mix both, and return the figures."""
    # Here, so that all else is made and measured without torch, which is large.
    from worker.training.exporting import export
    from worker.training.finetuning import BATCH, examples, fine_tune

    rows, tuning = recipe.rows(folders), recipe.tuning(folders)
    learned = examples(_read(rows, cache, name), rows, recipe.heads)
    net = fine_tune(learned, steps, cache, name)
    directory = out / name
    directory.mkdir(parents=True, exist_ok=True)
    export(net, directory / NETWORK, directory / TOKENIZER)
    sums = _mix(recipe, tuning, out)
    model = mixture_of(recipe, out)
    how = _HOW.format(
        linear=recipe.directory,
        steps=steps,
        batch=BATCH,
        epochs=steps * BATCH / len(rows),
        cut=_CUT.format(STEPS) if steps < STEPS else "",
        words=_WORDS,
    )
    made = Made(name, model.version, how)
    return measured(
        recipe, made, rows, tuning, sums, scale_of(recipe, recipe.heads[0], tuning, sums)
    )


def mixture_of(recipe: Recipe, out: Path) -> Mixture:
    """Return the mixture that a recipe's models in a folder make."""
    linear = LinearModel(artefact.read(out / recipe.directory))
    return Mixture(linear, network.read(out / NETWORKS[recipe.directory]))


def _mix(recipe: Recipe, tuning: Sequence[Row], out: Path) -> Scores:
    """Write the header by which the network is mixed best; return sums of the first head."""
    directory = out / NETWORKS[recipe.directory]
    linear = artefact.read(out / recipe.directory)
    version = LinearModel(linear).version
    first = tuple(Share(scale.slope, 1.0, scale.offset) for scale in linear.header.calibration)
    network.write(directory, _header(recipe, version, first))
    model = mixture_of(recipe, out)
    found = [
        model.found(signals_of(row))
        for row in tqdm(tuning, desc=f"scores of {directory.name}", unit=" comments", mininterval=5)
    ]
    sums = np.array([(each.linear, each.worst) for each in found])
    mixed = [
        _share(recipe, number, tuning, sums[:, :, number]) for number in range(len(recipe.heads))
    ]
    network.write(directory, _header(recipe, version, tuple(share for share, _ in mixed)))
    return mixed[0][1]


def _share(
    recipe: Recipe, number: int, tuning: Sequence[Row], both: Scores
) -> tuple[Share, Scores]:
    """Return how a head is mixed, and the mixed sums that were made probabilities of.

    All sources tell how much each model counts, and those most like news what it means.
    """
    head = recipe.heads[number]
    parts = _parts(head, tuning, both)
    sums = both @ parts
    scale = scale_of(recipe, head, tuning, sums)
    linear, other = (round(float(scale.slope * part), 5) for part in parts)
    return Share(linear, other, scale.offset), sums


def _parts(head: str, tuning: Sequence[Row], both: Scores) -> Scores:
    """Return how much each of two sums counts to tell rows apart within their sources."""
    counts = importance(head, tuning) * np.array([may_train(row) for row in tuning])
    used = counts > 0
    names, places = np.unique([origin(row) for row in tuning], return_inverse=True)
    columns = np.hstack([both, np.eye(len(names))[places]])
    model = LogisticRegression(C=1.0, max_iter=1_000)
    model.fit(columns[used], labels_of(head, tuning)[used], sample_weight=counts[used])
    parts: Scores = np.maximum(model.coef_[0, :2], 0.0)
    return parts


def _header(recipe: Recipe, linear: str, shares: tuple[Share, ...]) -> NetworkHeader:
    return NetworkHeader(
        name=recipe.name,
        language=recipe.language,
        wording=wording.VERSION,
        words=_WORDS,
        heads=recipe.heads,
        linear=linear,
        shares=shares,
    )


def _read(rows: Sequence[Row], cache: Path, what: str) -> list[str]:
    """Return rows as a network reads them, the last reading of each; kept in the folder `cache`."""
    digest = sha256(f"{wording.VERSION}".encode())
    for row in rows:
        digest.update(f"{row.text}\0".encode(errors="replace"))
    kept = cache / f"{what}-{digest.hexdigest()[:16]}.json"
    if kept.exists():
        texts: list[str] = json.loads(kept.read_text(encoding="utf-8"))
        return texts
    bar = tqdm(rows, desc=f"readings of {what}", unit=" comments", mininterval=5)
    texts = [
        wording.worded(signals_of(row).views("text", "hard")[:MOST_READINGS][-1].text)
        for row in bar
    ]
    with kept_whole(kept) as file:
        file.write_text(json.dumps(texts), encoding="utf-8")
    return texts
