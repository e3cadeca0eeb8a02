"""The bare endpoints' SQL: one table to read from, one to write to."""

from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

Connection = AsyncConnection[dict[str, Any]]


def create_tables(url: str, person_id: UUID) -> None:
    """Create both tables and one person to read."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE people (id uuid PRIMARY KEY, full_name text NOT NULL, email text,"
            " locale text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute(
            "CREATE TABLE consents (id uuid PRIMARY KEY, person_id uuid NOT NULL,"
            " channel text NOT NULL, purpose text NOT NULL, granted boolean NOT NULL,"
            " text_version text NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute(
            "INSERT INTO people VALUES (%s, 'Eva Quispe', 'eva@andino.example', 'es')", [person_id]
        )


async def select_person(conn: Connection, person_id: UUID) -> dict[str, Any] | None:
    """Return a person by primary key."""
    return await (
        await conn.execute(
            "SELECT id, full_name, email, locale, created_at FROM people WHERE id = %s",
            [person_id],
        )
    ).fetchone()


async def insert_consent(conn: Connection, values: dict[str, Any]) -> None:
    """Write a consent."""
    await conn.execute(
        "INSERT INTO consents (id, person_id, channel, purpose, granted, text_version) VALUES"
        " (%(id)s, %(person_id)s, %(channel)s, %(purpose)s, %(granted)s, %(text_version)s)",
        values,
    )
