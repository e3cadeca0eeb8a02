"""The SQL of what was known of leads a while after they began, and of what became of them."""

from datetime import datetime, timedelta

from psycopg.rows import tuple_row

from crm.db import Connection
from crm.pipeline.scoring.facts import LeadFacts
from crm.pipeline.scoring.store import ACTIVITY_SUMS, COUNTED, FEATURES, RECENT

#: A lead is looked at so long after it began: as then, everything later is unknown.
LANDMARK = timedelta(days=7)
#: By so long after that it has enrolled, or it counts as one that did not.
OUTCOME = timedelta(days=90)

_HISTORY = """
    WITH seen AS MATERIALIZED (
        SELECT l.id, l.person_id, l.source, l.programme_code, l.course_code, l.created_at,
            l.created_at + %(landmark)s AS at, s.to_stage AS stage, s.occurred_at AS stage_since
        FROM leads l CROSS JOIN LATERAL (
            SELECT to_stage, occurred_at FROM lead_stages
            WHERE lead_id = l.id AND occurred_at <= l.created_at + %(landmark)s
            ORDER BY occurred_at DESC, id DESC LIMIT 1
        ) s
        WHERE l.created_at + %(landmark)s + %(outcome)s <= %(now)s
            AND s.to_stage NOT IN ('enrolled', 'lost')
        ORDER BY l.created_at DESC, l.id DESC LIMIT %(most)s
    )
    SELECT {features},
        EXISTS (
            SELECT FROM (
                SELECT DISTINCT ON (channel) granted FROM consents
                WHERE person_id = l.person_id AND purpose = 'marketing' AND recorded_at <= l.at
                ORDER BY channel, recorded_at DESC, id DESC
            ) c WHERE granted
        ),
        EXISTS (
            SELECT FROM lead_stages WHERE lead_id = l.id AND to_stage = 'enrolled'
                AND occurred_at <= l.at + %(outcome)s
        )
    FROM seen l
    CROSS JOIN LATERAL (
        SELECT {sums}
        FROM activities WHERE lead_id = l.id AND {counted} AND occurred_at <= l.at
    ) a
    LEFT JOIN LATERAL (
        SELECT min(spent) AS spent FROM sla_clocks
        WHERE subject_kind = 'lead' AND subject_id = l.id AND target = 'first_response'
            AND stopped_at <= l.at
    ) r ON TRUE
    ORDER BY l.created_at, l.id
"""
_THEN = {
    "features": FEATURES.format(at="l.at"),
    "sums": ACTIVITY_SUMS.format(recent="l.at - %(recent)s"),
    "counted": COUNTED,
}


async def select_history(
    conn: Connection, *, now: datetime, most: int
) -> tuple[list[LeadFacts], list[bool]]:
    """Return what was known of the newest leads whose outcome is known, the oldest first, and it.

    A merge or an erasure since then has left its traces in what is known; both are rare.
    """
    asked = {
        "now": now,
        "landmark": LANDMARK,
        "outcome": OUTCOME,
        "recent": RECENT,
        "most": most,
    }
    async with conn.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_HISTORY.format(**_THEN), asked)
        rows = await cursor.fetchall()
    return [LeadFacts._make((*row[:-1], None, None, None)) for row in rows], [r[-1] for r in rows]
