"""What a database says about its server and itself."""

from dataclasses import dataclass

import psycopg

from crm.errors import Unavailable


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Versions and size of a database.

    Args:
        vector: the version of pgvector in use, or that could be; None where it is not installed.
    """

    version: str
    vector: str | None
    size_bytes: int


def read_facts(database_url: str) -> DatabaseFacts:
    """Ask the server for its facts.

    Raises: Unavailable("database"): it does not answer, with where it was sought.
    """
    with connect(database_url) as connection:
        row = connection.execute(
            """
            SELECT current_setting('server_version'),
                   (SELECT coalesce(installed_version, default_version)
                    FROM pg_available_extensions WHERE name = 'vector'),
                   pg_database_size(current_database())
            """
        ).fetchone()
    if row is None:
        raise Unavailable("database", "The database gives no answer about itself.")
    return DatabaseFacts(version=row[0], vector=row[1], size_bytes=row[2])


@dataclass(frozen=True, slots=True)
class SearchLag:
    """What the database knows of the indexes of a search server.

    Args:
        pending: changes that it has not been told of.
        reason: why something was set aside.
    """

    serving: bool
    building: bool
    pending: int
    set_aside: int
    reason: str | None


def read_search_lag(database_url: str) -> SearchLag | None:
    """Ask how far a search server is behind; None where the schema knows of none.

    Raises: Unavailable("database"): it does not answer.
    """
    try:
        with connect(database_url) as connection:
            row = connection.execute(
                """
                SELECT coalesce(bool_or(g.state = 'serving'), false),
                       coalesce(bool_or(g.state IN ('planned', 'building')), false),
                       (SELECT count(*) FROM search_changes WHERE set_aside_at IS NULL),
                       (SELECT count(*) FROM search_changes WHERE set_aside_at IS NOT NULL),
                       (SELECT min(reason) FROM search_changes WHERE set_aside_at IS NOT NULL)
                  FROM search_generations g
                """
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return SearchLag(*row) if row else None


def connect(database_url: str) -> psycopg.Connection:
    """Open a connection, or say plainly where nothing answers.

    Raises: Unavailable("database"): no server, a wrong password, no such database.
    """
    try:
        return psycopg.connect(database_url, connect_timeout=5, autocommit=True)
    except psycopg.Error as error:
        said = str(error).strip().splitlines() or ["no answer"]
        raise Unavailable(
            "database", f"PostgreSQL at {where(database_url)} does not answer: {said[0]}"
        ) from error


def require_answer(database_url: str) -> None:
    """Fail at once, in words, where a pool would try for long.

    Raises: Unavailable("database").
    """
    connect(database_url).close()


def where(database_url: str) -> str:
    """The address without user and password, fit to be shown."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(database_url)
    except psycopg.ProgrammingError:
        return "an address that cannot be read"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
