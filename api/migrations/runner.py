"""Brings a database to the newest schema, one process at a time."""

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

#: An arbitrary constant: whoever migrates holds this advisory lock.
_LOCK = 0x0A1E_47A5


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
    """Apply what is missing, under a lock, all or nothing.

    Returns: the revisions applied, oldest first; empty when there was nothing to do.
    """
    config = _config()
    script = ScriptDirectory.from_config(config)
    with _engine(database_url).begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        before = MigrationContext.configure(connection).get_current_revision()
        pending = [r.revision for r in script.iterate_revisions("heads", before or "base")]
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
    return pending[::-1]
