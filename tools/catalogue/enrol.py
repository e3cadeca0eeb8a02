"""The tool that enrols a student: a price that stands, a seat that waits, a link to pay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from crm.actor import IdentityLevel, Role
from crm.courses.fees.models import Quote, QuoteId
from crm.courses.models import CohortId
from crm.courses.seats.models import HoldId
from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.money import Money
from crm.payments.invoices.models import Instalment
from crm.payments.linking import Bill
from crm.workflows.enrolment.models import StartEnrolment
from crm.workflows.enrolment.offers import SeatOffer, WantedSeat, find_seat
from tools.arguments import ToolInput
from tools.catalogue.own import own_person
from tools.catalogue.prices import PriceOut, price_out
from tools.context import Locale
from tools.offer import Offer
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.services import ToolServices
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import date_text, list_text, money_text, schedule_text

_MOST_INSTALMENTS = 12


class Enrol(ToolInput):
    """Which group, and how to pay."""

    cohort_code: str = Field(max_length=40, description="As list_cohorts or get_course returns it.")
    instalments: int = Field(
        1, ge=1, le=_MOST_INSTALMENTS, description="Monthly instalments; the first is paid now."
    )
    discount_code: str | None = Field(
        None, max_length=40, description="Only if the student has it."
    )
    scholarship_code: str | None = Field(
        None, max_length=40, description="Only if the student was awarded it."
    )


class InstalmentOut(BaseModel):
    """A part of the fee."""

    number: int
    amount: PriceOut
    due_on_text: str


class EnrolmentStarted(ToolOutput):
    """What came of it.

    Args:
        status: `confirmed` when nothing was to be paid.
        payment_url: where the first instalment is paid; the seat is kept until `pay_until_text`.
    """

    course_title: str
    cohort_code: str
    starts_on_text: str
    status: Literal["awaiting_payment", "confirmed"]
    total: PriceOut
    instalments: list[InstalmentOut]
    payment_url: str | None
    hold_minutes: int


@dataclass(frozen=True, slots=True)
class _Agreed:
    """The terms of an enrolment that was agreed to."""

    price: Money
    quote_id: QuoteId
    hold_id: HoldId


async def enrol(call: Call[Enrol]) -> EnrolmentStarted:
    """Enrol the student in one group of a course and return the link for the first payment.

    Use it when a verified student wants a seat, after list_cohorts or get_course told the group's
    code. The student sees price, dates and instalments and confirms before anything happens; the
    seat is held meanwhile. The enrolment is confirmed once the first instalment is paid. Refusals
    say why: full (offer join_waitlist), closed, prerequisites missing, a minor without guardian,
    enrolled already, or a price that has changed (call it again to show the new one).
    """
    actor, locale, services = call.context.actor, call.context.locale, call.services
    cohort, course = await find_seat(call.uow, call.args.cohort_code)
    saga = await services.workflows.enrol_within(
        call.uow,
        _command(call, own_person(actor), cohort.id),
        effect_key=call.effect_key,
        actor=actor,
    )
    bill = None
    if saga.invoice_id is not None:
        bill = await services.payments.bill_within(call.uow, saga.invoice_id, actor=actor)
    return EnrolmentStarted(
        course_title=course.title.of(locale),
        cohort_code=cohort.code,
        starts_on_text=date_text(cohort.starts_on, locale),
        status="confirmed" if saga.enrolment_id else "awaiting_payment",
        total=price_out(_agreed(call).price, locale),
        instalments=[instalment_out(i, locale) for i in bill.invoice.instalments] if bill else [],
        payment_url=link_out(bill, services),
        hold_minutes=services.workflows.hold_minutes,
    )


async def offer_enrolment(call: Call[Enrol]) -> Offer:
    """Freeze the price, hold the seat, and say what acceptance will do."""
    args = call.args
    offered = await call.services.workflows.offer_seat(
        call.uow,
        WantedSeat(
            cohort=args.cohort_code,
            person_id=own_person(call.context.actor),
            instalments=args.instalments,
            discount_code=args.discount_code,
            scholarship_code=args.scholarship_code,
        ),
        effect_key=call.effect_key,
        actor=call.context.actor,
    )
    return Offer(
        summary=_summary(offered, call.context.locale),
        price=offered.quote.net,
        quote_id=str(offered.quote.id),
        hold_id=str(offered.hold.id),
    )


def instalment_out(part: Instalment, locale: Locale) -> InstalmentOut:
    """Return a part of a fee for machines and in words."""
    return InstalmentOut(
        number=part.number,
        amount=price_out(part.amount, locale),
        due_on_text=date_text(part.due_on, locale),
    )


def link_out(bill: Bill | None, services: ToolServices) -> str | None:
    """Return the whole address at which a bill is paid."""
    if bill is None or bill.link is None:
        return None
    return f"{services.base_url}{bill.link.path}"


def _command(call: Call[Enrol], person_id: PersonId, cohort_id: CohortId) -> StartEnrolment:
    agreed = _agreed(call)
    return StartEnrolment(
        person_id=person_id,
        cohort_id=cohort_id,
        instalments=call.args.instalments,
        discount_code=call.args.discount_code,
        scholarship_code=call.args.scholarship_code,
        quote_id=agreed.quote_id,
        hold_id=agreed.hold_id,
    )


def _agreed(call: Call[Enrol]) -> _Agreed:
    offer = call.offer
    if offer is None or offer.price is None or offer.quote_id is None or offer.hold_id is None:
        raise RuleBroken("approval.missing", "Nobody has agreed to a price and a seat.")
    return _Agreed(offer.price, QuoteId(UUID(offer.quote_id)), HoldId(UUID(offer.hold_id)))


def _summary(offered: SeatOffer, locale: Locale) -> str:
    cohort, quote = offered.cohort, offered.quote
    return phrase(
        locale,
        "enrol.summary",
        title=offered.course.title.of(locale),
        cohort=cohort.code,
        starts_on=date_text(cohort.starts_on, locale),
        schedule=schedule_text(cohort.schedule, locale),
        total=money_text(quote.net, locale),
        reductions=_reductions(quote, locale),
        payment=_payment(offered.instalments, locale),
    )


def _reductions(quote: Quote, locale: Locale) -> str:
    if not quote.reductions:
        return ""
    parts = [
        phrase(locale, f"enrol.{r.kind}", amount=money_text(r.amount, locale))
        for r in quote.reductions
    ]
    list_price = money_text(quote.list_price, locale)
    reductions = list_text(parts, locale)
    return phrase(locale, "enrol.reductions", list_price=list_price, reductions=reductions)


def _payment(parts: Sequence[Instalment], locale: Locale) -> str:
    if sum(p.amount.amount_minor for p in parts) == 0:
        return phrase(locale, "enrol.free")
    if len(parts) == 1:
        return phrase(locale, "enrol.at_once")
    first, *others = (money_text(p.amount, locale) for p in parts)
    dated = [
        phrase(locale, "enrol.instalment", amount=amount, due_on=date_text(part.due_on, locale))
        for amount, part in zip(others, parts[1:], strict=True)
    ]
    return phrase(
        locale,
        "enrol.instalments",
        count=len(parts),
        first=first,
        others=list_text(dated, locale),
    )


ENROL = ToolSpec(
    name="enrol",
    version=1,
    description=description_of(enrol),
    input=Enrol,
    output=EnrolmentStarted,
    handler=enrol,
    effect=Effect.MONEY,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_enrolment,
    examples=({"cohort_code": "DAT-101-B"}, {"cohort_code": "DAT-101-B", "instalments": 3}),
)
