"""Whoever waits for a late verdict when a new version comes: no plain key of theirs stays."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from service.storage import Store, akismet, schema
from service.storage.akismet import Check, Kept
from service.storage.tables import akismet_checks
from tests.contract.desk import Desk


def waits(desk: Desk) -> None:
    """Let somebody wait for the verdict on a comment."""
    check = Check(verdict=None, fingerprint="f", callback="https://a.example/", sealed_key="s")
    comment_id = desk.submit()
    with desk.store.write() as db:
        akismet.keep(db, [Kept(comment_id, desk.site.id, check)], desk.now)


def earlier_schema(store: Store) -> None:
    """Take the schema back to where keys were kept plain, and keep one."""
    _on(store, lambda config: command.downgrade(config, "0007"))
    _on(store, lambda config: command.downgrade(config, "-1"))
    with store.write() as db:
        plain = "callback = 'https://a.example/', callback_key = '0123456789ab', next_at = 1"
        db.execute(sa.text(f"UPDATE akismet_checks SET {plain}"))


def _on(store: Store, act: Callable[[Config], None]) -> None:
    config = schema._config()
    with store.write() as db:
        config.attributes["connection"] = db
        act(config)


def test_an_upgrade_forgets_the_keys_that_were_kept_plain(desk: Desk) -> None:
    waits(desk)
    earlier_schema(desk.store)

    desk.store.migrate()

    with desk.store.read() as db:
        row = db.execute(sa.select(akismet_checks)).one()
        columns = {column["name"] for column in sa.inspect(db).get_columns("akismet_checks")}
    assert (row.callback, row.sealed_key, row.next_at, row.awaits_person) == (None,) * 3 + (False,)
    assert "callback_key" not in columns
