"""The SQL of webhooks that led nowhere."""

import hashlib
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from crm.db import Connection
from crm.ids import new_id
from crm.payments.gateways.dead_notes import DeadNote


def digest_of(body: bytes) -> str:
    """Return what names a webhook whose event has no name: the same body, the same name."""
    return f"body:{hashlib.sha256(body).hexdigest()}"


async def insert_dead_note(
    conn: Connection, gateway: str, event_id: str, *, code: str, at: datetime
) -> bool:
    """Keep what nobody could use, once an event."""
    rows = await conn.execute(
        "INSERT INTO gateway_dead_notes (id, gateway, event_id, code, noted_at) "
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (gateway, event_id) DO NOTHING",
        [new_id(), gateway, event_id, code, at],
    )
    return rows.rowcount == 1


async def select_dead_notes(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[DeadNote]:
    """Return what nobody could use, the latest first."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(DeadNote)) as cursor:
        await cursor.execute(
            # Without a cursor the page begins at the end of time, so that the index serves both.
            "SELECT id, gateway, event_id, code, noted_at FROM gateway_dead_notes "
            "WHERE (noted_at, id) < (coalesce(%(at)s::timestamptz, 'infinity'), %(last)s::uuid) "
            "ORDER BY noted_at DESC, id DESC LIMIT %(limit)s",
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()
