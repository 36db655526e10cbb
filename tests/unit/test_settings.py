"""Settings: what the environment may say, and how it is told that it may not."""

from dataclasses import Field, FrozenInstanceError, fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from service.settings import Settings, SettingsError, load

SECRET = "s" * 32


def refusal(**variables: str) -> str:
    """Return why these variables are refused."""
    with pytest.raises(SettingsError) as refused:
        load({"SECRET_KEY": SECRET} | variables)
    return str(refused.value)


def test_only_the_secret_is_required() -> None:
    with pytest.raises(SettingsError) as refused:
        load({})
    assert str(refused.value).startswith("SECRET_KEY: is required")
    assert load({"SECRET_KEY": SECRET}).port == 8000


def test_all_mistakes_are_told_at_once_with_an_example_each() -> None:
    told = refusal(PORT="many", BASE_URL="example.org", SWEEP_SECONDS="-1", LOG_LEVEL="LOUD")
    assert [line.partition(":")[0] for line in told.splitlines()] == [
        "PORT", "BASE_URL", "LOG_LEVEL", "SWEEP_SECONDS",
    ]  # fmt: skip
    assert all("Example: " in line for line in told.splitlines())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "8000.5"),
        ("PORT", "-1"),
        ("WEB_THREADS", "0"),
        ("WEB_PROCESSES", "two"),
        ("COMMIT_TIMEOUT", "0"),
        ("COMMIT_TIMEOUT", "nan"),
        ("COMMIT_TIMEOUT", "inf"),
        ("CHECK_TIMEOUT", "soon"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "anteroom.db"),
        ("REDIS_URL", "localhost:6379"),
        ("BASE_URL", "ftp://example.org"),
        ("BASE_URL", "https://"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "everybody"),
        ("SECURE_COOKIES", "maybe"),
        ("SECRET_KEY", "short"),
        ("KEEP_EMAIL_DAYS", "forever"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    assert refusal(**{name: value}).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value", "meaning"),
    [
        ("PORT", "65535", 65535),
        ("WEB_THREADS", "4", 4),
        ("COMMIT_TIMEOUT", "0.5", 0.5),
        ("DATABASE_URL", "postgresql://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
        ("DATABASE_URL", "sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
        ("REDIS_URL", "unix:///tmp/r.sock", "unix:///tmp/r.sock"),
        ("BASE_URL", "https://example.org/", "https://example.org"),
        ("LOG_LEVEL", "warning", "WARNING"),
        ("SECURE_COOKIES", "yes", True),
        ("SECURE_COOKIES", "off", False),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1/128", (ip_network("10.0.0.0/8"), ip_network("::1"))),
        ("TRUSTED_PROXIES", "", ()),
        ("DATA_DIR", "/var/lib/anteroom", Path("/var/lib/anteroom")),
    ],
)
def test_what_can_be_used_is_typed(name: str, value: str, meaning: object) -> None:
    assert getattr(load({"SECRET_KEY": SECRET, name: value}), name.lower()) == meaning


def test_an_empty_variable_means_the_default() -> None:
    given = {item.name.upper(): "" for item in fields(Settings)}
    assert load(given | {"SECRET_KEY": SECRET}) == load({"SECRET_KEY": SECRET})


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    assert load({"SECRET_KEY_FILE": str(path)}).secret_key == SECRET
    assert "SECRET_KEY: " in refusal(SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "missing"))


@pytest.mark.parametrize(("base_url", "secure"), [("https://a.example", True), ("http://a", False)])
def test_cookies_follow_the_address(base_url: str, secure: bool) -> None:
    assert load({"SECRET_KEY": SECRET, "BASE_URL": base_url}).secure_cookies is secure


def test_the_database_file_is_known_on_sqlite_only() -> None:
    sqlite = load({"SECRET_KEY": SECRET, "DATABASE_URL": "sqlite:////tmp/a.db"})
    postgresql = load({"SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://a/b"})
    assert (sqlite.sqlite_path, postgresql.sqlite_path) == (Path("/tmp/a.db"), None)


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_each_setting_is_described_and_its_example_can_be_used(item: Field[object]) -> None:
    assert item.metadata["doc"]
    assert item.metadata["example"]
    command = item.metadata["secret"] and item.metadata["example"].startswith("openssl ")
    if not command:
        load({"SECRET_KEY": SECRET, item.name.upper(): item.metadata["example"]})


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        load({"SECRET_KEY": SECRET}).port = 1  # type: ignore[misc]


def test_an_unusable_secret_is_not_repeated() -> None:
    assert "hunter2" not in refusal(SECRET_KEY="hunter2")
