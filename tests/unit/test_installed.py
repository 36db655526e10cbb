"""Commands beside a one-machine installation: where their settings come from."""

from pathlib import Path

import pytest

from service.installation import fresh_credentials
from service.local import installed
from service.local.data_directory import secret_key
from service.settings import SettingsError

OURS = "the secret of quite another installation"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of an installation, and an environment that names nothing else."""
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path


def test_what_the_environment_leaves_open_is_found_in_the_data_directory(directory: Path) -> None:
    secret = secret_key(directory)
    address = "http://127.0.0.1:8123"
    (directory / "credentials.json").write_text(fresh_credentials(address).as_json())

    found = installed.load()

    assert (found.secret_key, found.base_url) == (secret, address)
    assert found.database_url == f"sqlite:///{directory}/anteroom.db"
    assert found.redis_url.startswith("unix://")
    assert found.redis_url.endswith("redis.sock")


def test_what_the_environment_says_counts(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_key(directory)
    monkeypatch.setenv("DATABASE_URL", "postgresql://postgres/anteroom")

    assert installed.load().database_url == "postgresql+psycopg://postgres/anteroom"


def test_a_secret_in_the_environment_means_another_installation(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret_key(directory)
    monkeypatch.setenv("SECRET_KEY", OURS)

    found = installed.load()

    assert (found.secret_key, found.redis_url) == (OURS, "redis://127.0.0.1:6379/0")


def test_where_nothing_is_installed_a_secret_is_required(directory: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY: is required"):
        installed.load()
    assert not list(directory.iterdir())


def test_an_installation_of_somebody_else_is_told(directory: Path) -> None:
    (directory / "secret.key").mkdir()

    with pytest.raises(SettingsError, match="cannot be read"):
        installed.load()
