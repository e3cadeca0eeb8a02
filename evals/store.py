"""All the evals' own SQL: databases to be thrown away."""

import psycopg
from psycopg import sql


def create_database(url: str, name: str) -> str:
    """Create a database on the server of a URL; return its own URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url.rpartition("/")[0] + f"/{name}"


def drop_database(url: str, name: str) -> None:
    """Drop a database of the server of a URL, whoever is connected to it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
