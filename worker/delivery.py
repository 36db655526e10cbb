"""The postman of this process: what the `webhooks` queue calls."""

from functools import cache

from service.keyring import Keyring
from service.settings import Settings, load
from service.storage import open_store
from service.webhooks.postman import Postman


def open_postman(settings: Settings) -> Postman:
    """Return a postman over the store that `settings` name."""
    return Postman(open_store(settings.database_url), Keyring(settings.secret_key), settings)


@cache
def current() -> Postman:
    """Return this process's postman, made from the environment when first asked for."""
    return open_postman(load())
