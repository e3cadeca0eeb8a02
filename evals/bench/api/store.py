"""The bare endpoints' SQL: two tables to read from, one to write to."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

Connection = AsyncConnection[dict[str, Any]]

_TABLES = """
    CREATE TABLE people (id uuid PRIMARY KEY, full_name text NOT NULL, email text, phone text,
        locale text NOT NULL, time_zone text NOT NULL, birth_date date, guardian_id uuid,
        status text NOT NULL, merged_into uuid, version int NOT NULL,
        created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
    CREATE TABLE programmes (code text PRIMARY KEY, area text NOT NULL, level text NOT NULL,
        title jsonb NOT NULL, summary jsonb NOT NULL, admission jsonb NOT NULL,
        duration_months int NOT NULL, credits int NOT NULL, fee jsonb NOT NULL,
        active boolean NOT NULL, course_codes text[] NOT NULL);
    CREATE TABLE consents (id uuid PRIMARY KEY, person_id uuid NOT NULL, channel text NOT NULL,
        purpose text NOT NULL, granted boolean NOT NULL, text_version text NOT NULL,
        guardian_id uuid, source text NOT NULL DEFAULT 'staff',
        recorded_at timestamptz NOT NULL DEFAULT now());
"""
_PERSON = (
    "id, full_name, email, phone, locale, time_zone, birth_date, guardian_id, status, merged_into, "
    "version, created_at, updated_at"
)
_PROGRAMME = (
    "code, area, level, title, summary, admission, duration_months, credits, fee, active, "
    "course_codes"
)
_CONSENT = "id, person_id, channel, purpose, granted, text_version, guardian_id"


def create_tables(url: str) -> None:
    """Create the tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)


def fill_tables(
    url: str, people: Sequence[Mapping[str, Any]], programmes: Sequence[Mapping[str, Any]]
) -> None:
    """Add the rows that are read."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(_insert("people", _PERSON), people)
        cursor.executemany(_insert("programmes", _PROGRAMME), list(map(_row, programmes)))


def _insert(table: str, columns: str) -> str:
    values = ", ".join(f"%({name})s" for name in columns.split(", "))
    return f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 (constants)


def _row(programme: Mapping[str, Any]) -> dict[str, Any]:
    return {n: Jsonb(v) if isinstance(v, dict) else v for n, v in programme.items()} | {
        "course_codes": list(programme["course_codes"])
    }


async def select_programme(conn: Connection, code: str) -> dict[str, Any] | None:
    """Return a programme by primary key."""
    rows = await conn.execute(f"SELECT {_PROGRAMME} FROM programmes WHERE code = %s", [code])  # noqa: S608
    return await rows.fetchone()


async def select_person(conn: Connection, person_id: UUID) -> dict[str, Any] | None:
    """Return a person by primary key."""
    rows = await conn.execute(f"SELECT {_PERSON} FROM people WHERE id = %s", [person_id])  # noqa: S608
    return await rows.fetchone()


async def insert_consent(conn: Connection, values: dict[str, Any]) -> dict[str, Any] | None:
    """Write a consent and return it."""
    rows = await conn.execute(
        f"{_insert('consents', _CONSENT)} RETURNING {_CONSENT}, source, recorded_at", values
    )
    return await rows.fetchone()
