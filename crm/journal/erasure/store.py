"""All the SQL of erasures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.rows import DictRow

from crm.db import Connection
from crm.ids import PersonId
from crm.journal.erasure.models import Erasure
from crm.journal.erasure.tables import Wiped


@dataclass(frozen=True, slots=True)
class Traces:
    """By what a person is found in the tables.

    Args:
        people: the person and whoever was merged into them.
        subjects: whose keys sealed something about them.
        threads: the agents' runs as the checkpoints name them.
    """

    people: list[UUID]
    subjects: list[UUID]
    conversations: list[UUID]
    runs: list[UUID]
    tickets: list[UUID]
    threads: list[str]
    addresses: list[str]


async def select_traces(
    conn: Connection, person_id: PersonId, *, known: Sequence[UUID] = ()
) -> Traces:
    """Return by what a person is found; their row, and merged ones, are locked.

    Args:
        known: subjects that an earlier erasure found.
    """
    await conn.execute(
        "SELECT FROM people WHERE id = %(id)s OR merged_into = %(id)s ORDER BY id FOR UPDATE",
        {"id": person_id},
    )
    rows = await conn.execute(
        """
        WITH people_of AS (
            SELECT id, email, phone FROM people WHERE id = %(id)s OR merged_into = %(id)s
        ), subjects AS (
            SELECT id FROM people_of
            UNION SELECT unnest(%(known)s::uuid[])
            UNION SELECT subject_id FROM subject_keys
                WHERE person_id IN (SELECT id FROM people_of)
            UNION SELECT subject_id FROM conversations
                WHERE person_id IN (SELECT id FROM people_of)
        ), talks AS (
            SELECT id FROM conversations WHERE person_id IN (SELECT id FROM people_of)
            UNION SELECT id FROM conversations
                WHERE person_id IS NULL AND subject_id IN (SELECT id FROM subjects)
        )
        SELECT ARRAY(SELECT id FROM people_of) AS people,
            ARRAY(SELECT id FROM subjects) AS subjects,
            ARRAY(SELECT id FROM talks) AS conversations,
            ARRAY(SELECT id FROM runs WHERE conversation_id IN (SELECT id FROM talks)) AS runs,
            ARRAY(
                SELECT id FROM tickets WHERE person_id IN (SELECT id FROM people_of)
                UNION SELECT id FROM tickets WHERE conversation_id IN (SELECT id FROM talks)
                UNION SELECT id FROM tickets
                    WHERE person_id IS NULL AND subject_id IN (SELECT id FROM subjects)
            ) AS tickets,
            ARRAY(SELECT a FROM people_of CROSS JOIN LATERAL (VALUES (email), (phone)) v (a)
                WHERE a IS NOT NULL) AS addresses
        """,
        {"id": person_id, "known": list(known)},
    )
    row = await rows.fetchone()
    assert row is not None, "a query without FROM has one row"  # noqa: S101
    return Traces(**row, threads=[str(run) for run in row["runs"]])


async def destroy_keys(conn: Connection, subjects: Sequence[UUID], *, at: datetime) -> None:
    """Destroy the subjects' keys; those that never were cannot be made any more either."""
    await conn.execute(
        """
        INSERT INTO subject_keys (subject_id, wrapped_key, created_at, destroyed_at)
        SELECT s, NULL, %(at)s, %(at)s FROM unnest(%(subjects)s::uuid[]) AS n (s)
        ON CONFLICT (subject_id) DO UPDATE SET wrapped_key = NULL, destroyed_at = %(at)s
        WHERE subject_keys.wrapped_key IS NOT NULL
        """,
        {"at": at, "subjects": sorted(subjects)},
    )


async def redact_people(conn: Connection, people: Sequence[UUID], *, at: datetime) -> None:
    """Leave ids and a placeholder of these people, and no guardian among them."""
    await conn.execute(
        """
        UPDATE people SET full_name = CASE locale WHEN 'es' THEN 'Persona eliminada'
                ELSE 'Erased person' END,
            email = NULL, phone = NULL, birth_date = NULL, guardian_id = NULL, time_zone = 'UTC',
            status = CASE status WHEN 'active' THEN 'erased' ELSE status END,
            version = version + 1, updated_at = %(at)s
        WHERE id = ANY(%(people)s)
        """,
        {"people": list(people), "at": at},
    )
    await conn.execute(
        "UPDATE people SET guardian_id = NULL, version = version + 1, updated_at = %s "
        "WHERE guardian_id = ANY(%s)",
        [at, list(people)],
    )


async def wipe(conn: Connection, wiped: Wiped, traces: Traces, *, at: datetime) -> int:
    """Remove what is personal from a table's rows; how many there were."""
    act = "DELETE FROM {table}" if wiped.sets is None else "UPDATE {table} SET {sets}"
    statement = sql.SQL(act + " WHERE {where}").format(
        table=sql.Identifier(wiped.table),
        sets=sql.SQL(wiped.sets or ""),
        where=sql.SQL(wiped.where),
    )
    values: dict[str, Any] = {name: getattr(traces, name) for name in Traces.__slots__}
    cursor = await conn.execute(statement, values | {"at": at})
    return cursor.rowcount


async def insert_erasure(conn: Connection, erasure: Erasure) -> bool:
    """Put a person on the list, or add what another run found; True when they were not on it."""
    rows = await conn.execute(
        """
        INSERT INTO person_erasures (person_id, subjects, erased_at, staff_id)
        VALUES (%(person)s, %(subjects)s, %(at)s, %(staff)s)
        ON CONFLICT (person_id) DO UPDATE SET subjects = excluded.subjects
        RETURNING xmax = 0 AS added
        """,
        {
            "person": erasure.person_id,
            "subjects": list(erasure.subjects),
            "at": erasure.erased_at,
            "staff": erasure.staff_id,
        },
    )
    row = await rows.fetchone()
    return bool(row and row["added"])


async def select_erasure(conn: Connection, person_id: PersonId) -> Erasure | None:
    """Return a person's line of the list."""
    rows = await conn.execute(
        "SELECT person_id, subjects, erased_at, staff_id FROM person_erasures WHERE person_id = %s",
        [person_id],
    )
    row = await rows.fetchone()
    return _erasure(row) if row else None


async def select_erasures(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Erasure]:
    """Return the list, oldest first, after (erased_at, person_id)."""
    at, last = after or (None, None)
    rows = await conn.execute(
        """
        SELECT person_id, subjects, erased_at, staff_id FROM person_erasures
        WHERE %(at)s::timestamptz IS NULL OR (erased_at, person_id) > (%(at)s, %(last)s::uuid)
        ORDER BY erased_at, person_id LIMIT %(limit)s
        """,
        {"at": at, "last": last, "limit": limit},
    )
    return [_erasure(row) for row in await rows.fetchall()]


def _erasure(row: DictRow) -> Erasure:
    return Erasure(**row | {"subjects": tuple(row["subjects"]), "rows": {}})
