"""All the SQL of what happened to payments."""

from datetime import datetime

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.money import Money
from crm.payments.models import Dispute, Fact, PaymentId, RefundId
from crm.payments.store import payment_of


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
