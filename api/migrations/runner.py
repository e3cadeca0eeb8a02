"""Brings a database to the newest schema, one process at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.rows import DictRow, dict_row

#: An arbitrary constant: whoever migrates holds this advisory lock.
_LOCK = 0x0A1E_47A5
_POLL_S = 0.1


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def head_revision() -> str:
    """Return the newest revision in the tree."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the tree holds no migrations")
    return head


def _engine(database_url: str) -> sqlalchemy.Engine:
    url = sqlalchemy.make_url(database_url).set(drivername="postgresql+psycopg")
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)


def current_revision(database_url: str) -> str | None:
    """Return the revision the database is at, or None when it is empty."""
    with _engine(database_url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database_url: str) -> list[str]:
    """Apply what is missing: our revisions, all or nothing, and LangGraph's checkpoint tables.

    Returns: the revisions applied, oldest first; empty when there was nothing to do.
    """
    with _alone(database_url) as connection:
        applied = _upgrade(database_url)
        _set_up_checkpoints(connection)
    return applied


@contextmanager
def _alone(database_url: str) -> Iterator[psycopg.Connection[DictRow]]:
    """Hold the lock of whoever migrates.

    It is polled, not waited for: a waiting statement holds a snapshot, and the concurrent index
    builds of the checkpoint tables wait for all snapshots.
    """
    with psycopg.connect(database_url, autocommit=True, row_factory=dict_row) as connection:
        while not _try_lock(connection):
            time.sleep(_POLL_S)
        yield connection


def _try_lock(connection: psycopg.Connection[DictRow]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS taken", [_LOCK]).fetchone()
    return bool(row and row["taken"])


def _upgrade(database_url: str) -> list[str]:
    config = _config()
    script = ScriptDirectory.from_config(config)
    with _engine(database_url).begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        pending = [r.revision for r in script.iterate_revisions("heads", before or "base")]
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
    return pending[::-1]


def _set_up_checkpoints(connection: psycopg.Connection[DictRow]) -> None:
    # Imported here: it takes a second, and only migrating needs it.
    from langgraph.checkpoint.postgres import PostgresSaver

    PostgresSaver(connection).setup()
