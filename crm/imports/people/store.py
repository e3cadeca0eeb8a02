"""All the SQL of importing people: a batch a statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.imports.people.rows import Known, PersonRow


async def select_known(
    conn: Connection, *, emails: Sequence[str], phones: Sequence[str]
) -> list[Known]:
    """Return the active people with any of these addresses, locked against other writers."""
    rows = await conn.execute(
        """
        SELECT id, email, phone FROM people WHERE id IN (
            SELECT id FROM people WHERE status = 'active' AND email = ANY(%(emails)s)
            UNION SELECT id FROM people WHERE status = 'active' AND phone = ANY(%(phones)s)
        ) ORDER BY id FOR NO KEY UPDATE
        """,
        {"emails": list(emails), "phones": list(phones)},
    )
    return [Known(**row) for row in await rows.fetchall()]


async def insert_people(
    conn: Connection,
    people: Sequence[tuple[UUID, PersonRow]],
    *,
    locale: str,
    time_zone: str,
    at: datetime,
) -> set[UUID]:
    """Add people; returns who was added: not those whose address somebody has taken meanwhile."""
    rows = await conn.execute(
        """
        INSERT INTO people (id, full_name, email, phone, locale, time_zone, birth_date, status,
            created_at, updated_at)
        SELECT r.id, r.full_name, r.email, r.phone, coalesce(r.locale, %(locale)s),
            coalesce(r.time_zone, %(time_zone)s), r.birth_date, 'active', %(at)s, %(at)s
        FROM jsonb_populate_recordset(NULL::people, %(rows)s) AS r
        ON CONFLICT DO NOTHING RETURNING id
        """,
        {"rows": _json(people), "locale": locale, "time_zone": time_zone, "at": at},
    )
    return {row["id"] for row in await rows.fetchall()}


async def update_people(
    conn: Connection, people: Sequence[tuple[UUID, PersonRow]], *, at: datetime
) -> dict[UUID, int]:
    """Write what the lines hold over what is there.

    An empty cell changes nothing, and no address is changed that the person already has.

    Returns: the versions of those who changed.
    """
    rows = await conn.execute(
        """
        WITH news AS (
            SELECT r.id, r.full_name, coalesce(p.email, e.email) AS email,
                coalesce(p.phone, f.phone) AS phone, coalesce(r.locale, p.locale) AS locale,
                coalesce(r.time_zone, p.time_zone) AS time_zone,
                coalesce(r.birth_date, p.birth_date) AS birth_date
            FROM jsonb_populate_recordset(NULL::people, %(rows)s) AS r
            JOIN people p ON p.id = r.id
            LEFT JOIN LATERAL (SELECT r.email WHERE NOT EXISTS (
                SELECT 1 FROM people o WHERE o.email = r.email AND o.status = 'active')) e ON true
            LEFT JOIN LATERAL (SELECT r.phone WHERE NOT EXISTS (
                SELECT 1 FROM people o WHERE o.phone = r.phone AND o.status = 'active')) f ON true
        )
        UPDATE people p SET full_name = n.full_name, email = n.email, phone = n.phone,
            locale = n.locale, time_zone = n.time_zone, birth_date = n.birth_date,
            version = p.version + 1, updated_at = %(at)s
        FROM news n WHERE n.id = p.id
            AND (p.full_name, p.email, p.phone, p.locale, p.time_zone, p.birth_date)
                IS DISTINCT FROM
                (n.full_name, n.email, n.phone, n.locale, n.time_zone, n.birth_date)
        RETURNING p.id, p.version
        """,
        {"rows": _json(people), "at": at},
    )
    return {row["id"]: row["version"] for row in await rows.fetchall()}


def _json(people: Sequence[tuple[UUID, PersonRow]]) -> Jsonb:
    return Jsonb([{"id": str(key)} | _plain(row) for key, row in people])


def _plain(row: PersonRow) -> dict[str, Any]:
    return {name: str(value) for name, value in row.facts.items() if value is not None}
