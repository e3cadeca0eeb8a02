"""Cohorts over HTTP, for staff."""

from datetime import time
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response, status
from pydantic import AfterValidator, BaseModel, Field

from api.bodies import Body, MoneyIn
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Day
from api.routes.courses import CatalogueReader, CatalogueWriter, Code, CohortOut
from api.routing import Chapter
from crm.courses.commands import CreateCohort, UpdateCohort
from crm.courses.models import CohortStatus, Modality, Schedule, Weekday

router = Chapter(prefix="/v1/cohorts", tags=["courses"])

CohortPath = Annotated[str, Path(max_length=64, description="The cohort's id or code")]
_Seats = Annotated[int, Field(ge=0, le=10_000)]


def _without_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of the institution's day, without a zone")
    return value


_Time = Annotated[time, AfterValidator(_without_zone)]


class CohortPage(BaseModel):
    """A page of cohorts."""

    items: list[CohortOut]
    next_cursor: str | None


class ScheduleBody(Body):
    """When a cohort meets, in the institution's time zone."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start_time: _Time
    end_time: _Time


class NewCohort(Body):
    """A cohort to open; without an end or price it takes its course's."""

    code: Code
    course_code: Code
    starts_on: Day
    ends_on: Day | None = None
    enrolment_closes: Day
    modality: Modality
    campus: Annotated[str | None, Field(max_length=40)] = None
    schedule: ScheduleBody
    seats: _Seats
    blocked_seats: _Seats = 0
    price: MoneyIn | None = None
    status: CohortStatus = "open"

    def to_command(self) -> CreateCohort:
        """Return what the domain is asked."""
        plain = self.model_dump(exclude={"schedule", "price"})
        times = self.schedule
        return CreateCohort(
            **plain,
            schedule=Schedule(tuple(times.days), times.start_time, times.end_time),
            price=self.price.money if self.price else None,
        )


class CohortPatch(Body):
    """The fields to change; absent and null ones stay."""

    status: CohortStatus | None = None
    seats: _Seats | None = None
    blocked_seats: _Seats | None = None
    enrolment_closes: Day | None = None
    price: MoneyIn | None = None


def cohort_key(code_or_id: str) -> str | UUID:
    """Return a cohort's id, or else its code."""
    try:
        return UUID(code_or_id)
    except ValueError:
        return code_or_id


@router.get("", summary="List cohorts")
async def list_cohorts(
    staff: CatalogueReader,
    services: ServicesDep,
    page: PageDep,
    course: Annotated[str | None, Query(max_length=40, description="A course's code")] = None,
    open_only: Annotated[bool, Query(description="Those one may enrol in today")] = False,
    modality: Modality | None = None,
    starts_after: Day | None = None,
) -> CohortPage:
    """Return cohorts by their start."""
    found = await services.courses.list_cohorts(
        course_code=course,
        open_only=open_only,
        modality=modality,
        starts_after=starts_after,
        cursor=page.cursor,
        limit=page.limit,
    )
    items = [CohortOut.of(cohort) for cohort in found.items]
    return CohortPage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Open a cohort")
async def create_cohort(
    body: NewCohort,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> CohortOut:
    """Open a cohort of a course."""
    cohort = await services.courses.create_cohort(
        body.to_command(), actor=staff, idempotency=idempotency
    )
    response.headers["Location"] = f"/v1/cohorts/{cohort.id}"
    return CohortOut.of(cohort)


@router.get("/{cohort}", summary="Read a cohort")
async def get_cohort(
    cohort: CohortPath, staff: CatalogueReader, services: ServicesDep
) -> CohortOut:
    """Return a cohort with the seats that are left."""
    return CohortOut.of(await services.courses.get_cohort(cohort_key(cohort)))


@router.patch("/{cohort}", summary="Change a cohort")
async def update_cohort(
    cohort: CohortPath,
    body: CohortPatch,
    staff: CatalogueWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> CohortOut:
    """Change state, seats, closing date or price; whoever has a seat keeps it."""
    found = await services.courses.get_cohort(cohort_key(cohort))
    command = UpdateCohort(
        code=found.code,
        status=body.status,
        seats=body.seats,
        blocked_seats=body.blocked_seats,
        enrolment_closes=body.enrolment_closes,
        price=body.price.money if body.price else None,
    )
    changed = await services.courses.update_cohort(command, actor=staff, idempotency=idempotency)
    return CohortOut.of(changed)
