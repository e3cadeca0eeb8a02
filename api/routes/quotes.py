"""Quotes over HTTP, for staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status
from pydantic import BaseModel, Field

from api.auth import staff_in
from api.bodies import Body, MoneyOut, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.courses import Code
from api.routing import Chapter
from crm.actor import Actor
from crm.courses.fees.models import QuoteId, QuoteStatus, ReductionKind
from crm.courses.models import CohortId
from crm.identity.permissions import Area
from crm.ids import PersonId

router = Chapter(prefix="/v1/quotes", tags=["fees"])

EnrolmentReader = Annotated[Actor, Depends(staff_in(Area.ENROLMENTS))]
EnrolmentWriter = Annotated[Actor, Depends(staff_in(Area.ENROLMENTS, write=True))]


class ReductionOut(Out):
    """A part of the list price that need not be paid."""

    kind: ReductionKind
    code: str
    amount: MoneyOut


class QuoteOut(Out):
    """A price for a person's seat; list price less reductions is the net price."""

    id: UUID
    cohort_id: UUID
    person_id: UUID
    list_price: MoneyOut
    reductions: list[ReductionOut]
    net: MoneyOut
    returned: Annotated[
        MoneyOut, Field(description="Of the scholarship, what went back when the person left")
    ]
    status: QuoteStatus
    created_at: datetime
    expires_at: datetime


class QuotePage(BaseModel):
    """A page of quotes."""

    items: list[QuoteOut]
    next_cursor: str | None


class NewQuote(Body):
    """Whose seat in which cohort to price, and what may reduce it."""

    cohort_id: UUID
    person_id: UUID
    discount_code: Code | None = None
    scholarship_code: Code | None = None


@router.get("", summary="List quotes")
async def list_quotes(
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    person_id: UUID | None = None,
    cohort_id: UUID | None = None,
    status: QuoteStatus | None = None,
) -> QuotePage:
    """Return quotes, newest first; the reading is audited."""
    found = await services.fees.list_quotes(
        person_id=PersonId(person_id) if person_id else None,
        cohort_id=CohortId(cohort_id) if cohort_id else None,
        status=status,
        cursor=page.cursor,
        limit=page.limit,
        actor=staff,
    )
    items = [QuoteOut.model_validate(quote) for quote in found.items]
    return QuotePage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Quote a price")
async def quote_fee(
    body: NewQuote,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> QuoteOut:
    """Freeze what a seat costs a person, until the quote expires."""
    quote = await services.fees.quote_fee(
        cohort_id=CohortId(body.cohort_id),
        person_id=PersonId(body.person_id),
        discount_code=body.discount_code,
        scholarship_code=body.scholarship_code,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/quotes/{quote.id}"
    return QuoteOut.model_validate(quote)


@router.get("/{quote_id}", summary="Read a quote")
async def get_quote(quote_id: UUID, staff: EnrolmentReader, services: ServicesDep) -> QuoteOut:
    """Return a quote; the reading is audited."""
    found = await services.fees.get_quote(QuoteId(quote_id), actor=staff)
    return QuoteOut.model_validate(found)


@router.post("/{quote_id}/accept", summary="Accept a quote")
async def accept_quote(
    quote_id: UUID, staff: EnrolmentWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> QuoteOut:
    """Agree to a price on the person's behalf; a scholarship's reservation becomes a grant."""
    accepted = await services.fees.accept_quote(
        QuoteId(quote_id), actor=staff, idempotency=idempotency
    )
    return QuoteOut.model_validate(accepted)


@router.post("/{quote_id}/cancel", summary="Cancel a quote")
async def cancel_quote(
    quote_id: UUID, staff: EnrolmentWriter, services: ServicesDep, idempotency: IdempotencyDep
) -> QuoteOut:
    """Give what a quote took from a scholarship's fund back, and return the quote as it is then."""
    cancelled = await services.fees.cancel_quote(
        QuoteId(quote_id), actor=staff, idempotency=idempotency
    )
    return QuoteOut.model_validate(cancelled)
