"""How a saga's money stands, and how it goes back."""

from crm.actor import SERVICE_ACTOR
from crm.db import UnitOfWork
from crm.money import Money
from crm.payments import store as payments
from crm.payments.acts import request_refund
from crm.payments.invoices import store as invoices
from crm.payments.invoices.models import Invoice
from crm.payments.models import InvoiceId, Payment
from crm.workflows import store
from crm.workflows.models import MoneyFacts, Saga


async def look_at_money(uow: UnitOfWork, invoice_id: InvoiceId | None) -> MoneyFacts:
    """Return how an invoice and its payments stand."""
    invoice = invoice_id and await invoices.select_invoice(uow.conn, invoice_id, owner=None)
    if not invoice:
        return MoneyFacts()
    made = await payments.select_payments_of(uow.conn, invoice.id)
    refunds = await store.select_refunds_of(uow.conn, invoice.id)
    refundable = sum(max(0, p.refundable.amount_minor) for p in made)
    return MoneyFacts(
        invoice="open" if invoice.cancelled_at is None else "cancelled",
        is_covered=_first_is_covered(invoice),
        is_paying=any(p.is_live for p in made),
        was_asked=bool(made),
        refundable_minor=refundable,
        excess_minor=min(refundable, max(0, -invoice.outstanding.amount_minor)),
        is_refunding=any(p.refund_pending.amount_minor > 0 for p in made),
        failed_refunds=refunds.count("failed"),
    )


def _first_is_covered(invoice: Invoice) -> bool:
    return invoice.paid.amount_minor >= invoice.instalments[0].amount.amount_minor


async def refund_paid(uow: UnitOfWork, saga: Saga, most_minor: int, *, reason: str) -> None:
    """Ask for up to an amount of what a saga's invoice took to go back, the latest first."""
    assert saga.invoice_id is not None, "money came by an invoice"  # noqa: S101
    made = await payments.select_payments_of(uow.conn, saga.invoice_id)
    for payment in reversed(made):
        part = min(most_minor, payment.refundable.amount_minor)
        if part > 0:
            await _refund(uow, saga, payment, part, reason)
            most_minor -= part


async def _refund(
    uow: UnitOfWork, saga: Saga, payment: Payment, part_minor: int, reason: str
) -> None:
    await request_refund(
        uow,
        payment_id=payment.id,
        amount=Money(part_minor, payment.amount.currency),
        reason=reason,
        effect_key=f"saga:{saga.id}:{payment.id}:{saga.version}",
        actor=SERVICE_ACTOR,
    )
