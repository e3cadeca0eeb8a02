"""Enrolling and withdrawing over HTTP: what is started here goes on by itself, for staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response, status
from pydantic import Field

from api.bodies import Body, MoneyIn, Out
from api.bootstrap import Services
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Day
from api.routes.cohorts import cohort_key
from api.routes.courses import Code
from api.routes.seats import EnrolmentReader, EnrolmentWriter, Reason
from api.routing import Chapter
from crm.actor import Actor
from crm.courses.enrolments.models import EnrolmentId
from crm.ids import PersonId
from crm.payments.invoices.models import MAX_INSTALMENTS
from crm.workflows.enrolment.models import StartEnrolment
from crm.workflows.models import SagaId, SagaKind, SagaStatus, StepOutcome
from crm.workflows.withdrawal.models import StartWithdrawal

router = Chapter(prefix="/v1/enrolments", tags=["enrolments"])


class NewEnrolment(Body):
    """Who enrols in what, and how they pay."""

    person_id: UUID
    cohort: Annotated[str, Field(min_length=1, max_length=64, description="Its id or code")]
    instalments: Annotated[
        int, Field(ge=1, le=MAX_INSTALMENTS, description="A month apart, the first one today")
    ] = 1
    due_dates: Annotated[
        tuple[Day, ...], Field(max_length=MAX_INSTALMENTS, description="Instead of `instalments`")
    ] = ()
    discount_code: Code | None = None
    scholarship_code: Code | None = None
    waiver: Annotated[
        Reason | None, Field(description="Why prerequisites are passed over; it is recorded")
    ] = None


class NewWithdrawal(Body):
    """Why somebody leaves, and what goes back to them."""

    reason: Reason
    refund: Annotated[
        MoneyIn | None, Field(description="Without an amount, what the refund policy says")
    ] = None


class SagaOut(Out):
    """An enrolment or a withdrawal under way, or how it ended."""

    id: UUID
    kind: SagaKind
    status: SagaStatus
    step: str
    person_id: UUID
    cohort_id: UUID
    hold_id: UUID | None
    invoice_id: UUID | None
    enrolment_id: UUID | None
    failure: Annotated[str | None, Field(description="Why it is being undone")]
    deadline: datetime
    last_error: str | None
    parked_at: Annotated[
        datetime | None, Field(description="Since when it is stuck; `last_error` says why")
    ]
    created_at: datetime
    updated_at: datetime


class StepOut(Out):
    """Something it did, or tried."""

    seq: int
    step: str
    outcome: StepOutcome
    code: str | None
    recorded_at: datetime


class SagaDetail(SagaOut):
    """With its steps, and where to pay as long as it waits for that."""

    steps: list[StepOut]
    payment_id: UUID | None
    payment_url: str | None


class SagaPage(Out):
    """A page of them."""

    items: list[SagaOut]
    next_cursor: str | None


async def _detail(services: Services, saga_id: SagaId, staff: Actor) -> SagaDetail:
    saga, steps, payment = await services.workflows.get_saga(saga_id, actor=staff)
    is_open = payment is not None and payment.is_live
    return SagaDetail(
        **SagaOut.model_validate(saga).model_dump(),
        steps=[StepOut.model_validate(step) for step in steps],
        payment_id=payment.id if payment else None,
        payment_url=payment.checkout_url if payment and is_open else None,
    )


@router.post("", status_code=status.HTTP_202_ACCEPTED, summary="Enrol somebody")
async def start_enrolment(
    body: NewEnrolment,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> SagaDetail:
    """Take a price and a seat at once; the enrolment follows when the first instalment is paid.

    The payment's address may take a moment: ask again at `Location`.
    """
    cohort = await services.courses.get_cohort(cohort_key(body.cohort))
    command = StartEnrolment(
        person_id=PersonId(body.person_id),
        cohort_id=cohort.id,
        instalments=body.instalments,
        due_dates=body.due_dates,
        discount_code=body.discount_code,
        scholarship_code=body.scholarship_code,
        waiver=body.waiver,
    )
    saga = await services.workflows.start_enrolment(command, actor=staff, idempotency=idempotency)
    # So that the answer can already say where to pay; else the background does it.
    await services.payments.run_due(1)
    response.headers["Location"] = f"/v1/enrolments/sagas/{saga.id}"
    return await _detail(services, saga.id, staff)


@router.get("/sagas", summary="List enrolments and withdrawals under way")
async def list_sagas(
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    status: SagaStatus | None = None,
    person_id: UUID | None = None,
    stuck: bool | None = None,
) -> SagaPage:
    """Return them and those that ended, the newest first; the reading is audited."""
    filters = {"status": status, "person_id": person_id, "is_parked": stuck}
    found = await services.workflows.list_sagas(
        filters, cursor=page.cursor, limit=page.limit, actor=staff
    )
    return SagaPage.model_validate(found)


@router.get("/sagas/{saga_id}", summary="Follow an enrolment or a withdrawal")
async def get_saga(saga_id: UUID, staff: EnrolmentReader, services: ServicesDep) -> SagaDetail:
    """Return how it stands and what it did; the reading is audited."""
    return await _detail(services, SagaId(saga_id), staff)


@router.post("/sagas/{saga_id}/cancel", summary="Cancel an enrolment under way")
async def cancel(saga_id: UUID, staff: EnrolmentWriter, services: ServicesDep) -> SagaDetail:
    """Undo what was done so far, with a refund of what was paid; repeating it changes nothing."""
    await services.workflows.cancel(SagaId(saga_id), actor=staff)
    return await _detail(services, SagaId(saga_id), staff)


@router.post("/sagas/{saga_id}/resume", summary="Let a stuck saga try again")
async def resume(saga_id: UUID, staff: EnrolmentWriter, services: ServicesDep) -> SagaDetail:
    """Try again what had failed too often."""
    await services.workflows.resume(SagaId(saga_id), actor=staff)
    return await _detail(services, SagaId(saga_id), staff)


@router.post(
    "/{enrolment_id}/withdraw", status_code=status.HTTP_202_ACCEPTED, summary="Leave a course"
)
async def withdraw(
    enrolment_id: UUID,
    body: NewWithdrawal,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> SagaDetail:
    """Give the seat back at once; the refund and the rest follow by themselves."""
    command = StartWithdrawal(
        enrolment_id=EnrolmentId(enrolment_id),
        reason=body.reason,
        refund=body.refund.money if body.refund else "policy",
    )
    saga = await services.workflows.start_withdrawal(command, actor=staff, idempotency=idempotency)
    response.headers["Location"] = f"/v1/enrolments/sagas/{saga.id}"
    return await _detail(services, saga.id, staff)
