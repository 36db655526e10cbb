"""Commands about sites and their keys."""

from datetime import timedelta
from typing import Any

import click
from sqlalchemy.exc import IntegrityError

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.domain.site import KeyKind, Moderation
from service.installation import fresh_credentials, has_sites, install
from service.keyring import Keyring, new_key
from service.local import Refused, installed
from service.storage.sites import add_key, create_site, rotate_keys, site_by_slug, update_site

_KINDS = click.Choice([kind.value for kind in KeyKind])
_MODERATION = click.Choice([mode.value for mode in Moderation])


@click.command()
@click.option("--origin", "origins", multiple=True, help="Where readers' browsers may post from.")
def setup(origins: tuple[str, ...]) -> None:
    """Make the first site and the first moderator; print their credentials, once."""
    known = installed.load()
    base_url, keyring = known.base_url, Keyring(known.secret_key)
    with migrated_store() as store:
        if has_sites(store):
            raise Refused("There is a site already: this is for new installations.")
        credentials = fresh_credentials(base_url)
        install(store, credentials, keyring=keyring, origins=origins or [base_url], now=utc_now())
    click.echo(credentials.as_json(), nl=False)


@click.command("create-site")
@click.argument("slug")
@click.option("--name", help="What moderators read; the slug if not given.")
@click.option("--origin", "origins", multiple=True, help="scheme://host[:port]; may be repeated.")
@click.option(
    "--moderation",
    type=_MODERATION,
    default=Moderation.RULES.value,
    show_default=True,
    help="Who looks first: the rules, or a person at all comments.",
)
def create(slug: str, name: str | None, origins: tuple[str, ...], moderation: str) -> None:
    """Make a site and print its keys, once."""
    now = utc_now()
    keys = {kind: new_key(kind) for kind in KeyKind}
    keyring = Keyring(installed.load().secret_key)
    with migrated_store() as store, store.write() as db:
        try:
            site = create_site(
                db,
                slug=slug,
                name=name or slug,
                origins=origins,
                moderation=Moderation(moderation),
                now=now,
            )
        except IntegrityError as error:
            raise Refused(f"There is a site {slug!r} already.") from error
        for kind, key in keys.items():
            add_key(db, site.id, kind, key, keyring=keyring, now=now)
    for kind, key in keys.items():
        click.echo(f"{kind.value}_key={key}")


@click.command("rotate-key")
@click.argument("slug")
@click.option("--kind", type=_KINDS, required=True)
@click.option(
    "--overlap-hours",
    type=click.FloatRange(min=0),
    default=24,
    show_default=True,
    help="How long the old keys go on working.",
)
def rotate_key(slug: str, kind: str, overlap_hours: float) -> None:
    """Give a site a new key of one kind and print it, once."""
    key = new_key(KeyKind(kind))
    keyring = Keyring(installed.load().secret_key)
    overlap = timedelta(hours=overlap_hours)
    with migrated_store() as store, store.write() as db:
        site = site_by_slug(db, slug)
        if site is None:
            raise Refused(f"There is no site {slug!r}.")
        rotate_keys(
            db, site.id, KeyKind(kind), key, keyring=keyring, now=utc_now(), overlap=overlap
        )
    click.echo(f"{kind}_key={key}")
    click.echo(f"Older {kind} keys end in {overlap_hours:g} hours.", err=True)


@click.command("update-site")
@click.argument("slug")
@click.option("--name", help="What moderators read.")
@click.option("--origin", "origins", multiple=True, help="Replaces all; may be repeated.")
@click.option("--moderation", type=_MODERATION, help="Who looks first.")
@click.option("--require-name/--allow-no-name", default=None, help="Whether authors need a name.")
@click.option("--require-email/--allow-no-email", default=None, help="... and an address.")
@click.option("--honeypot-field", help="Form field that readers do not see.")
@click.option("--max-depth", type=click.IntRange(1, 20), help="How deep replies may go.")
@click.option("--reports-to-reopen", type=click.IntRange(1), help="Reports that send one back.")
@click.option(
    "--public-per-minute", type=click.IntRange(1), help="Posts by public key, of all readers."
)
@click.option("--server-per-minute", type=click.IntRange(1), help="Posts by server key.")
@click.option(
    "--akismet-keep-days",
    type=click.IntRange(0),
    help="How long what Akismet clients have checked is kept; 0: not at all.",
)
@click.option(
    "--akismet-discard/--akismet-keep-all",
    default=None,
    help="Whether Akismet clients are told to throw blatant spam away.",
)
@click.option("--house-rules", help="What authors of held comments are told.")
def update(slug: str, **changes: Any) -> None:
    """Change how a site takes comments; what is not named stays as it is."""
    changes["origins"] = list(changes["origins"]) or None
    given = {name: value for name, value in changes.items() if value is not None}
    with migrated_store() as store, store.write() as db:
        site = site_by_slug(db, slug)
        if site is None:
            raise Refused(f"There is no site {slug!r}.")
        if not given:
            raise Refused("Say what to change; --help lists it.")
        update_site(db, site.id, **given)


COMMANDS: tuple[click.Command, ...] = (setup, create, update, rotate_key)
