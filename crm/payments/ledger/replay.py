"""Makes the ledger and the projections again from what happened."""

from crm.db import UnitOfWork
from crm.payments import fact_store, refund_store
from crm.payments import store as payments
from crm.payments.book import fact_transaction
from crm.payments.fold import fold
from crm.payments.invoices import store as invoices
from crm.payments.invoices.crediting import invoice_transaction, note_transaction
from crm.payments.invoices.models import Invoice
from crm.payments.ledger import store
from crm.payments.ledger.models import LedgerTransaction
from crm.payments.models import Fact, InvoiceId, Payment, PaymentId

_STRETCH = 500


async def rebuild_ledger(uow: UnitOfWork) -> int:
    """Post what invoices, credit notes and payments moved and the ledger does not know.

    Into an empty ledger it posts everything; a complete one it leaves as it is. Payouts of
    gateways, which no payment tells of, are not made again.

    Returns: how many transactions were posted.
    """
    return await _post_invoices(uow) + await _post_payments(uow)


async def _post_invoices(uow: UnitOfWork) -> int:
    posted, last = 0, None
    while some := await invoices.select_all_invoices(uow.conn, after=last, limit=_STRETCH):
        by_id = {invoice.id: invoice for invoice in some}
        notes = await invoices.select_credit_notes(uow.conn, list(by_id))
        transactions = [invoice_transaction(invoice) for invoice in some]
        transactions += [note_transaction(note, by_id[note.invoice_id]) for note in notes]
        posted += await store.insert_transactions(uow.conn, transactions, at=uow.clock.now())
        last = some[-1].id
    return posted


async def _post_payments(uow: UnitOfWork) -> int:
    posted, last = 0, None
    while streams := await fact_store.select_streams(uow.conn, after=last, limit=_STRETCH):
        owners = await _owners(uow, list(streams))
        transactions = [
            transaction
            for payment_id, facts in streams.items()
            for transaction in stream_transactions(*owners[payment_id], facts)
        ]
        posted += await store.insert_transactions(uow.conn, transactions, at=uow.clock.now())
        last = max(streams)
    return posted


async def _owners(
    uow: UnitOfWork, payment_ids: list[PaymentId]
) -> dict[PaymentId, tuple[Invoice, Payment]]:
    found = await payments.select_payments_by_id(uow.conn, payment_ids)
    owed = await invoices.select_invoices_by_id(uow.conn, [p.invoice_id for p in found])
    by_id: dict[InvoiceId, Invoice] = {invoice.id: invoice for invoice in owed}
    return {payment.id: (by_id[payment.invoice_id], payment) for payment in found}


def stream_transactions(
    invoice: Invoice, payment: Payment, facts: list[Fact]
) -> list[LedgerTransaction]:
    """Return what each fact of a stream moves, in the order in which it was entered."""
    made: list[LedgerTransaction] = []
    for count, fact in enumerate(facts):
        before, after = fold(facts[:count]), fold(facts[: count + 1])
        made.append(fact_transaction(invoice, payment, fact, before=before, after=after))
    return made


async def rebuild_payments(uow: UnitOfWork) -> int:
    """Write again what lists show: payments and refunds from their events, and what falls due.

    Returns: how many payments there are.
    """
    count, last = 0, None
    while streams := await fact_store.select_streams(uow.conn, after=last, limit=_STRETCH):
        for payment_id, facts in streams.items():
            state, at = fold(facts), facts[-1].occurred_at
            await payments.update_payment(uow.conn, payment_id, state, version=len(facts), at=at)
            await refund_store.update_refunds(uow.conn, state.refunds, at=at)
        count += len(streams)
        last = max(streams)
    await _write_due_dates(uow)
    return count


async def _write_due_dates(uow: UnitOfWork) -> None:
    last = None
    while some := await invoices.select_all_invoices(uow.conn, after=last, limit=_STRETCH):
        for invoice in some:
            await invoices.update_next_due(uow.conn, invoice.id, invoice.next_due_on)
        last = some[-1].id
