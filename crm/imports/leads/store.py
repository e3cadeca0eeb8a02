"""All the SQL of importing leads: a batch a statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from crm.db import Connection


async def select_staff(conn: Connection, emails: Sequence[str]) -> dict[str, UUID]:
    """Return the active advisors and admins with these addresses."""
    rows = await conn.execute(
        "SELECT id, lower(email) AS email FROM staff "
        "WHERE active AND role IN ('advisor', 'admin') AND lower(email) = ANY(%s)",
        [list(emails)],
    )
    return {row["email"]: row["id"] for row in await rows.fetchall()}


async def select_codes(
    conn: Connection, *, programmes: Sequence[str], courses: Sequence[str]
) -> set[str]:
    """Return which of these codes there are."""
    rows = await conn.execute(
        "SELECT code FROM programmes WHERE code = ANY(%s) "
        "UNION SELECT code FROM courses WHERE code = ANY(%s)",
        [list(programmes), list(courses)],
    )
    return {row["code"] for row in await rows.fetchall()}


async def insert_leads(
    conn: Connection, leads: Sequence[dict[str, Any]], *, at: datetime
) -> set[UUID]:
    """Add leads with the first line of their history; returns which were added.

    Those are left out whose person has an open one for the same thing.
    """
    rows = await conn.execute(
        """
        WITH added AS (
            INSERT INTO leads (id, person_id, source, programme_code, course_code, term, language,
                stage, lost_reason, staff_id, created_at, stage_since, last_activity_at)
            SELECT r.id, r.person_id, r.source, r.programme_code, r.course_code, r.term, p.locale,
                r.stage, r.lost_reason, r.staff_id, %(at)s, %(at)s, %(at)s
            FROM jsonb_populate_recordset(NULL::leads, %(rows)s) AS r
            JOIN people p ON p.id = r.person_id
            ON CONFLICT DO NOTHING RETURNING id, stage, lost_reason
        ), history AS (
            INSERT INTO lead_stages (id, lead_id, to_stage, reason, occurred_at)
            SELECT uuidv7(), id, stage, lost_reason, %(at)s FROM added
        )
        SELECT id FROM added
        """,
        {"rows": Jsonb(leads), "at": at},
    )
    return {row["id"] for row in await rows.fetchall()}
