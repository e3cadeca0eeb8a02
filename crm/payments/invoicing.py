"""How staff invoice fees, credit them and cancel them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from crm.actor import Actor
from crm.identity.permissions import Area, require
from crm.ids import PersonId
from crm.journal.idempotency import IdempotencyKey, effect_key_of
from crm.money import Money
from crm.once import run_once
from crm.payments import acts
from crm.payments.invoices.models import CreditNote, Invoice
from crm.payments.models import InvoiceId
from crm.payments.reading import PaymentReading


class Invoicing(PaymentReading):
    """What is owed."""

    async def raise_invoice(
        self,
        *,
        person_id: PersonId,
        reference: str,
        net: Money,
        due_dates: Sequence[date],
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Invoice:
        """Invoice a fee; staff only; as `acts.raise_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        said = {
            "person_id": person_id,
            "reference": reference,
            "net_minor": net.amount_minor,
            "currency": net.currency,
            "due_dates": list(due_dates),
        }
        return await run_once(
            self._db,
            idempotency,
            said,
            lambda uow: acts.raise_invoice(
                uow,
                person_id=person_id,
                reference=reference,
                net=net,
                due_dates=due_dates,
                actor=actor,
            ),
            kind=Invoice,
            about=lambda invoice: invoice.person_id,
        )

    async def cancel_invoice(
        self,
        invoice_id: InvoiceId,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Invoice:
        """Credit what is still owed; staff only; as `acts.cancel_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"invoice_id": invoice_id, "reason": reason},
            lambda uow: acts.cancel_invoice(uow, invoice_id, reason=reason, actor=actor),
            kind=Invoice,
            about=lambda invoice: invoice.person_id,
        )

    async def credit_invoice(
        self,
        invoice_id: InvoiceId,
        amount: Money,
        *,
        reason: str,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> CreditNote:
        """Take a part off what is owed; staff only; as `acts.credit_invoice`."""
        require(actor, Area.PAYMENTS, write=True)
        return await run_once(
            self._db,
            idempotency,
            {"invoice_id": invoice_id, **asdict(amount), "reason": reason},
            lambda uow: acts.credit_invoice(
                uow,
                invoice_id,
                amount,
                reason=reason,
                effect_key=effect_key_of(idempotency),
                actor=actor,
            ),
            kind=CreditNote,
        )
