"""All the SQL of confirmations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.errors import NotFound
from crm.ids import ConfirmationId, new_id
from crm.messaging.confirmations.models import Confirmation, ConfirmationStatus, FrozenCall

_COLUMNS = (
    "id, conversation_id, run_id, call_key, tool, tool_version, tool_call_id, effect, arguments, "
    "frozen_hash, quote_id, hold_id, summary, price_minor, currency, status, created_at, expires_at"
)


async def insert_call(
    conn: Connection, call: FrozenCall, *, at: datetime, expires_at: datetime
) -> None:
    """Store a frozen call unless the same one is stored."""
    await conn.execute(
        """
        INSERT INTO confirmations (id, conversation_id, run_id, call_key, tool, tool_version,
            tool_call_id, effect, arguments, frozen_hash, quote_id, hold_id, summary, price_minor,
            currency, status, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'pending', %s, %s)
        ON CONFLICT (call_key) DO NOTHING
        """,
        [
            new_id(),
            call.conversation_id,
            call.run_id,
            call.call_key,
            call.tool,
            call.tool_version,
            call.tool_call_id,
            call.effect,
            Jsonb(call.arguments),
            call.frozen_hash(),
            call.quote_id,
            call.hold_id,
            call.summary,
            call.price_minor,
            call.currency,
            at,
            expires_at,
        ],
    )


async def select_by_key(conn: Connection, call_key: str) -> Confirmation | None:
    """Return the confirmation of a call, if it was frozen."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM confirmations WHERE call_key = %s",  # noqa: S608
        [call_key],
    )
    row = await cursor.fetchone()
    return _confirmation(row) if row else None


async def select_confirmation(
    conn: Connection, confirmation_id: UUID, *, lock: bool = False
) -> Confirmation:
    """Return a confirmation.

    Raises: NotFound("confirmation.unknown").
    """
    suffix = " FOR UPDATE" if lock else ""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM confirmations WHERE id = %s{suffix}",  # noqa: S608
        [confirmation_id],
    )
    return _one(await cursor.fetchone())


async def select_open(conn: Connection, conversation_id: UUID) -> list[Confirmation]:
    """Return what is undecided or decided but not told, the newest first."""
    cursor = await conn.execute(
        f"SELECT {_COLUMNS} FROM confirmations "  # noqa: S608
        "WHERE conversation_id = %s AND closed_at IS NULL "
        "ORDER BY created_at DESC, id DESC LIMIT 50",
        [conversation_id],
    )
    return [_confirmation(r) for r in await cursor.fetchall()]


async def update_decision(
    conn: Connection,
    confirmation_id: UUID,
    *,
    status: ConfirmationStatus,
    decided_by: str,
    at: datetime,
) -> None:
    """Record a decision."""
    await conn.execute(
        "UPDATE confirmations SET status = %s, decided_by = %s, decided_at = %s WHERE id = %s",
        [status, decided_by, at, confirmation_id],
    )


async def update_status(
    conn: Connection, confirmation_id: UUID, *, status: ConfirmationStatus
) -> None:
    """Note what became of a decision."""
    await conn.execute(
        "UPDATE confirmations SET status = %s WHERE id = %s", [status, confirmation_id]
    )


async def close(conn: Connection, confirmation_id: UUID, *, at: datetime) -> None:
    """Note that the student was told; an acceptance that led to nothing has failed."""
    await conn.execute(
        "UPDATE confirmations SET closed_at = %s, "
        "status = CASE status WHEN 'accepted' THEN 'failed' ELSE status END "
        "WHERE id = %s AND closed_at IS NULL",
        [at, confirmation_id],
    )


async def expire(conn: Connection, *, at: datetime, limit: int) -> Sequence[UUID]:
    """Turn pending confirmations whose time is up into refusals; return their runs."""
    cursor = await conn.execute(
        """
        UPDATE confirmations SET status = 'expired', decided_at = %(at)s, closed_at = %(at)s
        WHERE id IN (
            SELECT id FROM confirmations WHERE status = 'pending' AND expires_at <= %(at)s
            ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) RETURNING run_id
        """,
        {"at": at, "limit": limit},
    )
    return [r["run_id"] for r in await cursor.fetchall()]


def _one(row: DictRow | None) -> Confirmation:
    if row is None:
        raise NotFound("confirmation.unknown", "There is no such confirmation.")
    return _confirmation(row)


def _confirmation(row: DictRow) -> Confirmation:
    own = ("id", "frozen_hash", "status", "created_at", "expires_at")
    return Confirmation(
        id=ConfirmationId(row["id"]),
        call=FrozenCall(**{k: v for k, v in row.items() if k not in own}),
        stored_hash=row["frozen_hash"],
        status=ConfirmationStatus(row["status"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
