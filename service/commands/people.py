"""The command about moderators: create-moderator."""

import secrets

import click
from sqlalchemy.exc import IntegrityError

from service.commands import migrated_store
from service.domain.clock import utc_now
from service.domain.decision import Role
from service.keyring import digest, new_token
from service.local import Refused
from service.passwords import hash_password
from service.storage.people import add_token
from service.storage.people import create_moderator as store_moderator

_ROLES = click.Choice([role.value for role in Role])


@click.command("create-moderator")
@click.argument("login")
@click.option("--role", type=_ROLES, default=Role.MODERATOR.value, show_default=True)
@click.option("--ask-password", is_flag=True, help="Ask for the password instead of making one up.")
def create(login: str, role: str, ask_password: bool) -> None:
    """Make a moderator and print the password and an API token, once."""
    password = secrets.token_urlsafe(12)
    if ask_password:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    token = new_token()
    now = utc_now()
    with migrated_store() as store, store.write() as db:
        try:
            person = store_moderator(db, login, hash_password(password), Role(role), now)
        except IntegrityError as error:
            raise Refused(f"There is a moderator {login!r} already.") from error
        add_token(db, person.id, digest(token), "token", now=now)
    if not ask_password:
        click.echo(f"password={password}")
    click.echo(f"api_token={token}")


COMMANDS: tuple[click.Command, ...] = (create,)
