"""The SQL of webhooks that led nowhere."""

import hashlib
from datetime import datetime

from crm.db import Connection
from crm.ids import new_id


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
