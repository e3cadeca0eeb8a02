"""All the SQL by which the read models are read."""

from datetime import date
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from crm.db import Connection


async def select_funnel(
    conn: Connection, *, source: str | None, programme_code: str | None, term: str | None
) -> list[DictRow]:
    """Return the funnel, by source, programme and term."""
    rows = await conn.execute(
        """
        SELECT source, programme_code, term, stage, reached, standing FROM analytics_funnel
        WHERE (%(source)s::text IS NULL OR source = %(source)s)
            AND (%(programme)s::text IS NULL OR programme_code = %(programme)s)
            AND (%(term)s::text IS NULL OR term = %(term)s)
        ORDER BY source, programme_code, term, array_position(
            ARRAY['inquiry', 'lead', 'applicant', 'admitted', 'enrolled', 'lost'], stage)
        """,
        {"source": source, "programme": programme_code, "term": term},
    )
    return await rows.fetchall()


async def select_responses(conn: Connection, *, since: date, until: date) -> list[DictRow]:
    """Return response times of days, the latest first."""
    rows = await conn.execute(
        "SELECT day, kind, answered, late, median_s, p90_s FROM analytics_responses "
        "WHERE day BETWEEN %s AND %s ORDER BY day DESC, kind",
        [since, until],
    )
    return await rows.fetchall()


async def select_revenue(conn: Connection, *, since: date, until: date) -> list[DictRow]:
    """Return what months brought, the latest first."""
    rows = await conn.execute(
        "SELECT month, currency, invoiced_minor, taken_minor, returned_minor "
        "FROM analytics_revenue WHERE month BETWEEN %s AND %s ORDER BY month DESC, currency",
        [since, until],
    )
    return await rows.fetchall()


async def select_receivables(conn: Connection) -> list[DictRow]:
    """Return what is owed, by age."""
    rows = await conn.execute(
        "SELECT currency, age, invoices, amount_minor FROM analytics_receivables "
        "ORDER BY currency, array_position("
        "ARRAY['not_due', 'to_30', 'to_60', 'to_90', 'older'], age)"
    )
    return await rows.fetchall()


async def select_cohorts(
    conn: Connection, *, after: tuple[date, UUID] | None, limit: int
) -> list[DictRow]:
    """Return how full cohorts are, the latest start first."""
    values: dict[str, Any] = {"limit": limit}
    if after:
        values |= {"day": after[0], "last": after[1]}
    rows = await conn.execute(
        "SELECT cohort_id, cohort_code, course_code, starts_on, seats, enrolled, held, waiting "
        "FROM analytics_cohorts "
        + ("WHERE (starts_on, cohort_id) < (%(day)s, %(last)s) " if after else "")
        + "ORDER BY starts_on DESC, cohort_id DESC LIMIT %(limit)s",
        values,
    )
    return await rows.fetchall()


async def select_scores(conn: Connection) -> list[DictRow]:
    """Return what became of leads, by band of score."""
    rows = await conn.execute(
        "SELECT band, leads, enrolled, lost FROM analytics_scores ORDER BY array_position("
        "ARRAY['low', 'medium', 'high', 'unscored'], band)"
    )
    return await rows.fetchall()
