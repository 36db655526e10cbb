"""Commands about webhooks: endpoints, their secrets, what they were told."""

import secrets
from datetime import timedelta

import click
from sqlalchemy import Connection

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.domain.webhook import Endpoint, EventType, Message, MessageState
from service.keyring import Keyring
from service.local import Refused, installed
from service.storage import outbox
from service.storage.sites import site_by_slug
from service.webhooks.sending import Unsendable, checked_url
from service.webhooks.signing import secret_of

_EVENTS = click.Choice([event.value for event in EventType])
_STATES = click.Choice([state.value for state in MessageState])


@click.group()
def webhooks() -> None:
    """Tell websites what became of their comments, and see what they were told."""


@webhooks.command()
@click.argument("slug")
@click.argument("url")
@click.option("--event", "events", multiple=True, type=_EVENTS, help="Only this; may be repeated.")
def add(slug: str, url: str, events: tuple[str, ...]) -> None:
    """Tell the site SLUG of its comments at URL; print the secret for its signatures."""
    try:
        checked_url(url)
    except Unsendable as error:
        raise Refused(f"{url}: {error}.") from error
    wanted = [EventType(event) for event in events]
    with migrated_store() as store, store.write() as db:
        site = site_by_slug(db, slug)
        if site is None:
            raise Refused(f"There is no site {slug!r}.")
        endpoint = outbox.add_endpoint(
            db, site.id, url, seed=_new_seed(), now=utc_now(), events=wanted
        )
    _tell_secret(endpoint)


@webhooks.command("list")
def list_all() -> None:
    """Print every endpoint: whom it serves, how it does, how many messages stand where."""
    with migrated_store() as store, store.read() as db:
        counts = outbox.counts_by_state(db)
        for endpoint in outbox.list_endpoints(db):
            numbers = counts.get(endpoint.id, {})
            told = ", ".join(f"{numbers.get(state, 0)} {state.value}" for state in MessageState)
            click.echo(f"{endpoint.id}  {endpoint.site_slug}  {endpoint.url}")
            click.echo(f"   {_health(endpoint)}; {told}")


@webhooks.command("rotate-secret")
@click.argument("endpoint_id", type=int)
@click.option(
    "--overlap-hours",
    type=click.FloatRange(min=0),
    default=24,
    show_default=True,
    help="How long messages are signed with the old secret as well.",
)
def rotate_secret(endpoint_id: int, overlap_hours: float) -> None:
    """Give an endpoint a new secret and print it."""
    until = utc_now() + timedelta(hours=overlap_hours)
    with migrated_store() as store, store.write() as db:
        old = _known(db, endpoint_id)
        outbox.update_endpoint(
            db, endpoint_id, seed=_new_seed(), old_seed=old.seed, old_until=until
        )
        endpoint = _known(db, endpoint_id)
    _tell_secret(endpoint)
    click.echo(f"The old secret ends in {overlap_hours:g} hours.", err=True)


@webhooks.command()
@click.argument("endpoint_id", type=int)
def disable(endpoint_id: int) -> None:
    """Tell an endpoint nothing more; what waits for it is given up and stays in the log."""
    with migrated_store() as store, store.write() as db:
        _known(db, endpoint_id)
        outbox.disable_endpoint(db, endpoint_id, "switched off by hand", utc_now())


@webhooks.command()
@click.argument("endpoint_id", type=int)
def enable(endpoint_id: int) -> None:
    """Tell an endpoint again of what happens from now on."""
    with migrated_store() as store, store.write() as db:
        _known(db, endpoint_id)
        outbox.update_endpoint(
            db, endpoint_id, disabled_at=None, disabled_why="", failures=0, resting_until=None
        )


@webhooks.command()
@click.option("--endpoint", "endpoint_id", type=int, help="Only this one.")
@click.option("--state", type=_STATES, help="Only messages that stand so.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def log(endpoint_id: int | None, state: str | None, limit: int) -> None:
    """Print what websites were told, newest first, with every attempt."""
    with migrated_store() as store, store.read() as db:
        wanted = MessageState(state) if state else None
        messages = outbox.list_messages(db, state=wanted, endpoint_id=endpoint_id, limit=limit)
        attempts = outbox.deliveries_of(db, [message.id for message in messages])
    for message in messages:
        click.echo(_line(message))
        for attempt in attempts[message.id]:
            came = attempt.status or attempt.error
            click.echo(f"   {attempt.at.isoformat()}  {came}  {attempt.took_ms} ms")


@webhooks.command()
@click.argument("message", required=False)
@click.option("--dead", "endpoint_id", type=int, help="All that was given up, of this endpoint.")
def resend(message: str | None, endpoint_id: int | None) -> None:
    """Send the message with the id MESSAGE again, or all dead ones of an endpoint."""
    if (message is None) == (endpoint_id is None):
        raise Refused("Say either a message or --dead ENDPOINT.")
    with migrated_store() as store, store.write() as db:
        count = outbox.send_again(db, utc_now(), key=message, endpoint_id=endpoint_id)
    if not count:
        raise Refused("There is nothing to send again, or its endpoint is switched off.")
    click.echo(f"{count} to be sent again")


def _known(db: Connection, endpoint_id: int) -> Endpoint:
    endpoint = outbox.endpoint_by_id(db, endpoint_id)
    if endpoint is None:
        raise Refused(f"There is no endpoint {endpoint_id}; `webhooks list` shows them.")
    return endpoint


def _new_seed() -> str:
    return secrets.token_hex(16)


def _tell_secret(endpoint: Endpoint) -> None:
    keyring = Keyring(installed.load().secret_key)
    click.echo(f"endpoint={endpoint.id}")
    click.echo(f"secret={secret_of(keyring, endpoint)}")


def _health(endpoint: Endpoint) -> str:
    if endpoint.disabled_at:
        return f"off: {endpoint.disabled_why}"
    if endpoint.failures:
        return f"failed {endpoint.failures} times in a row"
    return "on"


def _line(message: Message) -> str:
    data = message.payload["data"]
    return (
        f"{message.key}  {message.created_at.isoformat()}  {message.type.value:<17}"
        f"  {message.state.value:<9}  comment {data['id']}  endpoint {message.endpoint_id}"
    )


COMMANDS: tuple[click.Command, ...] = (webhooks,)
