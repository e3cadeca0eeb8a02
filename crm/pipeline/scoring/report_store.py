"""The SQL of what is looked at to see whether scores are still right and fair."""

from datetime import date, datetime, timedelta

from psycopg.rows import DictRow

from crm.db import Connection

#: Older scores say little about what is scored today.
WINDOW = timedelta(days=365)

_LATEST = """
    SELECT DISTINCT ON (lead_id) lead_id, score, cells FROM lead_scores
    WHERE scored_at >= %(since)s ORDER BY lead_id, scored_at DESC, id DESC
"""


async def count_cells(
    conn: Connection, model: str, *, since: datetime, until: datetime
) -> list[tuple[int, int, int]]:
    """Return (scale, cell, leads) over the scores that a model gave in a stretch of time."""
    rows = await conn.execute(
        """
        SELECT n AS scale, get_byte(cells, n) AS cell, count(*) AS leads
        FROM lead_scores, generate_series(0, length(cells) - 1) AS n
        WHERE model = %s AND scored_at >= %s AND scored_at < %s
        GROUP BY 1, 2
        """,
        [model, since, until],
    )
    return [(r["scale"], r["cell"], r["leads"]) for r in await rows.fetchall()]


async def count_groups(
    conn: Connection, *, high_from: int, today: date, since: datetime
) -> list[DictRow]:
    """Return how many leads of each group were scored, and how many high; no score looks at it."""
    rows = await conn.execute(
        f"""
        WITH latest AS ({_LATEST}), scored AS (
            SELECT s.score >= %(high)s AS is_high, l.language,
                CASE WHEN p.birth_date IS NULL THEN 'unknown'
                    WHEN age(%(today)s, p.birth_date) < interval '18 years' THEN 'under 18'
                    WHEN age(%(today)s, p.birth_date) < interval '25 years' THEN '18 to 24'
                    WHEN age(%(today)s, p.birth_date) < interval '40 years' THEN '25 to 39'
                    ELSE '40 and over' END AS age
            FROM latest s JOIN leads l ON l.id = s.lead_id JOIN people p ON p.id = l.person_id
        )
        SELECT 'language' AS kind, language AS name, count(*) AS leads,
            count(*) FILTER (WHERE is_high) AS high FROM scored GROUP BY language
        UNION ALL
        SELECT 'age', age, count(*), count(*) FILTER (WHERE is_high) FROM scored GROUP BY age
        ORDER BY 1, 2
        """,  # noqa: S608 (a constant)
        {"high": high_from, "today": today, "since": since},
    )
    return await rows.fetchall()
