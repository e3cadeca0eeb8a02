"""Keeps an invoice in step with its payments and credit notes; for callers that locked it."""

from dataclasses import replace

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.ids import new_id
from crm.money import Money
from crm.payments.events import InvoiceCredited, InvoicePaid
from crm.payments.invoices import store
from crm.payments.invoices.models import CreditNote, Invoice
from crm.payments.ledger import store as ledger
from crm.payments.ledger.models import LedgerTransaction, invoice_postings
from crm.payments.records import record_money


async def credit(
    uow: UnitOfWork,
    invoice: Invoice,
    amount: Money,
    *,
    reason: str,
    effect_key: str,
    actor: Actor,
) -> Invoice:
    """Take an amount off what is owed, with its note and posting."""
    note = CreditNote(
        id=new_id(),
        invoice_id=invoice.id,
        amount=amount,
        reason=reason,
        created_at=uow.clock.now(),
    )
    await store.insert_credit_note(uow.conn, note, effect_key=effect_key)
    transaction = note_transaction(note, invoice)
    await ledger.insert_transactions(uow.conn, [transaction], at=uow.clock.now())
    uow.publish(InvoiceCredited(invoice_id=invoice.id, credit_note_id=note.id))
    record_money(
        uow,
        "invoice.credit",
        about=invoice.person_id,
        actor=actor,
        payload={"invoice_id": invoice.id, "amount": amount.amount_minor, "reason": reason},
        effect_key=f"credit:{note.id}",
    )
    return await follow(uow, invoice, replace(invoice, credited=invoice.credited + amount))


async def follow_payment(
    uow: UnitOfWork, before: Invoice, after: Invoice, *, cause: str, actor: Actor
) -> Invoice:
    """Bring an invoice in step with what its payments cover now.

    Nothing is owed of a cancelled invoice: what comes to be uncovered is credited at once.
    """
    after = await follow(uow, before, after)
    if after.cancelled_at is None or after.is_settled:
        return after
    return await credit(
        uow,
        after,
        after.outstanding,
        reason=after.cancel_reason or "",
        effect_key=f"credit:{cause}",
        actor=actor,
    )


async def follow(uow: UnitOfWork, before: Invoice, after: Invoice) -> Invoice:
    """Write what follows from an invoice's sums: when the next instalment is due, and its end."""
    if before.next_due_on != after.next_due_on:
        await store.update_next_due(uow.conn, after.id, after.next_due_on)
    if after.is_settled and not before.is_settled and after.cancelled_at is None:
        uow.publish(InvoicePaid(invoice_id=after.id, person_id=after.person_id))
    return after


def invoice_transaction(invoice: Invoice) -> LedgerTransaction:
    """Return what raising an invoice moves."""
    net = invoice.net
    return LedgerTransaction(
        source_key=f"invoice:{invoice.id}",
        kind="invoice",
        occurred_at=invoice.created_at,
        postings=invoice_postings(invoice.debtor_id, net.amount_minor, net.currency),
        invoice_id=invoice.id,
    )


def note_transaction(note: CreditNote, invoice: Invoice) -> LedgerTransaction:
    """Return what a credit note moves."""
    amount = note.amount
    return LedgerTransaction(
        source_key=f"credit:{note.id}",
        kind="credit_note",
        occurred_at=note.created_at,
        postings=invoice_postings(invoice.debtor_id, -amount.amount_minor, amount.currency),
        invoice_id=invoice.id,
    )
