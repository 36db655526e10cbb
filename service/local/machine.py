"""One machine, one command: Redis, web server and worker under one supervisor."""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from service import settings as configuration
from service.installation import (
    Credentials,
    fresh_credentials,
    has_sites,
    install,
    read_credentials,
)
from service.keyring import Keyring
from service.local import Refused, redis_server
from service.local.data_directory import claimed, secret_key, write_private
from service.local.installed import filled, is_given, own
from service.local.processes import Child, Supervisor, program
from service.settings import Settings
from service.storage import Store, open_store
from service.storage.sites import site_by_slug, update_site

#: Addresses that a server can listen on but nobody can call.
_EVERYWHERE = ("0.0.0.0", "::")
_START_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Machine:
    """What this run uses: its environment, and Redis' configuration unless one is given."""

    environment: Mapping[str, str]
    settings: Settings
    redis_configuration: Path | None


def run(say: Say) -> None:
    """Start everything and keep it running until Ctrl-C or SIGTERM.

    Raises Refused if the port is taken, the data directory is in use or
    something does not come up; then nothing is left running.
    """
    given = configuration.environment()
    directory = Path(given.get("DATA_DIR") or ".data").resolve()
    with claimed(directory) as lock:
        machine = _machine(given, directory)
        _require_free_port(machine.settings)
        supervisor = Supervisor(say, inherited=[lock])
        try:
            _start(machine, supervisor, say)
            supervisor.watch()
        except KeyboardInterrupt:
            pass
        finally:
            say("Stopping ...")
            supervisor.stop()
    say("Stopped. The data is kept for the next run.")


def _machine(given: Mapping[str, str], directory: Path) -> _Machine:
    """Return what the environment says, and for the rest what the data directory holds."""
    redis_configuration = None
    if not is_given(given, "REDIS_URL"):
        redis_configuration = redis_server.write_configuration(directory / "redis")
    environment = filled(given, own(directory)) | {"DATA_DIR": str(directory)}
    if not is_given(given, "SECRET_KEY"):
        environment["SECRET_KEY"] = secret_key(directory)
    if not is_given(given, "BASE_URL"):
        environment["BASE_URL"] = _address(configuration.load(environment))
    return _Machine(environment, configuration.load(environment), redis_configuration)


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _require_free_port(settings: Settings) -> None:
    """Refuse a port that somebody listens on: the web server would share it unasked."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Refused(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror});"
                " stop what listens there, or set PORT to another one."
            ) from error


def _start(machine: _Machine, supervisor: Supervisor, say: Say) -> None:
    credentials, new = _prepare_store(machine.settings)
    _start_redis(machine, supervisor)
    environment = dict(machine.environment)
    if credentials is not None:
        environment.setdefault("DEMO_KEY", credentials.public_key)
    supervisor.start(_child("worker", ["-m", "worker"], environment, stop_seconds=75))
    _start_web(environment, machine.settings, supervisor)
    say(_greeting(machine.settings, demo="DEMO_KEY" in environment))
    if new and credentials is not None:
        say(_introduction(credentials, machine.settings.data_dir / "credentials.json"))


def _prepare_store(settings: Settings) -> tuple[Credentials | None, bool]:
    """Migrate, make the first site if need be; return its credentials and whether they are new."""
    store = open_store(settings.database_url)
    try:
        store.migrate()
        path = settings.data_dir / "credentials.json"
        if not has_sites(store):
            return _first_site(store, settings, path), True
        return _known_site(store, settings, path), False
    finally:
        store.close()


def _first_site(store: Store, settings: Settings, path: Path) -> Credentials:
    """Use the credentials on file, if any: they may serve another database already."""
    kept = read_credentials(path) or fresh_credentials(settings.base_url)
    credentials = replace(kept, base_url=settings.base_url)
    # On file first: keys that the record has but nobody knows would be lost for good.
    write_private(path, credentials.as_json())
    install(
        store,
        credentials,
        keyring=Keyring(settings.secret_key),
        origins=_origins(settings),
        now=datetime.now(UTC),
    )
    return credentials


def _known_site(store: Store, settings: Settings, path: Path) -> Credentials | None:
    """Follow a change of port: the demo page must be among the site's own origins."""
    credentials = read_credentials(path)
    if credentials is None or credentials.base_url == settings.base_url:
        return credentials
    moved = replace(credentials, base_url=settings.base_url)
    with store.write() as db:
        site = site_by_slug(db, moved.site)
        if site is not None:
            update_site(db, site.id, origins=_origins(settings))
    write_private(path, moved.as_json())
    return moved


def _origins(settings: Settings) -> list[str]:
    here = [f"http://{host}:{settings.port}" for host in ("127.0.0.1", "localhost")]
    return list(dict.fromkeys([*here, settings.base_url]))


def _start_redis(machine: _Machine, supervisor: Supervisor) -> None:
    if machine.redis_configuration is None:
        return
    command = [redis_server.server_program(), str(machine.redis_configuration)]
    child = Child("Redis", program(command), stop_seconds=15)
    supervisor.start(child)
    ready = partial(redis_server.answers, machine.settings.redis_url)
    if not supervisor.await_ready(child, ready, _START_SECONDS):
        log = machine.redis_configuration.with_name("redis.log")
        raise Refused(
            f"Redis did not start; {log} says why. Comments do not depend on what it holds:"
            f" delete {log.parent} if it is damaged."
        )


def _start_web(environment: Mapping[str, str], settings: Settings, supervisor: Supervisor) -> None:
    child = _child("web server", ["-m", "service", "web"], environment, stop_seconds=30)
    supervisor.start(child)
    if not supervisor.await_ready(child, partial(_serves, settings), _START_SECONDS):
        raise Refused("The web server did not start; the lines above say why.")


def _child(
    name: str, arguments: list[str], environment: Mapping[str, str], stop_seconds: float
) -> Child:
    return Child(name, program([sys.executable, *arguments], environment), stop_seconds)


def _serves(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    connection = HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _greeting(settings: Settings, *, demo: bool) -> str:
    base = settings.base_url
    return (
        "\nAnteroom is running. Ctrl-C stops it.\n"
        f"  Address          {base}\n"
        + (f"  Demo article     {base}/demo\n" if demo else "")
        + f"  Review console   {base}/review\n"
        f"  API, readable    {base}/docs\n"
        f"  Data             {settings.data_dir}\n"
    )


def _introduction(credentials: Credentials, path: Path) -> str:
    return (
        "First site and first moderator, shown this once:\n"
        f"  Site             {credentials.site}\n"
        f"  Server key       {credentials.server_key}\n"
        f"  Public key       {credentials.public_key}\n"
        f"  Akismet key      {credentials.akismet_key}\n"
        f"  Moderator        {credentials.moderator}\n"
        f"  Password         {credentials.password}\n"
        f"  API token        {credentials.api_token}\n"
        f"They are kept in {path}, readable by you alone.\n"
    )
