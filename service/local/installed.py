"""Settings for commands beside a one-machine installation, which keeps its own under DATA_DIR."""

from collections.abc import Mapping
from pathlib import Path

from service import settings
from service.installation import read_credentials
from service.local import redis_server
from service.local.data_directory import KEY_FILE, secret_key
from service.settings import Settings, SettingsError


def load() -> Settings:
    """Return the settings of the environment, and for the rest what `run` left in DATA_DIR.

    Whoever names a secret means another installation: then only the environment
    counts, as it does where nothing was installed. Raises SettingsError.
    """
    given = settings.environment()
    directory = Path(given.get("DATA_DIR") or ".data").resolve()
    try:
        kept = {} if is_given(given, "SECRET_KEY") else _kept(directory)
    except OSError as error:
        raise SettingsError(f"{directory} cannot be read: {error.strerror}") from error
    return settings.load(filled(given, kept))


def own(directory: Path) -> dict[str, str]:
    """Return where the installation in `directory` keeps what is not kept elsewhere."""
    return {
        "DATA_DIR": str(directory),
        "REDIS_URL": f"unix://{redis_server.socket_path(directory / 'redis')}",
        "DATABASE_URL": f"sqlite:///{directory / 'anteroom.db'}",
    }


def _kept(directory: Path) -> dict[str, str]:
    if not (directory / KEY_FILE).exists():
        return {}
    credentials = read_credentials(directory / "credentials.json")
    address = {"BASE_URL": credentials.base_url} if credentials else {}
    return {**own(directory), **address, "SECRET_KEY": secret_key(directory)}


def filled(given: Mapping[str, str], rest: Mapping[str, str]) -> dict[str, str]:
    """Return what is given, and of the rest what is not."""
    missing = {name: value for name, value in rest.items() if not is_given(given, name)}
    return {**given, **missing}


def is_given(environ: Mapping[str, str], name: str) -> bool:
    """Whether a setting is given, itself or as the path of a file."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE"))
