"""All the SQL of invoices, their instalments and credit notes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import psycopg
from psycopg.rows import DictRow

from crm.db import Connection
from crm.errors import NotFound
from crm.ids import PersonId
from crm.money import Money
from crm.payments.invoices.models import CreditNote, Instalment, Invoice
from crm.payments.models import InvoiceId

#: `owed` is neither paid nor cancelled; `overdue` is owed since before today.
InvoiceFilter = Literal["owed", "overdue", "paid", "cancelled"]

# What is paid and credited is always summed up, never stored.
_INVOICE = """
    SELECT i.*, paid.minor AS paid_minor, credited.minor AS credited_minor, parts.numbers,
        parts.amounts, parts.due_dates
    FROM invoices AS i, LATERAL (
        SELECT coalesce(sum(captured_minor - refunded_minor - refund_pending_minor - lost_minor), 0)
            ::bigint AS minor
        FROM payments WHERE invoice_id = i.id
    ) AS paid, LATERAL (
        SELECT coalesce(sum(amount_minor), 0)::bigint AS minor
        FROM credit_notes WHERE invoice_id = i.id
    ) AS credited, LATERAL (
        SELECT array_agg(number ORDER BY number) AS numbers,
            array_agg(amount_minor ORDER BY number) AS amounts,
            array_agg(due_on ORDER BY number) AS due_dates
        FROM instalments WHERE invoice_id = i.id
    ) AS parts
"""


async def insert_invoice(conn: Connection, invoice: Invoice) -> bool:
    """Add an invoice with its instalments; False when its reference is taken.

    Raises: NotFound("person.unknown").
    """
    try:
        rows = await conn.execute(_INSERT, _columns(invoice))
    except psycopg.errors.ForeignKeyViolation as broken:
        raise NotFound("person.unknown", "There is no such person.") from broken
    if rows.rowcount == 0:
        return False
    await _insert_instalments(conn, invoice.id, invoice.instalments)
    return True


_INSERT = """
    INSERT INTO invoices (id, reference, person_id, debtor_id, net_minor, currency, next_due_on,
        created_at)
    VALUES (%(id)s, %(reference)s, %(person_id)s, %(debtor_id)s, %(net_minor)s, %(currency)s,
        %(next_due_on)s, %(created_at)s)
    ON CONFLICT (reference) DO NOTHING
"""


def _columns(invoice: Invoice) -> dict[str, object]:
    return {
        "id": invoice.id,
        "reference": invoice.reference,
        "person_id": invoice.person_id,
        "debtor_id": invoice.debtor_id,
        "net_minor": invoice.net.amount_minor,
        "currency": invoice.net.currency,
        "next_due_on": invoice.next_due_on,
        "created_at": invoice.created_at,
    }


async def _insert_instalments(
    conn: Connection, invoice_id: InvoiceId, parts: Sequence[Instalment]
) -> None:
    await conn.execute(
        "INSERT INTO instalments (invoice_id, number, amount_minor, due_on) "
        "SELECT %s, * FROM unnest(%s::int[], %s::bigint[], %s::date[])",
        [
            invoice_id,
            [part.number for part in parts],
            [part.amount.amount_minor for part in parts],
            [part.due_on for part in parts],
        ],
    )


async def lock_invoice(conn: Connection, invoice_id: InvoiceId) -> None:
    """Keep others from changing what an invoice owes until this transaction ends."""
    await conn.execute("SELECT 1 FROM invoices WHERE id = %s FOR UPDATE", [invoice_id])


async def select_invoice(
    conn: Connection, invoice_id: InvoiceId, *, owner: PersonId | None
) -> Invoice | None:
    """Return an invoice; an owner finds only their own."""
    rows = await conn.execute(
        f"{_INVOICE} WHERE i.id = %(id)s AND (%(owner)s::uuid IS NULL OR i.person_id = %(owner)s)",
        {"id": invoice_id, "owner": owner},
    )
    row = await rows.fetchone()
    return invoice_of(row) if row else None


async def select_invoice_by_reference(conn: Connection, reference: str) -> Invoice | None:
    """Return the invoice for something."""
    rows = await conn.execute(f"{_INVOICE} WHERE i.reference = %s", [reference])
    row = await rows.fetchone()
    return invoice_of(row) if row else None


async def select_invoices(
    conn: Connection,
    only: InvoiceFilter | None,
    *,
    person_id: PersonId | None,
    today: date,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Invoice]:
    """Return invoices, the newest first.

    Args:
        after: (created_at, id) of the last one seen.
    """
    clauses = [_ONLY[only]] if only else []
    values: dict[str, object] = {"today": today, "limit": limit}
    if person_id is not None:
        clauses.append("i.person_id = %(person_id)s")
        values["person_id"] = person_id
    if after:
        clauses.append("(i.created_at, i.id) < (%(after_at)s::timestamptz, %(after_id)s::uuid)")
        values |= {"after_at": after[0], "after_id": after[1]}
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    rows = await conn.execute(
        f"{_INVOICE} {where} ORDER BY i.created_at DESC, i.id DESC LIMIT %(limit)s", values
    )
    return [invoice_of(row) for row in await rows.fetchall()]


_ONLY: dict[InvoiceFilter, str] = {
    "owed": "i.next_due_on IS NOT NULL",
    "overdue": "i.next_due_on IS NOT NULL AND i.next_due_on < %(today)s",
    "paid": "i.next_due_on IS NULL AND i.cancelled_at IS NULL",
    "cancelled": "i.cancelled_at IS NOT NULL",
}


async def is_in_debt(conn: Connection, person_id: PersonId) -> bool:
    """Return whether a person owes anything, due or not."""
    rows = await conn.execute(
        "SELECT 1 FROM invoices WHERE person_id = %s AND next_due_on IS NOT NULL LIMIT 1",
        [person_id],
    )
    return await rows.fetchone() is not None


async def select_all_invoices(
    conn: Connection, *, after: InvoiceId | None, limit: int
) -> list[Invoice]:
    """Return the invoices that follow one, by id."""
    rows = await conn.execute(
        f"{_INVOICE} WHERE %(after)s::uuid IS NULL OR i.id > %(after)s "
        "ORDER BY i.id LIMIT %(limit)s",
        {"after": after, "limit": limit},
    )
    return [invoice_of(row) for row in await rows.fetchall()]


async def select_invoices_by_id(
    conn: Connection, invoice_ids: Sequence[InvoiceId]
) -> list[Invoice]:
    """Return some invoices, in no order."""
    rows = await conn.execute(f"{_INVOICE} WHERE i.id = ANY(%s)", [list(invoice_ids)])
    return [invoice_of(row) for row in await rows.fetchall()]


async def update_next_due(conn: Connection, invoice_id: InvoiceId, due_on: date | None) -> None:
    """Write when the first instalment that is not covered is due."""
    await conn.execute(
        "UPDATE invoices SET next_due_on = %(due)s "
        "WHERE id = %(id)s AND next_due_on IS DISTINCT FROM %(due)s::date",
        {"due": due_on, "id": invoice_id},
    )


async def update_cancelled(
    conn: Connection, invoice_id: InvoiceId, *, reason: str, at: datetime
) -> None:
    """Write that nothing is owed any more."""
    await conn.execute(
        "UPDATE invoices SET cancelled_at = %s, cancel_reason = %s, next_due_on = NULL "
        "WHERE id = %s",
        [at, reason, invoice_id],
    )


async def insert_credit_note(conn: Connection, note: CreditNote, *, effect_key: str) -> bool:
    """Add a credit note; False when its effect happened before."""
    rows = await conn.execute(
        """
        INSERT INTO credit_notes (id, invoice_id, amount_minor, reason, effect_key, created_at)
        VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (effect_key) DO NOTHING
        """,
        [
            note.id,
            note.invoice_id,
            note.amount.amount_minor,
            note.reason,
            effect_key,
            note.created_at,
        ],
    )
    return rows.rowcount == 1


_NOTE = """
    SELECT n.*, i.currency FROM credit_notes AS n JOIN invoices AS i ON i.id = n.invoice_id
"""


async def select_credit_note_by_effect(conn: Connection, effect_key: str) -> CreditNote | None:
    """Return the credit note of an effect."""
    rows = await conn.execute(f"{_NOTE} WHERE n.effect_key = %s", [effect_key])
    row = await rows.fetchone()
    return credit_note_of(row) if row else None


async def select_credit_notes(
    conn: Connection, invoice_ids: Sequence[InvoiceId]
) -> list[CreditNote]:
    """Return the credit notes of some invoices, the oldest first."""
    rows = await conn.execute(
        f"{_NOTE} WHERE n.invoice_id = ANY(%s) ORDER BY n.created_at, n.id", [list(invoice_ids)]
    )
    return [credit_note_of(row) for row in await rows.fetchall()]


def credit_note_of(row: DictRow) -> CreditNote:
    """Return the credit note of a row."""
    return CreditNote(
        id=row["id"],
        invoice_id=InvoiceId(row["invoice_id"]),
        amount=Money(row["amount_minor"], row["currency"]),
        reason=row["reason"],
        created_at=row["created_at"],
    )


def invoice_of(row: DictRow) -> Invoice:
    """Return the invoice of a row that carries its sums and parts."""
    currency = row["currency"]
    parts = zip(row["numbers"] or (), row["amounts"] or (), row["due_dates"] or (), strict=True)
    return Invoice(
        id=InvoiceId(row["id"]),
        number=row["number"],
        reference=row["reference"],
        person_id=PersonId(row["person_id"]),
        debtor_id=row["debtor_id"],
        net=Money(row["net_minor"], currency),
        credited=Money(row["credited_minor"], currency),
        paid=Money(row["paid_minor"], currency),
        instalments=tuple(Instalment(n, Money(minor, currency), due) for n, minor, due in parts),
        cancelled_at=row["cancelled_at"],
        cancel_reason=row["cancel_reason"],
        created_at=row["created_at"],
    )
