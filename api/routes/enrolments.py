"""Enrolments over HTTP, for staff."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.cohorts import cohort_key
from api.routes.seats import EnrolmentReader, EnrolmentWriter
from api.routing import Chapter
from crm.courses.enrolments.models import EnrolmentFilters, EnrolmentId, EnrolmentStatus
from crm.ids import PersonId

router = Chapter(prefix="/v1/enrolments", tags=["enrolments"])


class EnrolmentOut(Out):
    """A person's seat in a cohort."""

    id: UUID
    person_id: UUID
    cohort_id: UUID
    course_code: str
    status: EnrolmentStatus
    hold_id: UUID | None
    transferred_from: UUID | None
    confirmed_at: datetime
    ended_at: datetime | None


class EnrolmentPage(Out):
    """A page of enrolments."""

    items: list[EnrolmentOut]
    next_cursor: str | None


class Transfer(Body):
    """The cohort to change to."""

    cohort: Annotated[str, Field(min_length=1, max_length=64, description="Its id or code")]


@router.get("", summary="List enrolments")
async def list_enrolments(
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    cohort: Annotated[str | None, Query(max_length=64, description="Its id or code")] = None,
    person_id: UUID | None = None,
    status: EnrolmentStatus | None = None,
) -> EnrolmentPage:
    """Return enrolments, newest first; the reading is audited."""
    found = await services.courses.get_cohort(cohort_key(cohort)) if cohort else None
    filters = EnrolmentFilters(
        cohort_id=found.id if found else None,
        person_id=PersonId(person_id) if person_id else None,
        status=status,
    )
    page_found = await services.enrolments.list_enrolments(
        filters, cursor=page.cursor, limit=page.limit, actor=staff
    )
    return EnrolmentPage.model_validate(page_found)


@router.get("/{enrolment_id}", summary="Read an enrolment")
async def get_enrolment(
    enrolment_id: UUID, staff: EnrolmentReader, services: ServicesDep
) -> EnrolmentOut:
    """Return an enrolment; the reading is audited."""
    found = await services.enrolments.get_enrolment(EnrolmentId(enrolment_id), actor=staff)
    return EnrolmentOut.model_validate(found)


@router.post("/{enrolment_id}/transfer", summary="Change the cohort")
async def transfer(
    enrolment_id: UUID,
    body: Transfer,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> EnrolmentOut:
    """Change to another cohort of the same course; the new enrolment is returned."""
    target = await services.courses.get_cohort(cohort_key(body.cohort))
    enrolment = await services.enrolments.transfer_enrolment(
        EnrolmentId(enrolment_id), target.id, actor=staff, idempotency=idempotency
    )
    return EnrolmentOut.model_validate(enrolment)
