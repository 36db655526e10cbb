"""`python -m worker.training MODEL --data DIR`: make a model, measure it, and write its card."""

from pathlib import Path

import click

from worker.models import artefact
from worker.models.linear import LinearModel
from worker.models.shelf import DIRECTORY, NETWORKS
from worker.training.card import card, notice, number, share
from worker.training.fairness import Gap, Judging, gaps, widest
from worker.training.mixing import STEPS, mixture_of, train_network
from worker.training.recipes import RECIPES
from worker.training.training import Outcome, train

#: Everything that can be trained; what a network is mixed with comes before it.
NAMES = (*RECIPES, *NETWORKS.values())

_LINEAR = {network: linear for linear, network in NETWORKS.items()}

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="MODEL...", nargs=-1, type=click.Choice(NAMES))
@click.option("--data", "folders", multiple=True, required=True, type=_folder)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=DIRECTORY)
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".training"),
    show_default=True,
    help="Where features are kept, so that a run that was cut off goes on.",
)
@click.option("--pairs", type=_file, help="Pairs of comments to tell the gap between identities.")
@click.option("--steps", default=STEPS, show_default=True, help="Batches that a network learns.")
def main(
    names: tuple[str, ...],
    folders: tuple[Path, ...],
    out: Path,
    cache: Path,
    pairs: Path | None,
    steps: int,
) -> None:
    """Train each MODEL on the corpora in the data folders; all that ship if none is named."""
    for name in names or NAMES:
        recipe = RECIPES[_LINEAR.get(name, name)]
        if name in _LINEAR:
            outcome = train_network(recipe, name, folders, out, cache, steps)
            model: Judging = mixture_of(recipe, out)
        else:
            outcome = train(recipe, folders, out, cache)
            model = LinearModel(artefact.read(out / name))
        found: list[Gap] = []
        if pairs and recipe.name == "abuse":
            found = gaps(model, recipe.language, outcome.threshold, pairs)
        text = card(recipe, outcome, found)
        (out / name / "CARD.md").write_text(text, encoding="utf-8")
        _tell(name, outcome, found)
    notice(out)


def _tell(name: str, outcome: Outcome, found: list[Gap]) -> None:
    click.echo(f"{name} {outcome.model.version}: threshold {outcome.threshold:.2f}, ", nl=False)
    click.echo(f"calibration error {outcome.calibration_error:.3f}")
    for each in outcome.sources:
        click.echo(
            f"  {each.source:<26} {each.positive:>5} of {each.rows:<6} AUC {number(each.auc):>5}"
            f"  F1 {each.macro_f1:.3f}  held rightly {share(each.held_of_positive)}"
            f"  wrongly {share(each.held_of_others)}"
        )
    if found:
        click.echo(f"  gap between identities: {widest(found):.1%} of harmless comments held")
        for gap in found:
            click.echo(
                f"  {gap.identity:<26} {gap.pairs:>5} pairs, wrongly {gap.held_wrongly:.1%}, "
                f"rightly {gap.held_rightly:.1%}, ranked {gap.ranked_rightly:.1%}"
            )


if __name__ == "__main__":
    main(prog_name="python -m worker.training")
