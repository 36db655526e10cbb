"""Commands that look after the record: sweep, stats, erase."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.jobs import JobQueue
from service.keyring import Keyring
from service.local import installed
from service.moderation import Moderation
from service.storage.reviewing import StatusCount, counts_by_status
from service.storage.sites import list_sites


@contextmanager
def _moderation() -> Iterator[Moderation]:
    configured = installed.load()
    jobs = JobQueue(configured.redis_url)
    try:
        with migrated_store() as store:
            yield Moderation(store, jobs, Keyring(configured.secret_key), configured)
    finally:
        jobs.close()


@click.command()
def sweep() -> None:
    """Recover lost jobs and delete what was kept long enough, once; the worker does so anyway."""
    with _moderation() as moderation:
        swept, retained = moderation.sweep(), moderation.retain()
    click.echo(swept.skipped or f"{swept.requeued + swept.alone} comments put into new jobs")
    if swept.given_up:
        click.echo(f"{swept.given_up} comments held because they could not be judged")
    click.echo(
        retained.skipped
        or f"Deleted by age: {retained.addresses} addresses,"
        f" {retained.emails} e-mail addresses, {retained.texts} texts"
    )


@click.command()
@click.option("--email", required=True, help="The writer's e-mail address.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(email: str, yes: bool) -> None:
    """Erase all comments written under an e-mail address, on every site, for good."""
    if not yes:
        click.confirm(f"Erase every comment by {email}? This cannot be undone", abort=True)
    with _moderation() as moderation:
        click.echo(f"{moderation.erase_email(email)} comments erased")


@click.command()
def stats() -> None:
    """Print how many comments stand where, and how many jobs wait."""
    with migrated_store() as store, store.read() as db:
        counts = {"all sites": counts_by_status(db)}
        counts |= {site.slug: counts_by_status(db, site.slug) for site in list_sites(db)}
    now = utc_now()
    for name, statuses in counts.items():
        click.echo(name)
        for status, count in statuses.items():
            click.echo(f"  {status.value:<10} {count.count:>9}{_age(count, now)}")
    click.echo(f"job queue\n{_queue_lines()}")


def _age(count: StatusCount, now: datetime) -> str:
    return f"   oldest {(now - count.oldest).total_seconds():.0f} s ago" if count.oldest else ""


def _queue_lines() -> str:
    jobs = JobQueue(installed.load().redis_url)
    try:
        depths = jobs.depths()
    finally:
        jobs.close()
    if depths is None:
        return "  Redis is away"
    return "\n".join(f"  {name:<10} {depth:>9}" for name, depth in depths.items())


COMMANDS: tuple[click.Command, ...] = (sweep, erase, stats)
