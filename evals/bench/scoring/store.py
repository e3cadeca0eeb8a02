"""Makes up leads with what happened with them, and does the least that scoring has to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import tuple_row

from crm.db import Connection

LEADS, ACTIVITIES = 100_000, 1_000_000

_FILL = (
    """
    INSERT INTO people (id, full_name, locale, time_zone, status, created_at, updated_at)
    SELECT gen_random_uuid(), 'Persona ' || n, 'es', 'America/Lima', 'active',
        %(now)s - (n %% 200) * interval '1 day', %(now)s FROM generate_series(1, %(leads)s) n
    """,
    """
    INSERT INTO leads (id, person_id, source, course_code, term, language, stage, created_at,
        stage_since, last_activity_at)
    SELECT gen_random_uuid(), id, (ARRAY['widget', 'whatsapp', 'web_form', 'event'])[1 + n %% 4],
        CASE WHEN n %% 2 = 0 THEN (SELECT min(code) FROM courses) END, 'bench', 'es',
        (ARRAY['inquiry', 'lead', 'lead', 'applicant', 'admitted'])[1 + n %% 5], created_at,
        created_at + (n %% 10) * interval '1 hour', created_at
    FROM (SELECT id, created_at, row_number() OVER () AS n FROM people
        WHERE full_name LIKE 'Persona %%') p
    """,
    """
    INSERT INTO activities (id, person_id, lead_id, kind, direction, occurred_at)
    SELECT gen_random_uuid(), l.person_id, l.id,
        (ARRAY['page_visit', 'message', 'message', 'call', 'form', 'meeting', 'email'])[1 + n %% 7],
        (ARRAY[NULL, 'in', 'out', 'out', NULL, NULL, 'out'])[1 + n %% 7],
        %(now)s - (n * 37 %% 2000 + k %% 97) * interval '1 hour'
    FROM (SELECT id, person_id, row_number() OVER () AS k FROM leads WHERE term = 'bench') l,
        generate_series(1, %(activities)s / %(leads)s) n
    """,
    """
    INSERT INTO consents (id, person_id, channel, purpose, granted, source, text_version,
        recorded_at)
    SELECT gen_random_uuid(), person_id, 'email', 'marketing', k %% 5 > 0, 'form', '1', %(now)s
    FROM (SELECT person_id, row_number() OVER () AS k FROM leads WHERE term = 'bench') l
    WHERE k %% 2 = 0
    """,
    "CREATE UNLOGGED TABLE IF NOT EXISTS bench_scores (id uuid, score smallint)",
)


async def make_leads(conn: Connection, *, now: datetime) -> None:
    """Make up leads and what happened with them."""
    for statement in _FILL:
        await conn.execute(statement, {"now": now, "leads": LEADS, "activities": ACTIVITIES})


async def settle(conn: Connection) -> None:
    """Leave the tables as they lie on disk after a while."""
    await conn.execute("VACUUM (ANALYZE) people, leads, activities, consents, lead_scores")


async def forget_scores(conn: Connection) -> None:
    """Let every lead be without a score again."""
    await conn.execute("TRUNCATE lead_scores, scorings")


async def read_as_floor(
    conn: Connection, statement: str, asked: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of the same query, as the driver gives them."""
    async with conn.cursor(row_factory=tuple_row, binary=True) as cursor:
        await cursor.execute(statement, asked)
        return await cursor.fetchall()


async def copy_as_floor(conn: Connection, lines: Sequence[str]) -> None:
    """Write ids and scores by one COPY."""
    await conn.execute("TRUNCATE bench_scores")
    async with conn.cursor() as cursor, cursor.copy("COPY bench_scores FROM STDIN") as copy:
        await copy.write("".join(lines))
