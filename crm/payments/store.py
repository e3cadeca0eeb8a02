"""All the SQL of payments: their events, what lists show of them, and refunds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.ids import PersonId
from crm.money import Money
from crm.paging import equal, newest_first
from crm.payments.fold import PaymentState, RefundState
from crm.payments.models import (
    Dispute,
    Fact,
    InvoiceId,
    Payment,
    PaymentId,
    Refund,
    RefundId,
)

# --- payments -----------------------------------------------------------------------------------


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


async def select_disputes(
    conn: Connection, *, after: tuple[datetime, str] | None, limit: int
) -> list[Dispute]:
    """Return what happened in disputes, the newest first.

    Args:
        after: (recorded_at, source_key) of the last one seen.
    """
    clause = "AND (e.recorded_at, e.source_key) < (%s, %s)" if after else ""
    rows = await conn.execute(
        f"""
        SELECT p.*, e.kind, e.source_key, e.occurred_at, e.refund_id, e.data, e.recorded_at,
            e.amount_minor AS fact_minor
        FROM payment_events AS e JOIN payments AS p ON p.id = e.payment_id
        WHERE e.kind IN ('disputed', 'dispute_won', 'dispute_lost') {clause}
        ORDER BY e.recorded_at DESC, e.source_key DESC LIMIT %s
        """,  # noqa: S608 (the clause is a constant)
        [*(after or ()), limit],
    )
    return [
        Dispute(
            payment_of(row),
            fact_of({**row, "amount_minor": row["fact_minor"]}),
            row["recorded_at"],
        )
        for row in await rows.fetchall()
    ]


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


# --- events -------------------------------------------------------------------------------------


async def insert_fact(
    conn: Connection, payment_id: PaymentId, fact: Fact, *, seq: int, at: datetime
) -> bool:
    """Append to a payment's stream; False when the source key is there already."""
    rows = await conn.execute(
        """
        INSERT INTO payment_events (payment_id, seq, kind, source_key, amount_minor, currency,
            refund_id, data, occurred_at, recorded_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (source_key) DO NOTHING
        """,
        [
            payment_id,
            seq,
            fact.kind,
            fact.source_key,
            fact.amount and fact.amount.amount_minor,
            fact.amount and fact.amount.currency,
            fact.refund_id,
            Jsonb(dict(fact.data)),
            fact.occurred_at,
            at,
        ],
    )
    return rows.rowcount == 1


async def select_facts(conn: Connection, payment_id: PaymentId) -> tuple[Fact, ...]:
    """Return a payment's stream."""
    rows = await conn.execute(
        "SELECT * FROM payment_events WHERE payment_id = %s ORDER BY seq", [payment_id]
    )
    return tuple(fact_of(row) for row in await rows.fetchall())


async def select_streams(
    conn: Connection, *, after: PaymentId | None, limit: int
) -> dict[PaymentId, list[Fact]]:
    """Return the streams of the payments that follow one, by payment.

    Args:
        limit: how many payments.
    """
    rows = await conn.execute(
        """
        SELECT e.* FROM payment_events AS e JOIN (
            SELECT payment_id FROM payment_events
            WHERE seq = 1 AND (%(after)s::uuid IS NULL OR payment_id > %(after)s)
            ORDER BY payment_id LIMIT %(limit)s
        ) AS stretch USING (payment_id) ORDER BY e.payment_id, e.seq
        """,
        {"after": after, "limit": limit},
    )
    streams: dict[PaymentId, list[Fact]] = {}
    for row in await rows.fetchall():
        streams.setdefault(PaymentId(row["payment_id"]), []).append(fact_of(row))
    return streams


def fact_of(row: DictRow) -> Fact:
    """Return the fact of a row."""
    minor = row["amount_minor"]
    return Fact(
        kind=row["kind"],
        source_key=row["source_key"],
        occurred_at=row["occurred_at"],
        amount=None if minor is None else Money(minor, row["currency"]),
        refund_id=row["refund_id"] and RefundId(row["refund_id"]),
        data=row["data"],
    )


# --- refunds ------------------------------------------------------------------------------------


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
