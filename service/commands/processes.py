"""Commands that bring processes up: run, web, migrate."""

import click

from service import settings
from service.local import installed, machine
from service.storage import open_store
from service.web_server import serve


@click.command()
def run() -> None:
    """Start everything on this machine and keep it running until Ctrl-C.

    Honours HOST, PORT, DATA_DIR, REDIS_URL and DATABASE_URL; without the last
    two it starts a Redis of its own and uses SQLite, both under DATA_DIR.
    """
    machine.run(say=click.echo)


@click.command()
def web() -> None:
    """Serve HTTP in the foreground, on HOST and PORT."""
    serve(settings.load())


@click.command()
def migrate() -> None:
    """Bring the database's schema to the newest revision."""
    store = open_store(installed.load().database_url)
    store.migrate()
    store.close()
    click.echo("The schema is current.")


COMMANDS: tuple[click.Command, ...] = (run, web, migrate)
