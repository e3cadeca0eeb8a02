"""All the SQL of payments as they stand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from crm.db import Connection
from crm.ids import PersonId
from crm.money import Money
from crm.paging import equal, newest_first
from crm.payments.fold import PaymentState
from crm.payments.models import (
    InvoiceId,
    Payment,
    PaymentId,
)


async def insert_payment(conn: Connection, payment: Payment, *, effect_key: str) -> None:
    """Add a payment whose stream begins."""
    await conn.execute(
        """
        INSERT INTO payments (id, invoice_id, person_id, gateway, amount_minor, currency,
            effect_key, status, version, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            payment.id,
            payment.invoice_id,
            payment.person_id,
            payment.gateway,
            payment.amount.amount_minor,
            payment.amount.currency,
            effect_key,
            payment.status,
            payment.version,
            payment.created_at,
            payment.updated_at,
        ],
    )


async def update_payment(
    conn: Connection, payment_id: PaymentId, state: PaymentState, *, version: int, at: datetime
) -> Payment:
    """Write what a payment's events amount to."""
    checkout = state.checkout
    rows = await conn.execute(
        """
        UPDATE payments SET status = %s, captured_minor = %s, refunded_minor = %s,
            refund_pending_minor = %s, disputed_minor = %s, lost_minor = %s, gateway_ref = %s,
            checkout_url = %s, checkout_expires_at = %s, version = %s, updated_at = %s
        WHERE id = %s RETURNING *
        """,
        [
            state.status,
            state.captured_minor,
            state.refunded_minor,
            state.refund_pending_minor,
            state.disputed_minor,
            state.lost_minor,
            checkout and checkout.gateway_ref,
            checkout and checkout.url,
            checkout and checkout.expires_at,
            version,
            at,
            payment_id,
        ],
    )
    return payment_of((await rows.fetchall())[0])


async def select_payment(
    conn: Connection, payment_id: PaymentId, *, owner: PersonId | None, for_update: bool = False
) -> Payment | None:
    """Return a payment; an owner finds only their own."""
    rows = await conn.execute(
        "SELECT * FROM payments WHERE id = %(id)s "  # noqa: S608 (the rest is constant)
        "AND (%(owner)s::uuid IS NULL OR person_id = %(owner)s)"
        f"{' FOR UPDATE' if for_update else ''}",
        {"id": payment_id, "owner": owner},
    )
    row = await rows.fetchone()
    return payment_of(row) if row else None


async def select_payment_by_effect(conn: Connection, effect_key: str) -> Payment | None:
    """Return the payment that an effect began."""
    rows = await conn.execute("SELECT * FROM payments WHERE effect_key = %s", [effect_key])
    row = await rows.fetchone()
    return payment_of(row) if row else None


async def select_payments_of(conn: Connection, invoice_id: InvoiceId) -> list[Payment]:
    """Return an invoice's payments, the oldest first."""
    rows = await conn.execute(
        "SELECT * FROM payments WHERE invoice_id = %s ORDER BY created_at, id", [invoice_id]
    )
    return [payment_of(row) for row in await rows.fetchall()]


async def select_payments_by_id(
    conn: Connection, payment_ids: Sequence[PaymentId]
) -> list[Payment]:
    """Return some payments, in no order."""
    rows = await conn.execute("SELECT * FROM payments WHERE id = ANY(%s)", [list(payment_ids)])
    return [payment_of(row) for row in await rows.fetchall()]


async def select_payments(
    conn: Connection,
    filters: Mapping[str, object],
    *,
    owner: PersonId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Payment]:
    """Return payments, the newest first.

    Args:
        filters: any of `status`, `person_id`, `invoice_id`, `gateway`.
        after: (created_at, id) of the last one seen.
    """
    page, values = newest_first(
        {**filters, "owner": owner},
        _FILTERS,
        keys=("created_at", "id"),
        after=after,
        limit=limit,
    )
    rows = await conn.execute(f"SELECT * FROM payments {page}", values)  # noqa: S608 (constants)
    return [payment_of(row) for row in await rows.fetchall()]


_FILTERS = equal("status", "person_id", "invoice_id", "gateway") | {
    "owner": "person_id = %(owner)s"
}


def payment_of(row: DictRow) -> Payment:
    """Return the payment of a row."""

    def money(column: str) -> Money:
        return Money(row[column], row["currency"])

    return Payment(
        id=PaymentId(row["id"]),
        invoice_id=InvoiceId(row["invoice_id"]),
        person_id=PersonId(row["person_id"]),
        gateway=row["gateway"],
        amount=money("amount_minor"),
        status=row["status"],
        captured=money("captured_minor"),
        refunded=money("refunded_minor"),
        refund_pending=money("refund_pending_minor"),
        disputed=money("disputed_minor"),
        lost=money("lost_minor"),
        gateway_ref=row["gateway_ref"],
        checkout_url=row["checkout_url"],
        checkout_expires_at=row["checkout_expires_at"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
