"""All the SQL of reminders and pauses."""

from collections.abc import Sequence
from datetime import date, datetime

from psycopg.rows import class_row

from crm.db import Connection
from crm.payments.dunning.models import Candidate, Pause, Reminder, ReminderStatus, Window
from crm.payments.models import InvoiceId

#: A test looks at its plan.
CANDIDATES = """
    SELECT part.invoice_id, part.number, w.step
    FROM unnest(%(steps)s::int[], %(firsts)s::date[], %(lasts)s::date[])
        AS w (step, first, last)
    JOIN instalments AS part ON part.due_on BETWEEN w.first AND w.last
    JOIN invoices AS owed ON owed.id = part.invoice_id
    WHERE owed.next_due_on <= part.due_on
        AND NOT EXISTS (
            SELECT 1 FROM dunning_reminders AS done
            WHERE (done.invoice_id, done.number, done.step)
                    = (part.invoice_id, part.number, w.step)
                AND (done.retry_at IS NULL OR done.retry_at > %(at)s)
        )
        AND NOT EXISTS (
            SELECT 1 FROM dunning_pauses AS pause
            WHERE pause.invoice_id = part.invoice_id AND pause.lifted_at IS NULL
                AND pause.until >= %(today)s
        )
    ORDER BY part.due_on, part.invoice_id, part.number LIMIT %(limit)s
"""


async def select_candidates(
    conn: Connection, windows: Sequence[Window], *, today: date, at: datetime, limit: int
) -> list[Candidate]:
    """Return instalments at a step for which nobody was reminded yet, the longest due first."""
    async with conn.cursor(row_factory=class_row(Candidate)) as cursor:
        await cursor.execute(
            CANDIDATES,
            {
                "steps": [w.step for w in windows],
                "firsts": [w.first for w in windows],
                "lasts": [w.last for w in windows],
                "today": today,
                "at": at,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def claim_reminder(conn: Connection, candidate: Candidate, *, at: datetime) -> bool:
    """Take a reminder for this transaction; False when somebody else dealt with it."""
    rows = await conn.execute(
        """
        INSERT INTO dunning_reminders AS r (invoice_id, number, step, effect_key, status,
            updated_at)
        VALUES (%(invoice_id)s, %(number)s, %(step)s, %(effect_key)s, 'queued', %(at)s)
        ON CONFLICT (invoice_id, number, step) DO UPDATE SET status = 'queued', code = NULL,
            retry_at = NULL, updated_at = %(at)s
        WHERE r.retry_at <= %(at)s
        """,
        {
            "invoice_id": candidate.invoice_id,
            "number": candidate.number,
            "step": candidate.step,
            "effect_key": candidate.effect_key,
            "at": at,
        },
    )
    return rows.rowcount == 1


async def update_reminder(
    conn: Connection,
    effect_key: str,
    status: ReminderStatus,
    *,
    code: str,
    retry_at: datetime | None,
) -> None:
    """Write why a reminder did not leave, and when it may."""
    await conn.execute(
        "UPDATE dunning_reminders SET status = %s, code = %s, retry_at = %s WHERE effect_key = %s",
        [status, code, retry_at, effect_key],
    )


async def select_candidate(conn: Connection, effect_key: str) -> Candidate | None:
    """Return what a reminder is about."""
    async with conn.cursor(row_factory=class_row(Candidate)) as cursor:
        await cursor.execute(
            "SELECT invoice_id, number, step FROM dunning_reminders WHERE effect_key = %s",
            [effect_key],
        )
        return await cursor.fetchone()


async def is_being_undone(conn: Connection, invoice_id: InvoiceId) -> bool:
    """Return whether whoever owes an invoice has left what it is for, or never got it.

    The invoice itself follows in a step of its own, perhaps much later.
    """
    rows = await conn.execute(
        "SELECT 1 FROM sagas WHERE invoice_id = %s "
        "AND (kind = 'withdrawal' OR status IN ('compensating', 'compensated')) LIMIT 1",
        [invoice_id],
    )
    return await rows.fetchone() is not None


async def select_reminders(conn: Connection, invoice_id: InvoiceId) -> list[Reminder]:
    """Return an invoice's reminders, the oldest first."""
    async with conn.cursor(row_factory=class_row(Reminder)) as cursor:
        await cursor.execute(
            "SELECT number, step, status, code, retry_at, updated_at FROM dunning_reminders "
            "WHERE invoice_id = %s ORDER BY updated_at, number, step",
            [invoice_id],
        )
        return await cursor.fetchall()


async def select_pause(conn: Connection, invoice_id: InvoiceId) -> Pause | None:
    """Return an invoice's pause that nobody has lifted, perhaps a past one."""
    async with conn.cursor(row_factory=class_row(Pause)) as cursor:
        await cursor.execute(
            "SELECT id, invoice_id, until, reason, staff_id, created_at FROM dunning_pauses "
            "WHERE invoice_id = %s AND lifted_at IS NULL",
            [invoice_id],
        )
        return await cursor.fetchone()


async def insert_pause(conn: Connection, pause: Pause) -> None:
    """Pause an invoice's reminders."""
    await conn.execute(
        "INSERT INTO dunning_pauses (id, invoice_id, until, reason, staff_id, created_at) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [
            pause.id,
            pause.invoice_id,
            pause.until,
            pause.reason,
            pause.staff_id,
            pause.created_at,
        ],
    )


async def lift_pause(conn: Connection, invoice_id: InvoiceId, *, at: datetime) -> bool:
    """End an invoice's pause; False when there is none."""
    rows = await conn.execute(
        "UPDATE dunning_pauses SET lifted_at = %s WHERE invoice_id = %s AND lifted_at IS NULL",
        [at, invoice_id],
    )
    return rows.rowcount == 1
