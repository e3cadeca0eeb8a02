"""All the SQL of activities."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow, class_row
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.facts import facts_of
from crm.ids import PersonId
from crm.journal.audit import canonical
from crm.paging import equal, newest_first
from crm.pipeline.activities.models import Activity
from crm.pipeline.models import LeadId

_COLUMNS = "id, person_id, lead_id, kind, direction, about, source_key, staff_id, occurred_at"


async def insert_activity(conn: Connection, activity: Activity) -> bool:
    """Add an activity; False when the same happening is there already."""
    rows = await conn.execute(
        f"""
        INSERT INTO activities ({_COLUMNS}) VALUES (%(id)s, %(person_id)s, %(lead_id)s, %(kind)s,
            %(direction)s, %(about)s, %(source_key)s, %(staff_id)s, %(occurred_at)s)
        ON CONFLICT (source_key) WHERE source_key IS NOT NULL DO NOTHING
        """,  # noqa: S608 (constant columns)
        {**facts_of(activity), "about": Jsonb(activity.about, dumps=canonical)},
    )
    return rows.rowcount == 1


async def has_happened(conn: Connection, source_key: str) -> bool:
    """Return whether a happening is noted."""
    rows = await conn.execute("SELECT 1 FROM activities WHERE source_key = %s", [source_key])
    return await rows.fetchone() is not None


async def select_activities(
    conn: Connection,
    *,
    lead_id: LeadId | None = None,
    person_id: PersonId | None = None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Activity]:
    """Return what happened with a lead or a person, the latest first, after (time, id)."""
    page, values = newest_first(
        {"lead_id": lead_id} if lead_id is not None else {"person_id": person_id},
        equal("lead_id", "person_id"),
        keys=("occurred_at", "id"),
        after=after,
        limit=limit,
    )
    async with conn.cursor(row_factory=class_row(Activity)) as cursor:
        await cursor.execute(f"SELECT {_COLUMNS} FROM activities {page}", values)  # noqa: S608
        return await cursor.fetchall()


async def select_message(conn: Connection, message_id: UUID) -> DictRow | None:
    """Return who said a message, when and where, if it is known whom the conversation is with."""
    rows = await conn.execute(
        """
        SELECT m.role, m.staff_id, m.created_at, c.id AS conversation_id, c.channel,
            p.id AS person_id
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        JOIN people p ON p.id = c.person_id AND p.status = 'active'
        WHERE m.id = %s
        """,
        [message_id],
    )
    return await rows.fetchone()
