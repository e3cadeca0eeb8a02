"""Invoices over HTTP, for staff."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status
from pydantic import BaseModel, Field

from api.auth import staff_in
from api.bodies import Body, MoneyIn, MoneyOut, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Day
from api.routes.payment_bodies import PaymentOut
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.ids import PersonId
from crm.payments.invoices.models import (
    MAX_INSTALMENTS,
    InstalmentStatus,
    Invoice,
    InvoiceStatus,
)
from crm.payments.invoices.store import InvoiceFilter
from crm.payments.models import InvoiceId

router = Chapter(prefix="/v1/invoices", tags=["payments"])

PaymentReader = Annotated[Actor, Depends(staff_in(Area.PAYMENTS))]
PaymentWriter = Annotated[Actor, Depends(staff_in(Area.PAYMENTS, write=True))]
_Reason = Annotated[
    str, Field(min_length=1, max_length=200, description="For the books; no personal data")
]


class InstalmentOut(Out):
    """A part of a fee, with what is left to pay of it."""

    number: int
    amount: MoneyOut
    due_on: date
    outstanding: MoneyOut
    status: InstalmentStatus


class InvoiceOut(BaseModel):
    """A fee that somebody owes; what is paid and its state are worked out at each reading."""

    id: UUID
    number: int
    reference: str
    person_id: UUID
    net: MoneyOut
    credited: MoneyOut
    paid: MoneyOut
    outstanding: MoneyOut
    status: InvoiceStatus
    next_due_on: date | None
    instalments: list[InstalmentOut]
    cancelled_at: datetime | None
    cancel_reason: str | None
    created_at: datetime


class CreditNoteOut(Out):
    """Takes off a part of what an invoice owes."""

    id: UUID
    invoice_id: UUID
    amount: MoneyOut
    reason: str
    created_at: datetime


class InvoiceDetailOut(BaseModel):
    """An invoice with its payments and credit notes, the oldest first."""

    invoice: InvoiceOut
    payments: list[PaymentOut]
    credit_notes: list[CreditNoteOut]


class InvoicePage(BaseModel):
    """A page of invoices."""

    items: list[InvoiceOut]
    next_cursor: str | None


class NewInvoice(Body):
    """A fee to invoice; it is split over the dates exactly."""

    person_id: UUID
    reference: Annotated[
        str, Field(min_length=1, max_length=120, description="What it is for; invoiced once")
    ]
    net: MoneyIn
    due_dates: Annotated[list[Day], Field(min_length=1, max_length=MAX_INSTALMENTS)]


class Cancellation(Body):
    """Why nothing is owed any more."""

    reason: _Reason


class NewCreditNote(Body):
    """What to take off, and why."""

    amount: MoneyIn
    reason: _Reason


class NewLink(Body):
    """What to ask for; without an amount the next instalment."""

    amount: MoneyIn | None = None
    gateway: Annotated[str | None, Field(max_length=32)] = None


class PaymentLinkOut(BaseModel):
    """An address that leads to the checkout; whoever has it can pay."""

    payment_id: UUID
    invoice_id: UUID
    amount: MoneyOut
    url: str


def invoice_out(invoice: Invoice, today: date) -> InvoiceOut:
    """Return an invoice as it stands on a day."""
    return InvoiceOut(
        id=invoice.id,
        number=invoice.number,
        reference=invoice.reference,
        person_id=invoice.person_id,
        net=MoneyOut.model_validate(invoice.net),
        credited=MoneyOut.model_validate(invoice.credited),
        paid=MoneyOut.model_validate(invoice.paid),
        outstanding=MoneyOut.model_validate(invoice.outstanding),
        status=invoice.status(today),
        next_due_on=invoice.next_due_on,
        instalments=[InstalmentOut.model_validate(part) for part in invoice.covered(today)],
        cancelled_at=invoice.cancelled_at,
        cancel_reason=invoice.cancel_reason,
        created_at=invoice.created_at,
    )


@router.get("", summary="List invoices")
async def list_invoices(
    staff: PaymentReader,
    services: ServicesDep,
    page: PageDep,
    person_id: UUID | None = None,
    only: Annotated[
        InvoiceFilter | None, Query(description="`owed` includes what is overdue")
    ] = None,
) -> InvoicePage:
    """Return invoices, the newest first; the reading is audited."""
    found = await services.payments.list_invoices(
        only,
        person_id=PersonId(person_id) if person_id else None,
        cursor=page.cursor,
        limit=page.limit,
        actor=staff,
    )
    today = services.payments.today
    items = [invoice_out(invoice, today) for invoice in found.items]
    return InvoicePage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Raise an invoice")
async def raise_invoice(
    body: NewInvoice,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> InvoiceOut:
    """Invoice a fee in instalments that sum to it exactly."""
    invoice = await services.payments.raise_invoice(
        person_id=PersonId(body.person_id),
        reference=body.reference,
        net=body.net.money,
        due_dates=body.due_dates,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/invoices/{invoice.id}"
    return invoice_out(invoice, services.payments.today)


@router.get("/{invoice_id}", summary="Read an invoice")
async def get_invoice(
    invoice_id: UUID, staff: PaymentReader, services: ServicesDep
) -> InvoiceDetailOut:
    """Return an invoice with its payments and credit notes; the reading is audited."""
    detail = await services.payments.get_invoice(InvoiceId(invoice_id), actor=staff)
    return InvoiceDetailOut(
        invoice=invoice_out(detail.invoice, services.payments.today),
        payments=[PaymentOut.model_validate(payment) for payment in detail.payments],
        credit_notes=[CreditNoteOut.model_validate(note) for note in detail.credit_notes],
    )


@router.post("/{invoice_id}/cancel", summary="Cancel an invoice")
async def cancel_invoice(
    invoice_id: UUID,
    body: Cancellation,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> InvoiceOut:
    """Credit what is still owed and close open checkouts; what was paid is not given back."""
    invoice = await services.payments.cancel_invoice(
        InvoiceId(invoice_id), reason=body.reason, actor=staff, idempotency=idempotency
    )
    return invoice_out(invoice, services.payments.today)


@router.post(
    "/{invoice_id}/credit-notes",
    status_code=status.HTTP_201_CREATED,
    summary="Credit a part of an invoice",
)
async def credit_invoice(
    invoice_id: UUID,
    body: NewCreditNote,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> CreditNoteOut:
    """Take a part off what is owed, from the last instalments first."""
    note = await services.payments.credit_invoice(
        InvoiceId(invoice_id),
        body.amount.money,
        reason=body.reason,
        actor=staff,
        idempotency=idempotency,
    )
    return CreditNoteOut.model_validate(note)


@router.post(
    "/{invoice_id}/payment-link",
    status_code=status.HTTP_201_CREATED,
    summary="Make a payment link",
)
async def make_link(
    invoice_id: UUID,
    body: NewLink,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> PaymentLinkOut:
    """Return an address that nobody can guess and that leads to the checkout."""
    link = await services.payments.make_link(
        InvoiceId(invoice_id),
        amount=body.amount.money if body.amount else None,
        gateway=body.gateway,
        actor=staff,
        idempotency=idempotency,
    )
    return PaymentLinkOut(
        payment_id=link.payment_id,
        invoice_id=link.invoice_id,
        amount=MoneyOut.model_validate(link.amount),
        url=services.settings.base_url + link.path,
    )
