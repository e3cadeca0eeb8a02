"""All the SQL of payment links."""

from datetime import datetime

from crm.db import Connection
from crm.payments.models import Payment, PaymentId
from crm.payments.store import payment_of


async def insert_link(
    conn: Connection, token_hash: bytes, payment_id: PaymentId, *, at: datetime
) -> None:
    """Add a link."""
    await conn.execute(
        "INSERT INTO payment_links (token_hash, payment_id, created_at) VALUES (%s, %s, %s)",
        [token_hash, payment_id, at],
    )


async def select_linked_payment(conn: Connection, token_hash: bytes) -> Payment | None:
    """Return the payment that a link leads to."""
    rows = await conn.execute(
        "SELECT p.* FROM payment_links AS l JOIN payments AS p ON p.id = l.payment_id "
        "WHERE l.token_hash = %s",
        [token_hash],
    )
    row = await rows.fetchone()
    return payment_of(row) if row else None


async def update_link(conn: Connection, token_hash: bytes, payment_id: PaymentId) -> None:
    """Let a link lead to another payment."""
    await conn.execute(
        "UPDATE payment_links SET payment_id = %s WHERE token_hash = %s", [payment_id, token_hash]
    )
