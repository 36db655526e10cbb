"""Settings: read from the environment once, typed, and refused if wrong.

This is the only module that reads the environment. Each setting states its
variable, its default, what it means and an example; the README's table is
checked against this list.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network


class SettingsError(Exception):
    """One or more settings are unusable; the message names each of them."""


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("must be a whole number of at least 1")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise ValueError("must be a whole number from 1 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("must be a number of seconds above 0")
    return number


def _switch(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("must be yes or no")
    return words[text.lower()]


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a http or https address")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text.replace("postgresql://", "postgresql+psycopg://", 1)


def _redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return text


def _smtp_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("must start with smtp:// or smtps:// and name a host")
    return text


def _secret(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def _log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _setting(
    parse: Callable[[str], Any], default: str | None, doc: str, example: str, secret: bool = False
) -> Any:
    """Describe one setting; `default` None makes it required, "" stays unparsed where empty."""
    return field(
        metadata={
            "parse": parse,
            "default": default,
            "doc": doc,
            "example": example,
            "secret": secret,
        }
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that operators can set. The variable is the field's name in capitals."""

    secret_key: str = _setting(
        _secret,
        None,
        "Signs receipts and sessions and keys every hash; keep it as long as the data",
        "openssl rand -hex 32",
        secret=True,
    )
    database_url: str = _setting(
        _database_url,
        "sqlite:///.data/anteroom.db",
        "Where the record is kept",
        "postgresql://anteroom:PASSWORD@postgres/anteroom",
        secret=True,
    )
    redis_url: str = _setting(
        _redis_url,
        "redis://127.0.0.1:6379/0",
        "Job queue, rate limits and rule counters",
        "redis://:PASSWORD@redis:6379/0",
        secret=True,
    )
    data_dir: Path = _setting(
        Path,
        ".data",
        "Database, Redis and credentials of a one-machine installation",
        "/var/lib/anteroom",
    )
    host: str = _setting(str, "127.0.0.1", "Address that the web server listens on", "0.0.0.0")
    port: int = _setting(_port, "8000", "Port that the web server listens on", "8080")
    base_url: str = _setting(
        _origin,
        "http://127.0.0.1:8000",
        "Address under which readers reach the service",
        "https://comments.example.org",
    )
    web_processes: int = _setting(_positive, "2", "Web server processes", "4")
    web_threads: int = _setting(_positive, "16", "Threads in each web process", "32")
    trusted_proxies: tuple[Network, ...] = _setting(
        _networks,
        "",
        "Networks of reverse proxies whose X-Forwarded-For is believed",
        "10.0.0.0/8, ::1/128",
    )
    metrics_token: str = _setting(
        str,
        "",
        "Bearer token for /metrics; without one only loopback and private addresses may read it",
        "openssl rand -hex 16",
        secret=True,
    )
    log_level: str = _setting(_log_level, "INFO", "Least severe log line written", "WARNING")
    address_per_minute: int = _setting(
        _positive,
        "10",
        "Comments a minute from one visitor address on one site",
        "5",
    )
    email_per_minute: int = _setting(
        _positive,
        "10",
        "Comments a minute from one e-mail address on one site",
        "5",
    )
    reports_per_minute: int = _setting(_positive, "5", "Reports a minute from one address", "2")
    logins_per_minute: int = _setting(
        _positive,
        "10",
        "Sign-in attempts a minute from one address, and for one login name",
        "5",
    )
    commit_timeout: float = _setting(
        _seconds,
        "2",
        "Seconds a request waits for its commit before it answers 503",
        "1",
    )
    check_timeout: float = _setting(
        _seconds,
        "5",
        "Seconds that POST /v1/check waits for a worker",
        "2",
    )
    sweep_seconds: float = _setting(
        _seconds,
        "5",
        "Seconds between sweeps for comments that wait too long",
        "10",
    )
    overdue_seconds: float = _setting(
        _seconds,
        "15",
        "Seconds after which a pending comment is put into a new job",
        "30",
    )
    rule_seconds: float = _setting(
        _seconds,
        "1",
        "Seconds that the rules may take over one comment before it is held",
        "2",
    )
    dns_seconds: float = _setting(
        _seconds,
        "0.1",
        "Seconds that a batch waits for mail servers to be looked up",
        "0.5",
    )
    webhook_timeout: float = _setting(
        _seconds,
        "10",
        "Seconds that a website may take to answer a webhook",
        "20",
    )
    webhook_networks: tuple[Network, ...] = _setting(
        _networks,
        "",
        "Private networks that webhooks may reach; without any only public addresses",
        "10.1.2.0/24, ::1/128",
    )
    keep_address_days: int = _setting(
        _positive,
        "30",
        "Days after which IP address and user agent are deleted",
        "7",
    )
    keep_email_days: int = _setting(
        _positive, "365", "Days after which e-mail addresses are deleted", "90"
    )
    keep_refused_days: int = _setting(
        _positive,
        "90",
        "Days after which the text of rejected comments and spam is deleted",
        "30",
    )
    sample_per_rule: int = _setting(
        _positive,
        "20",
        "Approved comments a day put before people for each rule in the shadow",
        "10",
    )
    sample_approved: int = _setting(
        _positive,
        "20",
        "Automatically approved comments a day put before people, whatever the rules say",
        "50",
    )
    session_hours: int = _setting(
        _positive, "12", "Hours after which moderators sign in again", "8"
    )
    secure_cookies: bool = _setting(
        _switch,
        "",
        "Send cookies over https only; follows BASE_URL when empty",
        "yes",
    )
    smtp_url: str = _setting(
        _smtp_url,
        "",
        "Mail server for messages to moderators; empty sends none",
        "smtp://user:PASSWORD@mail.example.org:587",
        secret=True,
    )
    mail_from: str = _setting(
        str,
        "anteroom@localhost",
        "Address that messages to moderators come from",
        "comments@example.org",
    )
    digest_after_hours: float = _setting(
        _seconds,
        "4",
        "Hours that a comment waits before moderators who asked for it are written to",
        "12",
    )
    digest_text: bool = _setting(
        _switch,
        "no",
        "Whether these messages quote the comments that wait",
        "yes",
    )
    demo_key: str = _setting(
        str,
        "",
        "Public key with which /demo posts; empty switches the page off",
        "pk_...",
    )

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None on PostgreSQL."""
        prefix = "sqlite:///"
        return (
            Path(self.database_url[len(prefix) :]) if self.database_url.startswith(prefix) else None
        )


def environment(**overrides: str) -> dict[str, str]:
    """Return a copy of the environment, with `overrides`, for a child process or for `load`."""
    return {**os.environ, **overrides}


def export(**variables: str) -> None:
    """Set variables of this process and its children, for libraries that read nothing else."""
    os.environ.update(variables)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings found in the environment.

    Every variable may instead be given as NAME_FILE, the path of a file that
    holds its value, as container secrets are. Raises SettingsError naming
    every unusable variable, the shape it wants and an example.
    """
    source = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    problems: list[str] = []
    for item in fields(Settings):
        try:
            values[item.name] = _read(item.name.upper(), item.metadata, source)
        except (ValueError, OSError) as error:
            problems.append(
                f"{item.name.upper()}: {error}; {item.metadata['doc'].lower()}."
                f" Example: {item.metadata['example']}"
            )
    if problems:
        raise SettingsError("\n".join(problems))
    if values["secure_cookies"] == "":
        values["secure_cookies"] = values["base_url"].startswith("https://")
    return Settings(**values)


def _read(name: str, metadata: Mapping[str, Any], source: Mapping[str, str]) -> Any:
    text = source.get(name)
    if text is None and (path := source.get(f"{name}_FILE")):
        text = Path(path).read_text(encoding="utf-8").strip()
    if text is None or text == "":
        text = metadata["default"]
    if text is None:
        raise ValueError("is required")
    if text == "" and metadata["parse"] is not _networks:
        return ""
    return metadata["parse"](text)
