"""All the SQL of outbound messages and the demo's mailbox."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.ids import new_id
from crm.messaging.outbound.models import (
    CLAIM,
    ClaimedMessage,
    MailboxMessage,
    OutboundIntent,
    RefusedIntent,
    RenderedMessage,
)

_INSERT = """
    INSERT INTO outbound_messages (id, effect_key, channel, basis, purpose, person_id, template,
        locale, sealed, status, created_at, error_code)
    VALUES (%(id)s, %(effect_key)s, %(channel)s, %(basis)s, %(purpose)s, %(person_id)s,
        %(template)s, %(locale)s, %(sealed)s, %(status)s, %(at)s, %(reason)s)
    ON CONFLICT (effect_key) DO NOTHING
"""


async def insert_outbound(
    conn: Connection, intent: OutboundIntent, *, sealed: Mapping[str, str], at: datetime
) -> None:
    """Record that a message shall leave; a known effect key changes nothing."""
    proof = intent.proof
    await conn.execute(
        _INSERT,
        {
            "id": new_id(),
            "effect_key": intent.effect_key,
            "channel": proof.channel,
            "basis": proof.basis,
            "purpose": proof.purpose,
            "person_id": proof.person_id,
            "template": intent.template,
            "locale": proof.locale,
            "sealed": Jsonb(sealed),
            "status": "intent",
            "at": at,
            "reason": None,
        },
    )


async def insert_refused(conn: Connection, intent: RefusedIntent, *, at: datetime) -> None:
    """Record a message that must not leave; a known effect key changes nothing."""
    fixed = {"id": new_id(), "purpose": None, "sealed": Jsonb({}), "status": "failed", "at": at}
    await conn.execute(_INSERT, asdict(intent) | fixed)


async def claim_next(conn: Connection, *, at: datetime) -> ClaimedMessage | None:
    """Take the oldest intent that nobody sends at this moment; others skip it.

    While a row is an intent, `sent_at` says until when it is taken or has to wait.
    """
    async with conn.cursor(row_factory=class_row(ClaimedMessage)) as cursor:
        await cursor.execute(
            """
            UPDATE outbound_messages SET attempts = attempts + 1, sent_at = %(until)s
            WHERE id = (
                SELECT id FROM outbound_messages
                WHERE status = 'intent' AND (sent_at IS NULL OR sent_at <= %(at)s)
                ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING id, effect_key, channel, basis, purpose, person_id, template, locale,
                sealed, attempts, created_at
            """,
            {"at": at, "until": at + CLAIM},
        )
        return await cursor.fetchone()


async def close_outbound(
    conn: Connection, message_id: UUID, *, error: str | None, at: datetime
) -> bool:
    """Mark an intent sent, or failed for good, and destroy what was sealed in it.

    Returns: False when somebody else had closed it.
    """
    cursor = await conn.execute(
        """
        UPDATE outbound_messages SET status = %(status)s, error_code = %(error)s,
            sent_at = CASE WHEN %(status)s = 'sent' THEN %(at)s::timestamptz END, sealed = '{}'
        WHERE id = %(id)s AND status = 'intent'
        """,
        {"id": message_id, "status": "failed" if error else "sent", "error": error, "at": at},
    )
    return cursor.rowcount == 1


async def postpone_outbound(
    conn: Connection, message_id: UUID, *, error: str, until: datetime, counted: bool = True
) -> None:
    """Leave an intent for a later attempt.

    Args:
        counted: False when this was no attempt.
    """
    await conn.execute(
        "UPDATE outbound_messages SET error_code = %s, sent_at = %s, attempts = attempts - %s "
        "WHERE id = %s AND status = 'intent'",
        [error, until, 0 if counted else 1, message_id],
    )


async def cancel_outbound(conn: Connection, effect_keys: Sequence[str], *, error: str) -> None:
    """Withdraw intents that have not left."""
    await conn.execute(
        "UPDATE outbound_messages SET status = 'failed', error_code = %s, sent_at = NULL, "
        "sealed = '{}' WHERE effect_key = ANY(%s) AND status = 'intent'",
        [error, list(effect_keys)],
    )


async def delete_closed(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget messages that left or failed, queued before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM outbound_messages WHERE id IN (
            SELECT id FROM outbound_messages WHERE status <> 'intent' AND created_at < %s
            ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount


async def insert_mailbox_message(
    conn: Connection, message: RenderedMessage, *, at: datetime
) -> None:
    """Put a message into the mailbox, once an effect key."""
    await conn.execute(
        """
        INSERT INTO mailbox_messages (id, effect_key, channel, recipient, subject, body, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (effect_key) DO NOTHING
        """,
        [
            new_id(),
            message.effect_key,
            message.channel,
            message.recipient,
            message.subject,
            message.body,
            at,
        ],
    )


async def select_mailbox(
    conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[MailboxMessage]:
    """Return the mailbox, newest first, after (created_at, id)."""
    at, last = after or (None, None)
    async with conn.cursor(row_factory=class_row(MailboxMessage)) as cursor:
        await cursor.execute(
            """
            SELECT id, channel, recipient, subject, body, created_at FROM mailbox_messages
            WHERE %(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(last)s::uuid)
            ORDER BY created_at DESC, id DESC LIMIT %(limit)s
            """,
            {"at": at, "last": last, "limit": limit},
        )
        return await cursor.fetchall()


async def delete_mailbox(conn: Connection, *, before: datetime, limit: int) -> int:
    """Forget what was delivered before a moment; returns how many."""
    cursor = await conn.execute(
        """
        DELETE FROM mailbox_messages WHERE id IN (
            SELECT id FROM mailbox_messages WHERE created_at < %s
            ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [before, limit],
    )
    return cursor.rowcount
