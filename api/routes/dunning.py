"""Reminders of an invoice over HTTP, for staff."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, status
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, ServicesDep
from api.moments import Day
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.payments.dunning.models import ReminderStatus
from crm.payments.models import InvoiceId

router = Chapter(prefix="/v1/invoices/{invoice_id}/dunning", tags=["payments"])

PaymentReader = Annotated[Actor, Depends(staff_in(Area.PAYMENTS))]
PaymentWriter = Annotated[Actor, Depends(staff_in(Area.PAYMENTS, write=True))]


class ReminderOut(Out):
    """What became of a reminder."""

    number: Annotated[int, Field(description="Of the instalment")]
    step: Annotated[int, Field(description="Days after its due date")]
    status: ReminderStatus
    code: Annotated[str | None, Field(description="Why it did not leave")]
    retry_at: datetime | None
    updated_at: datetime


class PauseOut(Out):
    """A promise to pay, until which nobody is reminded."""

    id: UUID
    until: Annotated[date, Field(description="The last day without a reminder")]
    reason: str
    staff_id: UUID | None
    created_at: datetime


class DunningOut(Out):
    """An invoice's reminders, the oldest first, and its pause."""

    reminders: list[ReminderOut]
    pause: PauseOut | None


class NewPause(Body):
    """What the payer promised."""

    until: Day
    reason: Annotated[
        str, Field(min_length=1, max_length=200, description="For the books; no personal data")
    ]


@router.get("", summary="Read an invoice's reminders")
async def get_dunning(invoice_id: UUID, staff: PaymentReader, services: ServicesDep) -> DunningOut:
    """Return the reminders of an invoice and its pause; the reading is audited."""
    found = await services.dunning.get_dunning(InvoiceId(invoice_id), actor=staff)
    return DunningOut.model_validate(found)


@router.put("/pause", summary="Pause an invoice's reminders")
async def pause(
    invoice_id: UUID,
    body: NewPause,
    staff: PaymentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> PauseOut:
    """Remind nobody of an invoice up to and on a day; replaces an earlier pause."""
    paused = await services.dunning.pause(
        InvoiceId(invoice_id),
        body.until,
        reason=body.reason,
        actor=staff,
        idempotency=idempotency,
    )
    return PauseOut.model_validate(paused)


@router.delete(
    "/pause", status_code=status.HTTP_204_NO_CONTENT, summary="Resume an invoice's reminders"
)
async def resume(invoice_id: UUID, staff: PaymentWriter, services: ServicesDep) -> None:
    """Remind people of an invoice again; nothing when it is not paused."""
    await services.dunning.resume(InvoiceId(invoice_id), actor=staff)
