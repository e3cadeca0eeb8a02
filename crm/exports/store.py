"""All the SQL of exports: one keyset stretch a statement."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from crm.db import Connection


async def select_people(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[DictRow]:
    """Return active people by id."""
    rows = await conn.execute(
        """
        SELECT id, full_name, email, phone, locale, time_zone, birth_date, created_at
        FROM people WHERE status = 'active' AND id > %s ORDER BY id LIMIT %s
        """,
        [after or UUID(int=0), limit],
    )
    return await rows.fetchall()


async def select_leads(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[DictRow]:
    """Return leads by id, with whose they are."""
    rows = await conn.execute(
        """
        SELECT l.id, l.person_id, p.full_name, p.email, p.phone, p.locale, l.source,
            l.programme_code, l.course_code, l.term, l.stage, l.lost_reason,
            s.email AS owner_email, l.created_at, l.stage_since, l.last_activity_at
        FROM leads l JOIN people p ON p.id = l.person_id LEFT JOIN staff s ON s.id = l.staff_id
        WHERE l.id > %s ORDER BY l.id LIMIT %s
        """,
        [after or UUID(int=0), limit],
    )
    return await rows.fetchall()


async def select_courses(conn: Connection, *, after: str | None, limit: int) -> Sequence[DictRow]:
    """Return courses by code."""
    rows = await conn.execute(
        """
        SELECT code AS id, code, area, title_es, title_en, summary_es, summary_en,
            array_to_string(outcomes_es, '|') AS outcomes_es,
            array_to_string(outcomes_en, '|') AS outcomes_en,
            array_to_string(keywords, '|') AS keywords, level, language, hours, weeks,
            hours_per_week, price_minor, currency, certificate, active
        FROM courses WHERE code > %s ORDER BY code LIMIT %s
        """,
        [after or "", limit],
    )
    return await rows.fetchall()
