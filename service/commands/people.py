"""The commands about moderators: create-moderator, update-moderator."""

from collections.abc import Sequence

import click

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.domain.comment import SiteId
from service.domain.decision import Role
from service.domain.errors import LastAdmin, LoginTaken
from service.keyring import digest, new_token
from service.local import Refused
from service.moderation.staff import Rights, Staff, new_password
from service.storage import Store, people
from service.storage.people import Account, add_token
from service.storage.sites import site_by_slug

_ROLES = click.Choice([role.value for role in Role])
#: Who makes changes from the command line, as the log of changes names them.
_OPERATOR = "operator"


@click.command("create-moderator")
@click.argument("login")
@click.option("--role", type=_ROLES, default=Role.MODERATOR.value, show_default=True)
@click.option("--site", "sites", multiple=True, help="Slug of a site to review; else every site.")
@click.option("--ask-password", is_flag=True, help="Ask for the password instead of making one up.")
def create(login: str, role: str, sites: Sequence[str], ask_password: bool) -> None:
    """Make a moderator and print the password and an API token, once."""
    password = new_password()
    if ask_password:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    token = new_token()
    with migrated_store() as store:
        rights = Rights(Role(role), _site_ids(store, sites))
        try:
            person = Staff(store, utc_now).add(login, rights, password, actor=_OPERATOR)
        except LoginTaken as error:
            raise Refused(f"There is a moderator {login!r} already.") from error
        with store.write() as db:
            add_token(db, person.id, digest(token), "token", now=utc_now())
    if not ask_password:
        click.echo(f"password={password}")
    click.echo(f"api_token={token}")


@click.command("update-moderator")
@click.argument("login")
@click.option("--role", type=_ROLES, help="Replace the role.")
@click.option("--site", "sites", multiple=True, help="Slug of a site to review, and no others.")
@click.option("--every-site", is_flag=True, help="Let them review every site.")
@click.option("--disable/--enable", "disabled", default=None, help="Shut out, or let in again.")
@click.option("--new-password", "renew", is_flag=True, help="Make a new password and print it.")
@click.option("--no-totp", is_flag=True, help="Ask for no one-time password any more.")
def update(
    login: str,
    role: str | None,
    sites: Sequence[str],
    every_site: bool,
    disabled: bool | None,
    renew: bool,
    no_totp: bool,
) -> None:
    """Change what a moderator may do, or how they sign in."""
    with migrated_store() as store:
        account, staff = _account(store, login), Staff(store, utc_now)
        chosen = None if every_site else _site_ids(store, sites) or account.moderator.sites
        rights = Rights(Role(role) if role else account.moderator.role, chosen)
        try:
            if (rights.role, rights.sites) != (account.moderator.role, account.moderator.sites):
                staff.give(account.moderator.id, rights, actor=_OPERATOR)
            if disabled is not None:
                change = staff.disable if disabled else staff.enable
                change(account.moderator.id, actor=_OPERATOR)
        except LastAdmin as error:
            raise Refused(f"{login!r} is the last admin who can sign in.") from error
        if no_totp:
            staff.set_totp(account.moderator.id, None, actor=_OPERATOR)
        if renew:
            password = new_password()
            staff.set_password(account.moderator.id, password, actor=_OPERATOR)
            click.echo(f"password={password}")


def _account(store: Store, login: str) -> Account:
    with store.read() as db:
        found = [each for each in people.accounts(db) if each.moderator.login == login]
    if not found:
        raise Refused(f"There is no moderator {login!r}.")
    return found[0]


def _site_ids(store: Store, slugs: Sequence[str]) -> frozenset[SiteId] | None:
    if not slugs:
        return None
    with store.read() as db:
        found = {slug: site_by_slug(db, slug) for slug in slugs}
    unknown = [slug for slug, site in found.items() if site is None]
    if unknown:
        raise Refused(f"There is no site {unknown[0]!r}.")
    return frozenset(site.id for site in found.values() if site)


COMMANDS: tuple[click.Command, ...] = (create, update)
