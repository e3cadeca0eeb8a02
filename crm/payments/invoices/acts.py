"""How invoices are raised, credited and cancelled."""

from collections.abc import Sequence
from datetime import date

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import Conflict, RuleBroken
from crm.ids import PersonId, new_id
from crm.money import Money
from crm.payments.book import void_live
from crm.payments.events import InvoiceCancelled, InvoicePaid, InvoiceRaised
from crm.payments.invoices import store
from crm.payments.invoices.crediting import credit, invoice_transaction
from crm.payments.invoices.models import CreditNote, Invoice, split_fee
from crm.payments.ledger import store as ledger
from crm.payments.models import InvoiceId
from crm.payments.records import record_money
from crm.payments.taking import locked_invoice
from crm.people.standing import require_active


async def raise_invoice(
    uow: UnitOfWork,
    *,
    person_id: PersonId,
    reference: str,
    net: Money,
    due_dates: Sequence[date],
    actor: Actor,
) -> Invoice:
    """Invoice a fee in instalments.

    Args:
        reference: what it is for; invoicing the same twice invoices it once.

    Raises:
        RuleBroken("instalments.dates" | "instalments.amount" | "person.inactive").
        NotFound("person.unknown").
        Conflict("invoice.reference"): the same was invoiced to another, or for another amount.
    """
    parts = split_fee(net, due_dates)
    nothing = Money(0, net.currency)
    invoice = Invoice(
        id=InvoiceId(new_id()),
        number=0,
        reference=reference,
        person_id=person_id,
        debtor_id=person_id,
        net=net,
        credited=nothing,
        paid=nothing,
        instalments=parts,
        cancelled_at=None,
        cancel_reason=None,
        created_at=uow.clock.now(),
    )
    if before := await store.select_invoice_by_reference(uow.conn, reference):
        return _same(before, person_id, net)
    await require_active(uow, person_id)
    new = await store.insert_invoice(uow.conn, invoice)
    raised = await store.select_invoice_by_reference(uow.conn, reference)
    assert raised is not None, "inserted now or before"  # noqa: S101
    if not new:
        return _same(raised, person_id, net)
    await _enter(uow, raised, actor)
    return raised


def _same(raised: Invoice, person_id: PersonId, net: Money) -> Invoice:
    if (raised.person_id, raised.net) != (person_id, net):
        raise Conflict("invoice.reference", "This was invoiced before, and otherwise.")
    return raised


async def _enter(uow: UnitOfWork, invoice: Invoice, actor: Actor) -> None:
    transaction = invoice_transaction(invoice)
    await ledger.insert_transactions(uow.conn, [transaction], at=uow.clock.now())
    uow.publish(InvoiceRaised(invoice_id=invoice.id, person_id=invoice.person_id))
    if invoice.is_settled:
        uow.publish(InvoicePaid(invoice_id=invoice.id, person_id=invoice.person_id))
    record_money(
        uow,
        "invoice.raise",
        about=invoice.person_id,
        actor=actor,
        payload={
            "invoice_id": invoice.id,
            "reference": invoice.reference,
            "net_minor": invoice.net.amount_minor,
            "currency": invoice.net.currency,
        },
        effect_key=f"invoice:{invoice.id}",
    )


async def cancel_invoice(
    uow: UnitOfWork, invoice_id: InvoiceId, *, reason: str, actor: Actor
) -> Invoice:
    """Credit what is still owed and expect no more payments; idempotent.

    What was paid stays paid: refund it first, and the credit covers that too.

    Raises: NotFound("invoice.unknown").
    """
    invoice = await locked_invoice(uow, invoice_id)
    if invoice.cancelled_at is not None:
        return invoice
    await void_live(uow, invoice, actor=actor)
    await store.update_cancelled(uow.conn, invoice_id, reason=reason, at=uow.clock.now())
    invoice = await locked_invoice(uow, invoice_id)
    uow.publish(InvoiceCancelled(invoice_id=invoice_id, person_id=invoice.person_id))
    record_money(
        uow,
        "invoice.cancel",
        about=invoice.person_id,
        actor=actor,
        payload={"invoice_id": invoice_id, "reason": reason},
        effect_key=f"cancel:{invoice_id}",
    )
    if invoice.is_settled:
        return invoice
    key = f"credit:cancel:{invoice_id}"
    return await credit(
        uow, invoice, invoice.outstanding, reason=reason, effect_key=key, actor=actor
    )


async def credit_invoice(
    uow: UnitOfWork,
    invoice_id: InvoiceId,
    amount: Money,
    *,
    reason: str,
    effect_key: str,
    actor: Actor,
) -> CreditNote:
    """Take a part off what is still owed.

    Raises:
        NotFound("invoice.unknown").
        RuleBroken("invoice.cancelled" | "credit.amount" | "credit.exceeds").
        Conflict("credit.effect"): the key credited something else.
    """
    invoice = await locked_invoice(uow, invoice_id)
    if note := await store.select_credit_note_by_effect(uow.conn, effect_key):
        if (note.invoice_id, note.amount) != (invoice_id, amount):
            raise Conflict("credit.effect", "This key credited something else.")
        return note
    if invoice.cancelled_at is not None:
        raise RuleBroken("invoice.cancelled", "The invoice was cancelled.")
    if amount.amount_minor <= 0:
        raise RuleBroken("credit.amount", "A credit note is of more than nothing.")
    if (invoice.outstanding - amount).amount_minor < 0:
        raise RuleBroken("credit.exceeds", "No more can be credited than is owed.")
    await credit(uow, invoice, amount, reason=reason, effect_key=effect_key, actor=actor)
    credited = await store.select_credit_note_by_effect(uow.conn, effect_key)
    assert credited is not None, "inserted above"  # noqa: S101
    return credited
