"""All the SQL of the sandbox gateway."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow, class_row
from psycopg.types.json import Jsonb

from crm.db import Connection
from crm.ids import new_id
from crm.money import Money
from crm.payments.gateways.protocol import CheckoutOrder
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.models import (
    CLAIM,
    MOVEMENT_OF,
    CheckoutStatus,
    Delivery,
    DisputeStatus,
    LoggedEvent,
    NewEvent,
    SandboxCheckout,
    SandboxRefund,
)

EVERYTHING = "*"
_CHECKOUT = "id, payment_id, amount_minor, currency, description, locale, return_url, status, "
_CHECKOUT += "created_at, expires_at"
_EVENT = """
    SELECT event_id, checkout_id, payment_id, kind, e.amount_minor, currency, refund_id, occurred_at
    FROM sandbox_events e JOIN sandbox_checkouts c ON c.id = e.checkout_id
"""


async def insert_checkout(
    conn: Connection, checkout_id: str, order: CheckoutOrder, *, at: datetime
) -> None:
    """Open a checkout, unless the payment has one."""
    await conn.execute(
        """
        INSERT INTO sandbox_checkouts (id, payment_id, amount_minor, currency, description, locale,
            return_url, status, created_at, expires_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, 'open', %s, %s) ON CONFLICT (payment_id) DO NOTHING
        """,
        [
            checkout_id,
            order.payment_id,
            order.amount.amount_minor,
            order.amount.currency,
            order.description,
            order.locale,
            order.return_url,
            at,
            order.expires_at,
        ],
    )


async def select_checkout(
    conn: Connection, checkout_id: str, *, lock: bool = False
) -> SandboxCheckout | None:
    """Return a checkout, perhaps held until the transaction ends."""
    rows = await conn.execute(
        f"SELECT {_CHECKOUT} FROM sandbox_checkouts WHERE id = %s{' FOR UPDATE' if lock else ''}",  # noqa: S608
        [checkout_id],
    )
    row = await rows.fetchone()
    return _checkout(row) if row else None


async def lock_expired(conn: Connection, *, at: datetime, limit: int) -> list[SandboxCheckout]:
    """Return open checkouts whose time is over, held; those that others hold are left out."""
    rows = await conn.execute(
        f"""
        SELECT {_CHECKOUT} FROM sandbox_checkouts WHERE status = 'open' AND expires_at <= %s
        ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED
        """,  # noqa: S608
        [at, limit],
    )
    return [_checkout(row) for row in await rows.fetchall()]


async def close_checkouts(
    conn: Connection, checkout_ids: Sequence[str], status: CheckoutStatus, *, at: datetime
) -> None:
    """Give open checkouts their last state."""
    await conn.execute(
        "UPDATE sandbox_checkouts SET status = %s, closed_at = %s "
        "WHERE id = ANY(%s) AND status = 'open'",
        [status, at, list(checkout_ids)],
    )


async def insert_events(
    conn: Connection, events: Sequence[NewEvent], *, at: datetime
) -> list[tuple[str, int]]:
    """Write down what happened, once an event.

    Returns: id and ordinal of those that are new.
    """
    rows = await conn.execute(
        """
        INSERT INTO sandbox_events (event_id, checkout_id, kind, amount_minor, refund_id,
            occurred_at)
        SELECT e.*, %s FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::uuid[]) e
        ON CONFLICT (event_id) DO NOTHING RETURNING event_id, ordinal
        """,
        [
            at,
            [e.event_id for e in events],
            [e.checkout.id for e in events],
            [e.kind for e in events],
            [e.amount.amount_minor if e.amount else None for e in events],
            [e.refund_id for e in events],
        ],
    )
    return [(row["event_id"], row["ordinal"]) for row in await rows.fetchall()]


async def select_events(conn: Connection, checkout_id: str) -> list[LoggedEvent]:
    """Return what happened to a checkout, oldest first."""
    async with conn.cursor(row_factory=class_row(LoggedEvent)) as cursor:
        await cursor.execute(f"{_EVENT} WHERE checkout_id = %s ORDER BY ordinal", [checkout_id])
        return await cursor.fetchall()


async def select_event(conn: Connection, event_id: str) -> LoggedEvent | None:
    """Return one thing that happened."""
    async with conn.cursor(row_factory=class_row(LoggedEvent)) as cursor:
        await cursor.execute(f"{_EVENT} WHERE event_id = %s", [event_id])
        return await cursor.fetchone()


async def select_booked(
    conn: Connection, *, since: datetime, until: datetime
) -> AsyncIterator[LoggedEvent]:
    """Yield what moved money in a period, oldest first."""
    async with conn.cursor(row_factory=class_row(LoggedEvent)) as cursor:
        await cursor.execute(
            f"{_EVENT} WHERE kind IN ({', '.join(repr(k) for k in MOVEMENT_OF)}) "
            "AND occurred_at >= %s AND occurred_at < %s ORDER BY occurred_at, ordinal",
            [since, until],
        )
        async for event in cursor:
            yield event


async def insert_refund(conn: Connection, refund: SandboxRefund, *, settles_at: datetime) -> None:
    """Write down a refund that was asked for."""
    await conn.execute(
        "INSERT INTO sandbox_refunds (refund_id, checkout_id, amount_minor, status, outcome, "
        "settles_at) VALUES (%s, %s, %s, %s, %s, %s)",
        [
            refund.refund_id,
            refund.checkout_id,
            refund.amount_minor,
            refund.status,
            refund.outcome,
            settles_at,
        ],
    )


async def select_refund(conn: Connection, refund_id: UUID) -> SandboxRefund | None:
    """Return a refund."""
    async with conn.cursor(row_factory=class_row(SandboxRefund)) as cursor:
        await cursor.execute(
            "SELECT refund_id, checkout_id, amount_minor, status, outcome FROM sandbox_refunds "
            "WHERE refund_id = %s",
            [refund_id],
        )
        return await cursor.fetchone()


async def sum_refunds(conn: Connection, checkout_id: str) -> int:
    """Return how much of a checkout was given back or is about to be."""
    rows = await conn.execute(
        "SELECT coalesce(sum(amount_minor), 0)::bigint AS total FROM sandbox_refunds "
        "WHERE checkout_id = %s AND status <> 'failed'",
        [checkout_id],
    )
    row = await rows.fetchone()
    return int(row["total"]) if row else 0


async def settle_refunds(conn: Connection, *, at: datetime, limit: int) -> list[SandboxRefund]:
    """End the pending refunds whose time has come, and return them."""
    async with conn.cursor(row_factory=class_row(SandboxRefund)) as cursor:
        await cursor.execute(
            """
            UPDATE sandbox_refunds SET status = outcome WHERE refund_id IN (
                SELECT refund_id FROM sandbox_refunds WHERE status = 'pending' AND settles_at <= %s
                ORDER BY settles_at LIMIT %s FOR UPDATE SKIP LOCKED
            ) RETURNING refund_id, checkout_id, amount_minor, status, outcome
            """,
            [at, limit],
        )
        return await cursor.fetchall()


async def insert_dispute(conn: Connection, checkout_id: str, amount_minor: int) -> bool:
    """Open the checkout's dispute; False when it has one."""
    rows = await conn.execute(
        "INSERT INTO sandbox_disputes (checkout_id, amount_minor, status) VALUES (%s, %s, 'open') "
        "ON CONFLICT DO NOTHING",
        [checkout_id, amount_minor],
    )
    return rows.rowcount == 1


async def decide_dispute(conn: Connection, checkout_id: str, status: DisputeStatus) -> int | None:
    """Decide an open dispute; return its amount, or None when none is open."""
    rows = await conn.execute(
        "UPDATE sandbox_disputes SET status = %s WHERE checkout_id = %s AND status = 'open' "
        "RETURNING amount_minor",
        [status, checkout_id],
    )
    row = await rows.fetchone()
    return int(row["amount_minor"]) if row else None


async def is_disputed(conn: Connection, checkout_id: str) -> bool:
    """Return whether the money is in dispute or lost to one."""
    rows = await conn.execute(
        "SELECT 1 FROM sandbox_disputes WHERE checkout_id = %s AND status <> 'won'", [checkout_id]
    )
    return await rows.fetchone() is not None


async def count_call(conn: Connection, call: str) -> int:
    """Return the how-manieth try of a call this is."""
    rows = await conn.execute(
        "INSERT INTO sandbox_calls (call, attempts) VALUES (%s, 1) ON CONFLICT (call) "
        "DO UPDATE SET attempts = sandbox_calls.attempts + 1 RETURNING attempts",
        [call],
    )
    row = await rows.fetchone()
    return int(row["attempts"]) if row else 1


async def upsert_behaviour(conn: Connection, scope: str, behaviour: Behaviour) -> None:
    """Tell the gateway how to misbehave."""
    await conn.execute(
        "INSERT INTO sandbox_behaviours (scope, behaviour) VALUES (%s, %s) "
        "ON CONFLICT (scope) DO UPDATE SET behaviour = excluded.behaviour",
        [scope, Jsonb(asdict(behaviour))],
    )


async def select_behaviour(conn: Connection, payment_id: UUID | None) -> Behaviour:
    """Return how it behaves to a payment: as told for this one, else as told for all."""
    rows = await conn.execute(
        "SELECT behaviour FROM sandbox_behaviours WHERE scope IN (%s, %s) "
        "ORDER BY scope = %s LIMIT 1",
        [str(payment_id), EVERYTHING, EVERYTHING],
    )
    row = await rows.fetchone()
    return Behaviour(**row["behaviour"]) if row else Behaviour()


async def insert_deliveries(
    conn: Connection, deliveries: Sequence[tuple[str, int, datetime, bool]]
) -> None:
    """Plan webhooks: event, rank, when, and whether it is dropped instead."""
    await conn.cursor().executemany(
        "INSERT INTO sandbox_deliveries (id, event_id, status, rank, due_at) "
        "VALUES (%s, %s, %s, %s, %s)",
        [
            (new_id(), event_id, "dropped" if dropped else "pending", rank, due_at)
            for event_id, rank, due_at, dropped in deliveries
        ],
    )


async def claim_delivery(conn: Connection, *, at: datetime) -> Delivery | None:
    """Take the first webhook that is due and that nobody sends at this moment."""
    async with conn.cursor(row_factory=class_row(Delivery)) as cursor:
        await cursor.execute(
            """
            UPDATE sandbox_deliveries SET attempts = attempts + 1, due_at = %s WHERE id = (
                SELECT id FROM sandbox_deliveries WHERE status = 'pending' AND due_at <= %s
                ORDER BY rank, id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) RETURNING id, event_id, attempts
            """,
            [at + CLAIM, at],
        )
        return await cursor.fetchone()


async def close_delivery(conn: Connection, delivery_id: UUID, *, status: str, answer: str) -> None:
    """End a webhook: delivered, or given up."""
    await conn.execute(
        "UPDATE sandbox_deliveries SET status = %s, answer = %s WHERE id = %s",
        [status, answer, delivery_id],
    )


async def postpone_delivery(
    conn: Connection, delivery_id: UUID, *, until: datetime, answer: str
) -> None:
    """Leave a webhook for a later try."""
    await conn.execute(
        "UPDATE sandbox_deliveries SET due_at = %s, answer = %s WHERE id = %s",
        [until, answer, delivery_id],
    )


def _checkout(row: DictRow) -> SandboxCheckout:
    plain: dict[str, Any] = dict(row)
    amount = Money(plain.pop("amount_minor"), plain.pop("currency"))
    return SandboxCheckout(**plain, amount=amount)
