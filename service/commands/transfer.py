"""The command that takes comments in from elsewhere: import."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import click
from tqdm import tqdm

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.keyring import Keyring
from service.local import Refused, installed
from service.storage.sites import site_by_slug
from service.transfer.disqus import read_disqus
from service.transfer.importing import Importer
from service.transfer.isso import count_isso, read_isso
from service.transfer.lines import read_lines
from service.transfer.records import Record, Unreadable
from service.transfer.report import Report
from service.transfer.wxr import ThreadKey, read_wxr

_FORMATS = click.Choice(["wxr", "disqus", "isso", "jsonl"])


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "slug", required=True, help="Whose comments they become.")
@click.option("--format", "shape", type=_FORMATS, required=True)
@click.option(
    "--thread-key",
    type=click.Choice(["url", "id"]),
    default="url",
    show_default=True,
    help="How your pages name their threads: by address, or by the id of the other system.",
)
@click.option("--origin", default="", help="For isso: scheme://host before the paths of its pages.")
@click.option(
    "--source",
    default="",
    help="A name for the website that FILE is from, where FILE does not tell it.",
)
def import_comments(
    file: Path, slug: str, shape: str, thread_key: ThreadKey, origin: str, source: str
) -> None:
    """Take the comments of FILE in, with all their states, and say what became what.

    What waited for a person there waits for a person here; nothing is judged
    anew and no website is told. A comment is imported once, however often this runs.
    """
    if shape == "isso" and not (origin or source.strip()):
        # Without a name the same file, named the next time, would come in twice.
        raise Refused("An Isso file does not say whose it is: give --origin or --source.")
    with migrated_store() as store:
        with store.read() as db:
            site = site_by_slug(db, slug)
        if site is None:
            raise Refused(f"There is no site {slug!r}.")
        importer = Importer(store, Keyring(installed.load().secret_key), site)
        try:
            importer.run(_records(file, shape, thread_key, origin, source.strip()), utc_now())
        except Unreadable as error:
            _tell(importer.report)
            raise Refused(
                f"{file} could not be read to its end: {error}. What came before is imported;"
                " mend the file and run this again: nothing is imported twice."
            ) from error
    _tell(importer.report)


def _records(
    file: Path, shape: str, thread_key: ThreadKey, origin: str, source: str
) -> Iterator[Record]:
    """Yield the comments of the file, and show how far it was read."""
    if shape == "isso":
        with tqdm(total=count_isso(file), unit="", desc="imported", leave=False) as bar:
            for record in read_isso(file, origin, thread_key, source):
                yield record
                bar.update()
        return
    readers: dict[str, Callable[[BinaryIO], Iterator[Record]]] = {
        "wxr": lambda opened: read_wxr(opened, thread_key, source),
        "disqus": lambda opened: read_disqus(opened, thread_key, source),
        "jsonl": read_lines,
    }
    size = file.stat().st_size
    with (
        file.open("rb") as opened,
        tqdm(total=size, unit="B", unit_scale=True, desc="read", leave=False) as bar,
    ):
        for record in readers[shape](opened):
            yield record
            bar.update(opened.tell() - bar.n)


def _tell(report: Report) -> None:
    click.echo(f"{report.stored} comments imported")
    for (state, status), count in sorted(report.mapped.items()):
        click.echo(f"  {count:>9}  {state} -> {'held' if status == 'pending' else status.value}")
    for why, count in sorted(report.left_out.items()):
        click.echo(f"  {count:>9}  {why} and are left out")
    for count, what in (
        (report.existing, "were imported before"),
        (report.erased, "were erased here and are left out"),
        (report.cut, "had a text that was too long and was cut"),
        (report.redated, "told no time that can be, and carry that of this import"),
        (report.adopted, "came before the comment that they answer"),
        (report.parentless, "answer a comment that is not in the file; they stand at the top"),
        (report.elsewhere, "answer a comment of another thread; they stand at the top"),
        (report.raised, "stood deeper than conversations of the site, and stand higher"),
        (report.unnamed, "have no external id here: it is another comment's, or none can be so"),
        (report.clashing, "were left out: another comment has their number; see --source"),
        (report.broken, "are no proper comments and are left out:"),
    ):
        if count:
            click.echo(f"  {count:>9}  {what}")
    for broken in report.broken_ones:
        click.echo(f"             {broken}")


COMMANDS: tuple[click.Command, ...] = (import_comments,)
