"""All the SQL of SLA clocks and of the institution's calendar."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow, class_row

from crm.business_hours import BusinessCalendar, read_week, write_week
from crm.db import Connection
from crm.facts import facts_of
from crm.pipeline.sla.models import SlaClock, SlaTarget, SubjectKind

_COLUMNS = (
    "id, subject_kind, subject_id, target, allowance, spent, state, running_since, due_at, "
    "started_at, stopped_at, breached_at"
)


async def select_calendar(conn: Connection) -> BusinessCalendar:
    """Return when the institution works."""
    rows = await conn.execute("SELECT time_zone, week, holidays FROM business_calendar")
    (row,) = await rows.fetchall()
    return BusinessCalendar(row["time_zone"], read_week(row["week"]), frozenset(row["holidays"]))


async def update_calendar(conn: Connection, calendar: BusinessCalendar) -> None:
    """Change when the institution works."""
    await conn.execute(
        "UPDATE business_calendar SET time_zone = %s, week = %s, holidays = %s",
        [calendar.time_zone, write_week(calendar.week), sorted(calendar.holidays)],
    )


async def insert_clock(conn: Connection, clock: SlaClock, effect_key: str) -> bool:
    """Add a clock; False when the effect happened before, or one of its kind is going."""
    rows = await conn.execute(
        f"""
        INSERT INTO sla_clocks (effect_key, {_COLUMNS})
        VALUES (%(effect_key)s, %(id)s, %(subject_kind)s, %(subject_id)s, %(target)s,
            %(allowance)s, %(spent)s, %(state)s, %(running_since)s, %(due_at)s, %(started_at)s,
            %(stopped_at)s, %(breached_at)s)
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 (constant columns)
        {**facts_of(clock), "effect_key": effect_key},
    )
    return rows.rowcount == 1


async def select_clocks(
    conn: Connection, subject_kind: SubjectKind, subject_id: UUID
) -> list[SlaClock]:
    """Return every clock of a subject, the first started first."""
    async with conn.cursor(row_factory=class_row(SlaClock)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM sla_clocks "  # noqa: S608 (constant columns)
            "WHERE subject_kind = %s AND subject_id = %s ORDER BY started_at, id",
            [subject_kind, subject_id],
        )
        return await cursor.fetchall()


async def lock_live_clocks(
    conn: Connection, subject_kind: SubjectKind, subject_id: UUID, target: SlaTarget | None
) -> list[SlaClock]:
    """Return a subject's clocks that are not stopped, of a target or of any, locked."""
    async with conn.cursor(row_factory=class_row(SlaClock)) as cursor:
        await cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM sla_clocks
            WHERE subject_kind = %(kind)s AND subject_id = %(subject)s AND state <> 'stopped'
                AND (%(target)s::text IS NULL OR target = %(target)s)
            ORDER BY id FOR UPDATE
            """,  # noqa: S608 (constant columns)
            {"kind": subject_kind, "subject": subject_id, "target": target},
        )
        return await cursor.fetchall()


async def update_clock(conn: Connection, clock: SlaClock) -> None:
    """Write a clock that the caller has locked."""
    await conn.execute(
        """
        UPDATE sla_clocks SET spent = %(spent)s, state = %(state)s, due_at = %(due_at)s,
            running_since = %(running_since)s, stopped_at = %(stopped_at)s,
            breached_at = %(breached_at)s
        WHERE id = %(id)s
        """,
        facts_of(clock),
    )


async def mark_breached(conn: Connection, *, at: datetime, limit: int) -> list[SlaClock]:
    """Mark the clocks that are late and were not marked before; returns them."""
    async with conn.cursor(row_factory=class_row(SlaClock)) as cursor:
        await cursor.execute(
            f"""
            UPDATE sla_clocks SET breached_at = %(at)s WHERE id IN (
                SELECT id FROM sla_clocks
                WHERE state = 'running' AND breached_at IS NULL AND due_at < %(at)s
                ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            ) RETURNING {_COLUMNS}
            """,  # noqa: S608 (constant columns)
            {"at": at, "limit": limit},
        )
        return await cursor.fetchall()


async def select_ticket(conn: Connection, ticket_id: UUID) -> DictRow | None:
    """Return a ticket's status and priority, and when it last changed."""
    rows = await conn.execute(
        "SELECT status, priority, updated_at FROM tickets WHERE id = %s FOR SHARE", [ticket_id]
    )
    return await rows.fetchone()
