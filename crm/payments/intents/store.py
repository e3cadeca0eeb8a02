"""All the SQL of intents and polls."""

from datetime import datetime
from uuid import UUID

from crm.db import Connection
from crm.ids import new_id
from crm.money import Money
from crm.payments.intents.models import CLAIM_LIFE, Intent, IntentKind
from crm.payments.models import PaymentId, RefundId


async def insert_intent(
    conn: Connection,
    kind: IntentKind,
    payment_id: PaymentId,
    *,
    refund_id: RefundId | None = None,
    at: datetime,
) -> None:
    """Note what shall be asked; asking twice for the same is asking once."""
    await conn.execute(
        """
        INSERT INTO payment_intents (id, kind, payment_id, refund_id, available_at, created_at)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
        """,
        [new_id(), kind, payment_id, refund_id, at, at],
    )


async def claim_intent(
    conn: Connection, *, at: datetime, payment_id: PaymentId | None = None
) -> Intent | None:
    """Take up the next due intent that nobody else has.

    Args:
        payment_id: only what concerns this payment.
    """
    rows = await conn.execute(
        """
        UPDATE payment_intents AS i SET attempts = i.attempts + 1, available_at = %(until)s
        FROM payments AS p, invoices AS v, people AS w
        WHERE i.id = (
            SELECT id FROM payment_intents
            WHERE closed_at IS NULL AND available_at <= %(at)s
                AND (%(payment_id)s::uuid IS NULL OR payment_id = %(payment_id)s)
            ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AND p.id = i.payment_id AND v.id = p.invoice_id AND w.id = p.person_id
        RETURNING i.*, p.gateway, p.gateway_ref, p.status, p.amount_minor, p.currency,
            v.number AS invoice_number, w.locale,
            (SELECT data ->> 'expires_at' FROM payment_events
             WHERE payment_id = p.id AND seq = 1) AS expires_at,
            (SELECT amount_minor FROM refunds WHERE id = i.refund_id) AS refund_minor,
            (SELECT reason FROM refunds WHERE id = i.refund_id) AS reason
        """,
        {"at": at, "until": at + CLAIM_LIFE, "payment_id": payment_id},
    )
    row = await rows.fetchone()
    if row is None:
        return None
    minor = row["amount_minor"] if row["refund_minor"] is None else row["refund_minor"]
    return Intent(
        id=row["id"],
        kind=row["kind"],
        payment_id=PaymentId(row["payment_id"]),
        refund_id=row["refund_id"] and RefundId(row["refund_id"]),
        attempts=row["attempts"],
        gateway=row["gateway"],
        gateway_ref=row["gateway_ref"],
        status=row["status"],
        amount=Money(minor, row["currency"]),
        reason=row["reason"],
        expires_at=row["expires_at"] and datetime.fromisoformat(row["expires_at"]),
        invoice_number=row["invoice_number"],
        locale=row["locale"],
        created_at=row["created_at"],
    )


async def close_intent(
    conn: Connection, intent_id: UUID, *, error: str | None, at: datetime
) -> bool:
    """Note that nothing has to be asked any more; False when another closed it before."""
    rows = await conn.execute(
        "UPDATE payment_intents SET closed_at = %s, error = %s WHERE id = %s AND closed_at IS NULL",
        [at, error, intent_id],
    )
    return rows.rowcount == 1


async def postpone_intent(
    conn: Connection, intent_id: UUID, *, error: str, until: datetime
) -> None:
    """Note when to try again."""
    await conn.execute(
        "UPDATE payment_intents SET available_at = %s, error = %s "
        "WHERE id = %s AND closed_at IS NULL",
        [until, error, intent_id],
    )


# --- polls --------------------------------------------------------------------------------------


async def upsert_poll(conn: Connection, payment_id: PaymentId, *, due_at: datetime) -> None:
    """Note when to ask the gateway about a payment, beginning again with short waits."""
    await conn.execute(
        "INSERT INTO payment_polls (payment_id, due_at) VALUES (%s, %s) "
        "ON CONFLICT (payment_id) DO UPDATE SET due_at = excluded.due_at, polls = 0",
        [payment_id, due_at],
    )


async def delete_poll(conn: Connection, payment_id: PaymentId) -> None:
    """Ask no more about a payment."""
    await conn.execute("DELETE FROM payment_polls WHERE payment_id = %s", [payment_id])


async def claim_poll(conn: Connection, *, at: datetime) -> tuple[PaymentId, int] | None:
    """Take up a payment to ask about; return it with how often it was asked about before."""
    rows = await conn.execute(
        """
        UPDATE payment_polls SET polls = polls + 1, due_at = %(until)s
        WHERE payment_id = (
            SELECT payment_id FROM payment_polls WHERE due_at <= %(at)s
            ORDER BY due_at, payment_id LIMIT 1 FOR UPDATE SKIP LOCKED
        ) RETURNING payment_id, polls - 1 AS before
        """,
        {"at": at, "until": at + CLAIM_LIFE},
    )
    row = await rows.fetchone()
    return (PaymentId(row["payment_id"]), row["before"]) if row else None


async def postpone_poll(conn: Connection, payment_id: PaymentId, *, due_at: datetime) -> None:
    """Note when to ask again."""
    await conn.execute(
        "UPDATE payment_polls SET due_at = %s WHERE payment_id = %s", [due_at, payment_id]
    )
