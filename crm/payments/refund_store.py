"""All the SQL of refunds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg.rows import DictRow

from crm.db import Connection
from crm.money import Money
from crm.payments.fold import RefundState
from crm.payments.models import PaymentId, Refund, RefundId


async def insert_refund(conn: Connection, refund: Refund, *, effect_key: str) -> None:
    """Add a refund."""
    await conn.execute(
        """
        INSERT INTO refunds (id, payment_id, amount_minor, currency, reason, effect_key, status,
            created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            refund.id,
            refund.payment_id,
            refund.amount.amount_minor,
            refund.amount.currency,
            refund.reason,
            effect_key,
            refund.status,
            refund.created_at,
            refund.updated_at,
        ],
    )


async def update_refunds(
    conn: Connection, refunds: Mapping[RefundId, RefundState], *, at: datetime
) -> None:
    """Write what became of refunds."""
    ids: Sequence[RefundId] = sorted(refunds)
    await conn.execute(
        """
        UPDATE refunds AS r SET status = t.status, updated_at = %s
        FROM unnest(%s::uuid[], %s::text[]) AS t (id, status)
        WHERE r.id = t.id AND r.status <> t.status
        """,
        [at, list(ids), [refunds[refund_id].status for refund_id in ids]],
    )


async def update_refund_reference(
    conn: Connection, refund_id: RefundId, *, gateway_ref: str | None, error: str | None
) -> None:
    """Write what the gateway calls a refund, or why it failed."""
    await conn.execute(
        "UPDATE refunds SET gateway_ref = coalesce(%s, gateway_ref), error = %s WHERE id = %s",
        [gateway_ref, error, refund_id],
    )


async def select_refund(conn: Connection, refund_id: RefundId) -> Refund | None:
    """Return a refund."""
    rows = await conn.execute("SELECT * FROM refunds WHERE id = %s", [refund_id])
    row = await rows.fetchone()
    return refund_of(row) if row else None


async def select_refund_by_effect(conn: Connection, effect_key: str) -> Refund | None:
    """Return the refund that an effect asked for."""
    rows = await conn.execute("SELECT * FROM refunds WHERE effect_key = %s", [effect_key])
    row = await rows.fetchone()
    return refund_of(row) if row else None


async def select_refunds(conn: Connection, payment_id: PaymentId) -> list[Refund]:
    """Return a payment's refunds, the oldest first."""
    rows = await conn.execute(
        "SELECT * FROM refunds WHERE payment_id = %s ORDER BY created_at, id", [payment_id]
    )
    return [refund_of(row) for row in await rows.fetchall()]


def refund_of(row: DictRow) -> Refund:
    """Return the refund of a row."""
    return Refund(
        id=RefundId(row["id"]),
        payment_id=PaymentId(row["payment_id"]),
        amount=Money(row["amount_minor"], row["currency"]),
        reason=row["reason"],
        status=row["status"],
        gateway_ref=row["gateway_ref"],
        error=row["error"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
