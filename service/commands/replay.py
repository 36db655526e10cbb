"""The command that posts labelled comments to a running service: replay."""

from pathlib import Path

import click
from tqdm import tqdm

from service import settings
from service.installation import read_credentials
from service.local import Refused
from service.replay import ServiceGone, UnreadableFile, read_rows, table
from service.replay import replay as post_and_wait


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="Address of the service; that of `run` if not given.")
@click.option("--key", help="Server key of the site to post to; that of `run` if not given.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many comments.")
@click.option("--source", help="Only rows whose column `source` says this.")
@click.option("--connections", type=click.IntRange(1, 256), default=32, show_default=True)
def replay(
    file: Path, url: str | None, key: str | None, limit: int | None, source: str | None,
    connections: int,
) -> None:  # fmt: skip
    """Post the labelled comments of FILE (csv or csv.gz) and print what came of them."""
    url, key = _target(url, key)
    try:
        rows = read_rows(file, source=source, limit=limit)
        with (
            tqdm(total=len(rows), desc="posted", unit="", leave=False) as posted,
            tqdm(total=len(rows), desc="judged", unit="", leave=False) as judged,
        ):
            outcome = post_and_wait(
                rows, url, key, connections=connections, posted=posted.update, judged=judged.update
            )
    except UnreadableFile as error:
        raise Refused(f"{file}: {error}") from error
    except ServiceGone as error:
        raise Refused(str(error)) from error
    click.echo(table(outcome))


def _target(url: str | None, key: str | None) -> tuple[str, str]:
    """Return the address and the key given, else those of the one-machine installation."""
    if url and key:
        return url, key
    directory = Path(settings.environment().get("DATA_DIR") or ".data")
    kept = read_credentials(directory / "credentials.json")
    if kept is None:
        raise Refused(f"{directory} has no credentials.json; say --url and --key.")
    return url or kept.base_url, key or kept.server_key


COMMANDS: tuple[click.Command, ...] = (replay,)
