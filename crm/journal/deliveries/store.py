"""All the SQL of deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow, class_row

from crm.db import Connection
from crm.journal.deliveries.models import DeadLetter, Delivery, StoredEvent


async def claim_outbox(conn: Connection, *, limit: int, at: datetime) -> list[DictRow]:
    """Lock events that nobody has distributed; others skip them until this transaction ends."""
    rows = await conn.execute(
        """
        SELECT id, event_id, name FROM outbox
        WHERE delivered_at IS NULL AND dead_at IS NULL AND available_at <= %s
        ORDER BY available_at, id LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        [at, limit],
    )
    return await rows.fetchall()


async def distribute(
    conn: Connection,
    rows: Sequence[DictRow],
    handlers: Mapping[str, Sequence[str]],
    *,
    at: datetime,
) -> None:
    """Make a delivery for each handler of each event, and mark the events distributed."""
    pairs = [(r["event_id"], h) for r in rows for h in handlers.get(r["name"], ())]
    await conn.execute(
        "INSERT INTO deliveries (event_id, handler, available_at) "
        "SELECT e, h, %s FROM unnest(%s::uuid[], %s::text[]) AS d (e, h) ON CONFLICT DO NOTHING",
        [at, [event for event, _ in pairs], [handler for _, handler in pairs]],
    )
    await conn.execute(
        "UPDATE outbox SET delivered_at = %s WHERE id = ANY(%s)", [at, [r["id"] for r in rows]]
    )


async def claim_due(
    conn: Connection,
    *,
    handlers: Sequence[str],
    due: datetime,
    at: datetime,
    until: datetime,
    limit: int,
) -> list[Delivery]:
    """Take deliveries that were due at a moment and that nobody has in hand, the oldest first."""
    rows = await conn.execute(
        """
        WITH taken AS (
            SELECT event_id, handler FROM deliveries
            WHERE done_at IS NULL AND dead_at IS NULL AND available_at <= %(due)s
                AND (claimed_until IS NULL OR claimed_until <= %(at)s)
                AND handler = ANY(%(handlers)s)
            ORDER BY available_at, event_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE deliveries d SET claimed_until = %(until)s, attempts = attempts + 1
            FROM taken t WHERE d.event_id = t.event_id AND d.handler = t.handler
            RETURNING d.event_id, d.handler, d.attempts
        )
        SELECT c.event_id, c.handler, c.attempts, o.name, o.payload, o.occurred_at, o.id
        FROM claimed c JOIN outbox o USING (event_id) ORDER BY o.id
        """,
        {"due": due, "at": at, "until": until, "handlers": list(handlers), "limit": limit},
    )
    return [
        Delivery(
            StoredEvent(r["event_id"], r["name"], r["payload"], r["occurred_at"]),
            r["handler"],
            r["attempts"],
        )
        for r in await rows.fetchall()
    ]


async def mark_done(conn: Connection, delivery: Delivery, *, at: datetime) -> None:
    """Note that a handler has had an event."""
    await conn.execute(
        "UPDATE deliveries SET done_at = %s, claimed_until = NULL, last_error = NULL "
        "WHERE event_id = %s AND handler = %s",
        [at, delivery.event.event_id, delivery.handler],
    )


async def mark_failed(
    conn: Connection, delivery: Delivery, *, error: str, retry_at: datetime | None, at: datetime
) -> None:
    """Note why a handler did not take an event; without `retry_at` it is set aside as dead."""
    await conn.execute(
        """
        UPDATE deliveries SET claimed_until = NULL, last_error = %(error)s,
            available_at = coalesce(%(retry_at)s, available_at),
            dead_at = CASE WHEN %(retry_at)s::timestamptz IS NULL THEN %(at)s::timestamptz END
        WHERE event_id = %(event)s AND handler = %(handler)s AND done_at IS NULL
        """,
        {
            "event": delivery.event.event_id,
            "handler": delivery.handler,
            "error": error,
            "retry_at": retry_at,
            "at": at,
        },
    )


async def select_dead(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[DeadLetter]:
    """Return what was given up, the latest first."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(
            "SELECT d.event_id, d.handler, o.name, o.payload, o.occurred_at, d.attempts, "
            "d.dead_at, coalesce(d.last_error, '') AS reason "
            "FROM deliveries d JOIN outbox o USING (event_id) WHERE d.dead_at IS NOT NULL "
            + ("AND (d.dead_at, d.event_id) < (%(at)s, %(last)s) " if after else "")
            + "ORDER BY d.dead_at DESC, d.event_id DESC, d.handler LIMIT %(limit)s",
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def revive(
    conn: Connection, *, event_id: UUID | None, handler: str | None, at: datetime
) -> int:
    """Let dead deliveries be tried again from the start; returns how many."""
    cursor = await conn.execute(
        """
        UPDATE deliveries SET dead_at = NULL, attempts = 0, available_at = %(at)s
        WHERE dead_at IS NOT NULL
            AND (%(event)s::uuid IS NULL OR event_id = %(event)s)
            AND (%(handler)s::text IS NULL OR handler = %(handler)s)
        """,
        {"event": event_id, "handler": handler, "at": at},
    )
    return cursor.rowcount


async def delete_old(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget events that every handler had before a moment; returns how many."""
    cursor = await conn.execute(
        """
        WITH old AS (
            SELECT id, event_id FROM outbox o WHERE delivered_at < %(before)s AND NOT EXISTS (
                SELECT 1 FROM deliveries d WHERE d.event_id = o.event_id AND d.done_at IS NULL
            ) ORDER BY delivered_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ), gone AS (DELETE FROM deliveries d USING old WHERE d.event_id = old.event_id)
        DELETE FROM outbox o USING old WHERE o.id = old.id
        """,
        {"before": before, "limit": limit},
    )
    return cursor.rowcount
