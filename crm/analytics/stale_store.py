"""All the SQL of what has to be computed anew."""

from collections.abc import Sequence
from datetime import datetime

from crm.analytics.models import WHOLE, Model, Stale
from crm.db import Connection


async def mark_stale(conn: Connection, parts: Sequence[Stale]) -> None:
    """Ask for parts to be computed anew."""
    await conn.execute(
        "INSERT INTO analytics_stale (model, key) SELECT m, k "
        "FROM unnest(%s::text[], %s::text[]) AS s (m, k) ON CONFLICT DO NOTHING",
        [[part.model for part in parts], [part.key for part in parts]],
    )


async def select_stale(conn: Connection, *, at: datetime, time_zone: str) -> set[Model]:
    """Return the models that may have to be computed; what is owed grows older every day."""
    rows = await conn.execute(
        """
        SELECT DISTINCT model FROM analytics_stale
        UNION SELECT model FROM analytics_refreshes WHERE model = 'receivables'
            AND refreshed_at < date_trunc('day', %(at)s::timestamptz, %(zone)s)
        """,
        {"at": at, "zone": time_zone},
    )
    return {row["model"] for row in await rows.fetchall()}


async def take_stale(conn: Connection, model: Model, *, limit: int) -> list[str]:
    """Take the keys of a model that are stale, with nobody else computing it meanwhile."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtext('analytics:' || %s))", [model])
    rows = await conn.execute(
        """
        DELETE FROM analytics_stale WHERE model = %(model)s AND key IN (
            SELECT key FROM analytics_stale WHERE model = %(model)s LIMIT %(limit)s
        ) RETURNING key
        """,
        {"model": model, "limit": limit},
    )
    return [row["key"] for row in await rows.fetchall()]


async def mark_everything(conn: Connection, *, time_zone: str) -> None:
    """Ask for everything there is to be computed anew."""
    await conn.execute(
        """
        INSERT INTO analytics_stale (model, key)
        SELECT unnest(ARRAY['funnel', 'receivables', 'scores']), %(whole)s
        UNION SELECT 'cohorts', id::text FROM cohorts
        UNION SELECT 'revenue', date_trunc('month', recorded_at AT TIME ZONE %(zone)s)::date::text
            FROM ledger_transactions
        UNION SELECT 'responses', (finished_at AT TIME ZONE %(zone)s)::date::text
            FROM runs WHERE status = 'completed'
        UNION SELECT 'responses', (taken_at AT TIME ZONE %(zone)s)::date::text
            FROM handoffs WHERE taken_at IS NOT NULL
        UNION SELECT 'responses', (stopped_at AT TIME ZONE %(zone)s)::date::text
            FROM sla_clocks WHERE target = 'first_response' AND stopped_at IS NOT NULL
        ON CONFLICT DO NOTHING
        """,
        {"whole": WHOLE, "zone": time_zone},
    )


async def note_refresh(conn: Connection, model: Model, *, at: datetime) -> None:
    """Note when a model was last computed."""
    await conn.execute(
        "INSERT INTO analytics_refreshes (model, refreshed_at) VALUES (%s, %s) "
        "ON CONFLICT (model) DO UPDATE SET refreshed_at = excluded.refreshed_at",
        [model, at],
    )


async def select_refresh(conn: Connection, model: Model) -> datetime | None:
    """Return when a model was last computed."""
    rows = await conn.execute(
        "SELECT refreshed_at FROM analytics_refreshes WHERE model = %s", [model]
    )
    row = await rows.fetchone()
    return row["refreshed_at"] if row else None
