"""Fixtures for every test: real servers once a session, fresh data for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from service import settings as service_settings
from service.settings import Settings
from service.storage import Store, open_store
from service.web import remembered
from tests.support.chromium import chromium
from tests.support.databases import (
    DIALECTS,
    Databases,
    PostgresDatabases,
    SqliteDatabases,
    as_setting,
)
from tests.support.installation import Installation
from tests.support.postgres import PostgresCluster
from tests.support.redis_server import RedisServer
from tests.support.world import World, make_world

SECRET = "a secret that only the tests know, forty-eight long"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make faults` ask for the long form of the fault tests."""
    parser.addoption(
        "--full-length", action="store_true", help="fault tests: 20 seeds, windows of a minute"
    )
    parser.addoption("--seed", type=int, help="fault tests: this one seed")


# --- servers, once a session ---------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A private Redis of this session."""
    server = RedisServer().start()
    yield server
    server.discard()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A private PostgreSQL cluster of this session."""
    cluster = PostgresCluster().create().start()
    yield cluster
    cluster.discard()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Where fresh SQLite databases come from."""
    return SqliteDatabases(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases(postgres: PostgresCluster) -> PostgresDatabases:
    """Where fresh PostgreSQL databases come from."""
    return PostgresDatabases(postgres)


# --- fresh data for each test --------------------------------------------------


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis."""
    with redis_server.client() as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def redis_client(redis_server: RedisServer, redis_url: str) -> Iterator[redis.Redis]:
    """A connection to the same empty Redis."""
    with redis_server.client() as client:
        yield client


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Each database in turn. Parametrize it directly where one is enough."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    name = f"{'sqlite' if dialect == 'sqlite' else 'postgres'}_databases"
    databases: Databases = request.getfixturevalue(name)
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A fresh, migrated store."""
    store = open_store(as_setting(database_url))
    yield store
    store.close()


@pytest.fixture
def make_settings(database_url: str, redis_url: str, tmp_path: Path) -> Callable[..., Settings]:
    """Return settings for this test's data; keywords set variables by their names."""

    def make(**variables: str) -> Settings:
        given = {
            "SECRET_KEY": SECRET,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "DATA_DIR": str(tmp_path),
            "LOG_LEVEL": "WARNING",
            # On a busy machine a second passes without a rule's fault.
            "RULE_SECONDS": "30",
        }
        return service_settings.load(given | variables)

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Settings as shipped, for this test's data."""
    return make_settings()


@pytest.fixture
def build_world(
    store: Store, make_settings: Callable[..., Settings]
) -> Iterator[Callable[..., World]]:
    """Return a function that makes a world: `variables` are settings, the rest the site's."""
    built: list[World] = []

    def build(variables: dict[str, str] | None = None, **site_options: Any) -> World:
        built.append(make_world(store, make_settings(**(variables or {})), **site_options))
        return built[-1]

    yield build
    for world in built:
        world.close()


@pytest.fixture
def world(build_world: Callable[..., World]) -> World:
    """A site, its keys, a moderator, the application and a worker, as shipped."""
    return build_world()


@pytest.fixture
def app(world: World) -> Flask:
    """The application."""
    return world.app


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A client of the application."""
    return world.client


# --- real processes ------------------------------------------------------------


@pytest.fixture(scope="session")
def live() -> Iterator[Installation]:
    """The whole service as real processes, with nothing configured."""
    installation = Installation()
    try:
        yield installation.start()
    finally:
        installation.discard()


@pytest.fixture(autouse=True)
def visitors_are_strangers(request: pytest.FixtureRequest) -> None:
    """Have `live` forget how much earlier tests sent: they all share one address."""
    if "live" in request.fixturenames:
        request.getfixturevalue("live").forget_visitors()


@pytest.fixture(autouse=True)
def counts_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pages wait for what they count aside, however busy this machine is."""
    monkeypatch.setattr(remembered, "_PATIENCE_SECONDS", 30.0)


# --- browsers ------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    with chromium() as browser:
        yield browser
