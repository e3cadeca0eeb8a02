"""What the tests of every package share: real servers, a fresh database a module."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from api.settings import Settings

TEMPLATE = "orienta_template"
EMPTY = "template1"  # what PostgreSQL takes when none is named


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that an unprivileged server can reach, which pytest's own temporary ones are not."""
    folder = Path(tempfile.mkdtemp(prefix="orienta-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL server for this session: an embedded one unless one is given."""
    given = os.environ.get("ORIENTA_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from api.embedded.postgres import EmbeddedPostgres

    server = EmbeddedPostgres(server_folder / "postgres", durable=False)
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> str:
    """The server's URL, with a template database there that is migrated to head."""
    from api.migrations.runner import migrate

    migrate(_replace_database(postgres_server, TEMPLATE))
    return postgres_server


@pytest.fixture(scope="module")
def database_url(postgres_url: str) -> Iterator[str]:
    """A new, migrated database for this module, dropped after it."""
    with _new_database(postgres_url, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A new database without any migration, dropped after the module."""
    with _new_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def redis_server(server_folder: Path) -> Iterator[str]:
    """The URL of a Redis for this session: an embedded Valkey unless one is given."""
    given = os.environ.get("ORIENTA_TEST_REDIS_URL")
    if given:
        yield given
        return
    from api.embedded.valkey import EmbeddedValkey

    server = EmbeddedValkey(server_folder / "valkey", durable=False)
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def redis_url(redis_server: str) -> str:
    """The session's Redis, emptied for this module."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
    return redis_server


@pytest.fixture(scope="session")
def elasticsearch_url(server_folder: Path) -> Iterator[str]:
    """The URL of an Elasticsearch for this session: a stand-in unless one is given."""
    given = os.environ.get("ORIENTA_TEST_ELASTICSEARCH_URL")
    if given:
        yield given
        return
    from tests.search_server import SearchServer

    server = SearchServer(server_folder / "search")
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str) -> Settings:
    """Settings for this module's database and the session's Redis, without an embedder."""
    from api.settings import Settings

    return Settings(
        _env_file=None,
        database_url=database_url,
        redis_url=redis_url,
        master_key=base64.b64encode(bytes(32)).decode(),
        embedder="none",
    )


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return url.rpartition("/")[0] + f"/{name}"


@contextmanager
def _new_database(url: str, template: str = EMPTY) -> Iterator[str]:
    """A new database on a server, dropped after the block; yields its URL."""
    name = f"orienta_test_{secrets.token_hex(6)}"
    try:
        yield _replace_database(url, name, template)
    finally:
        with _administrator(url) as connection:
            connection.execute(f"drop database {name} with (force)")


def _replace_database(url: str, name: str, template: str = EMPTY) -> str:
    """Make a database in the place of any of its name, and return its URL."""
    with _administrator(url) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name} template {template}")
    return with_database(url, name)


def _administrator(url: str) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(with_database(url, "postgres"), autocommit=True)


@pytest.fixture(scope="session")
async def demo_template(postgres_url: str) -> str:
    """A template database that holds the demo institution; its records open with MASTER_KEY."""
    from tests.demo_database import load_demo_into

    name = "orienta_demo_template"
    url = _replace_database(postgres_url, name, TEMPLATE)
    await load_demo_into(url)
    return name


@pytest.fixture(scope="module")
def demo_database_url(postgres_url: str, demo_template: str) -> Iterator[str]:
    """A new database with the demo institution for this module, dropped after it."""
    with _new_database(postgres_url, demo_template) as url:
        yield url
