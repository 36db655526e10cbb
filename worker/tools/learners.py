"""`python -m worker learner ...`: what sites' learners are, and how many decisions one needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click

from service.domain.clock import utc_now
from service.domain.learner import SiteLearner
from service.domain.site import Site
from service.local import installed
from service.settings import SettingsError
from service.storage import Store, learners, open_store
from service.storage.sites import list_sites, site_by_slug
from worker.learner.simulation import Simulation, Staff, simulate
from worker.models.shelf import shipped_models
from worker.ruleset.shipped import load_ruleset
from worker.tools.corpus import Sample, UnreadableCorpus, read_samples

#: The actor of what is done at a terminal.
_ACTOR = "cli"
_SHOWN_AT = (50, 100, 150, 200, 300, 500, 1_000, 2_000)


@click.group()
def learner() -> None:
    """Tell of the learners of sites, reset one, or try one on labelled comments."""


@learner.command()
@click.argument("slug", required=False)
def status(slug: str | None) -> None:
    """Tell how far the learner of each site is, or that of SLUG."""
    with _store() as store, store.read() as db:
        sites = list_sites(db) if slug is None else [_site(store, slug)]
        for site in sites:
            for line in _told(site, learners.learner_of(db, site.id)):
                click.echo(line)


@learner.command()
@click.argument("slug")
def reset(slug: str) -> None:
    """Forget what the learner of SLUG learned; it begins anew with decisions from now on."""
    with _store() as store:
        site = _site(store, slug)
        with store.write() as db:
            learners.reset(db, site.id, _ACTOR, utc_now())
    click.echo(f"The learner of {slug} knows nothing any more.")


@learner.command(name="simulate")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--split", help="Only rows whose column `split` says this.")
@click.option("--source", "sources", multiple=True, help="Only rows of this source; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many rows of each file.")
@click.option("--people", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--hostile", type=click.IntRange(0), default=0, help="So many of them invert all.")
@click.option("--slips", type=click.FloatRange(0, 1), default=0.02, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def simulate_(
    files: tuple[Path, ...], split: str | None, sources: tuple[str, ...], limit: int | None,
    **staff: int,
) -> None:  # fmt: skip
    """Let people decide on the labelled comments of FILES as the labels say, and a learner learn.

    They see what the shipped rules hold, and a tenth of the rest. Prints after how many
    decisions the learner is proven, and by the labels what it would have changed.
    """
    samples = [
        sample
        for file in files
        for sample in islice(_samples(file, split, sources), limit)
    ]  # fmt: skip
    found = simulate(samples, load_ruleset(), shipped_models(), Staff(**staff))
    for line in _simulated(found):
        click.echo(line)


def _samples(file: Path, split: str | None, sources: tuple[str, ...]) -> Iterator[Sample]:
    try:
        yield from read_samples(file, split=split, sources=sources)
    except UnreadableCorpus as error:
        raise click.ClickException(f"{file}: {error}") from error


def _simulated(found: Simulation) -> Iterator[str]:
    yield f"{'decisions':>9} {'state':<9} {'wrong':>6} {'spared':>6} {'right':>6} {'missed':>6}"\
        f" {'slipped':>7} {'caught':>6} {'delayed':>7}"  # fmt: skip
    last = len(found.course) - 1
    for place, (number, state, did) in enumerate(found.course):
        if number in _SHOWN_AT or place == last or number == found.proven_after:
            yield (
                f"{number:>9} {state:<9} {did.wrong_holds:>6} {did.spared:>6}"
                f" {did.right_holds:>6} {did.missed:>6} {did.slipped:>7} {did.caught:>6}"
                f" {did.delayed:>7}"
            )
    if found.course and found.proven_after is None:
        yield f"Not proven: {found.course[-1][2].obstacle}"
    else:
        yield f"Proven after {found.proven_after} decisions."
    truth = found.truth
    yield (
        f"By the labels it would have spared {truth['spared']} of {truth['wrong']} wrong holds,"
        f" missed {truth['missed']} of {truth['right']} right ones, caught {truth['caught']}"
        f" that slipped through and delayed {truth['delayed']} that were fine."
    )


def _told(site: Site, found: SiteLearner) -> Iterator[str]:
    did = found.figures
    version = f", version {found.version} ({found.hash})" if found.version else ""
    yield f"{site.slug}: {found.state}{version}, learned from {did.decisions} decisions"
    if did.judged:
        yield f"  {did.sentence}"
    if did.obstacle:
        yield f"  {did.obstacle}"


@contextmanager
def _store() -> Iterator[Store]:
    try:
        store = open_store(installed.load().database_url)
    except SettingsError as error:
        raise click.UsageError(f"unusable settings:\n{error}") from error
    try:
        yield store
    finally:
        store.close()


def _site(store: Store, slug: str) -> Site:
    with store.read() as db:
        site = site_by_slug(db, slug)
    if site is None:
        raise click.ClickException(f"There is no site {slug!r}.")
    return site
