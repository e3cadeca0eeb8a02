"""The tools about what a student owes and pays."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from crm.actor import IdentityLevel, Role
from crm.payments.invoices.models import CoveredInstalment, InstalmentStatus, Invoice, InvoiceStatus
from crm.payments.models import InvoiceId, Payment
from crm.workflows.models import InvoicedCourse
from tools.arguments import ToolInput
from tools.catalogue.enrol import link_out
from tools.catalogue.prices import PriceOut, price_out
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.services import ToolServices
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import date_text, instant_text

_MOST = 10


class DuePartOut(BaseModel):
    """An instalment with what is left to pay of it."""

    number: int
    amount: PriceOut
    outstanding: PriceOut
    due_on_text: str
    status: InstalmentStatus


class InvoiceOut(BaseModel):
    """One fee that the student owes or owed.

    Args:
        course_title: what it is for; None for a fee that is not for a course.
    """

    invoice_id: UUID
    number: int
    course_title: str | None
    cohort_code: str | None
    status: InvoiceStatus
    total: PriceOut
    paid: PriceOut
    outstanding: PriceOut
    instalments: list[DuePartOut]


class PaymentOut(BaseModel):
    """Money that came, goes back, or is expected."""

    amount: PriceOut
    status: str
    begun_on_text: str


class MyPayments(ToolInput):
    """Nothing to choose: the session says whose."""


class PaymentsFound(ToolOutput):
    """What the student owes and paid, the latest first.

    Args:
        more: whether there are older fees.
    """

    invoices: list[InvoiceOut]
    payments: list[PaymentOut]
    more: bool


class PaymentLinkWanted(ToolInput):
    """For which fee."""

    invoice_id: UUID = Field(description="As my_payments returns it.")


class PaymentLinkMade(ToolOutput):
    """Where the next instalment is paid.

    Args:
        payment_url: None where payments are only taken in person.
        amount: of the next instalment; None when nothing is owed.
    """

    payment_url: str | None
    amount: PriceOut | None
    status: Literal["open", "settled"]


async def my_payments(call: Call[MyPayments]) -> PaymentsFound:
    """List what the student owes and has paid: fees, instalments with due dates, payments' state.

    Use it when a verified student asks what they owe, when something is due, or whether a payment
    arrived.
    """
    services, actor, locale = call.services, call.context.actor, call.context.locale
    page = await services.payments.list_invoices(limit=_MOST, actor=actor)
    paid = await services.payments.list_payments(limit=_MOST, actor=actor)
    titles = await services.workflows.titles_of([i.id for i in page.items], actor=actor)
    return PaymentsFound(
        invoices=[_invoice(i, titles.get(i.id), call) for i in page.items],
        payments=[_payment(p, services, locale) for p in paid.items],
        more=page.next_cursor is not None,
    )


async def payment_link(call: Call[PaymentLinkWanted]) -> PaymentLinkMade:
    """Return the address at which the student pays the next instalment of one of their fees.

    Use it when a verified student wants to pay; my_payments tells the fee's id. Nothing is charged
    by asking.
    """
    bill = await call.services.payments.bill_within(
        call.uow, InvoiceId(call.args.invoice_id), actor=call.context.actor
    )
    amount = bill.link.amount if bill.link else None
    return PaymentLinkMade(
        payment_url=link_out(bill, call.services),
        amount=price_out(amount, call.context.locale) if amount else None,
        status="settled" if bill.invoice.is_settled else "open",
    )


def _invoice(invoice: Invoice, course: InvoicedCourse | None, call: Call[MyPayments]) -> InvoiceOut:
    locale, today = call.context.locale, call.services.payments.today
    return InvoiceOut(
        invoice_id=invoice.id,
        number=invoice.number,
        course_title=course.title.of(locale) if course else None,
        cohort_code=course.cohort_code if course else None,
        status=invoice.status(today),
        total=price_out(invoice.net, locale),
        paid=price_out(invoice.paid, locale),
        outstanding=price_out(invoice.outstanding, locale),
        instalments=[_part(p, locale) for p in invoice.covered(today)],
    )


def _part(part: CoveredInstalment, locale: Locale) -> DuePartOut:
    return DuePartOut(
        number=part.number,
        amount=price_out(part.amount, locale),
        outstanding=price_out(part.outstanding, locale),
        due_on_text=date_text(part.due_on, locale),
        status=part.status,
    )


def _payment(payment: Payment, services: ToolServices, locale: Locale) -> PaymentOut:
    return PaymentOut(
        amount=price_out(payment.amount, locale),
        status=payment.status,
        begun_on_text=instant_text(payment.created_at, locale, time_zone=services.time_zone),
    )


MY_PAYMENTS = ToolSpec(
    name="my_payments",
    version=1,
    description=description_of(my_payments),
    input=MyPayments,
    output=PaymentsFound,
    handler=my_payments,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
PAYMENT_LINK = ToolSpec(
    name="payment_link",
    version=1,
    description=description_of(payment_link),
    input=PaymentLinkWanted,
    output=PaymentLinkMade,
    handler=payment_link,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    examples=({"invoice_id": "01990000-0000-7000-8000-000000000000"},),
)
