"""Appointments over HTTP, for staff."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Moment
from api.routing import Chapter
from crm.actor import Actor
from crm.business_hours import read_week, write_week
from crm.identity.permissions import Area
from crm.ids import PersonId, StaffId
from crm.support.appointments.models import (
    LONGEST,
    MAX_REASON,
    MAX_TOPIC,
    SHORTEST,
    AdvisorHours,
    AppointmentFilters,
    AppointmentId,
    BookAppointment,
    Ending,
    Mode,
    Status,
)

router = Chapter(prefix="/v1/appointments", tags=["appointments"])

AppointmentReader = Annotated[Actor, Depends(staff_in(Area.APPOINTMENTS))]
AppointmentWriter = Annotated[Actor, Depends(staff_in(Area.APPOINTMENTS, write=True))]
_MINUTE = timedelta(minutes=1)
_Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="`version` of what was read")]


class AppointmentOut(Out):
    """A person meets an advisor."""

    id: UUID
    person_id: UUID
    staff_id: UUID
    topic: str
    mode: Mode
    starts_at: datetime
    ends_at: datetime
    status: Status
    cancel_reason: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class AppointmentPage(Out):
    """A page of appointments."""

    items: list[AppointmentOut]
    next_cursor: str | None


class SlotOut(Out):
    """A time at which an advisor is free."""

    starts_at: datetime
    ends_at: datetime
    staff_id: UUID


class SlotList(Out):
    """Free times, the earliest first."""

    items: list[SlotOut]


class NewAppointment(Body):
    """An appointment to book; without an advisor, whoever offers this time and is free."""

    person_id: UUID
    topic: Annotated[str, Field(min_length=1, max_length=MAX_TOPIC)]
    mode: Mode
    starts_at: Moment
    ends_at: Moment | None = None
    staff_id: UUID | None = None


class NewTime(Body):
    """When to meet instead."""

    starts_at: Moment
    expected_version: _Version


class Cancellation(Body):
    """Why they will not meet; the student may be told."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


class NewEnding(Body):
    """Whether they met."""

    status: Ending
    expected_version: _Version | None = None


class Hours(Body):
    """When an advisor can be booked, in the time zone of the institution's calendar."""

    week: Annotated[str, Field(max_length=400, description="E.g. `mon-fri 09:00-13:00`")]
    slot_minutes: Annotated[int, Field(ge=SHORTEST // _MINUTE, le=LONGEST // _MINUTE)]
    modes: Annotated[list[Mode], Field(min_length=1, max_length=3)]


@router.get("", summary="List appointments")
async def list_appointments(
    staff: AppointmentReader,
    services: ServicesDep,
    page: PageDep,
    staff_id: Annotated[UUID | None, Query(description="With whom")] = None,
    person_id: UUID | None = None,
    status: Status | None = None,
    starts_from: Moment | None = None,
    starts_before: Moment | None = None,
) -> AppointmentPage:
    """Return appointments, the earliest first; the reading is audited."""
    filters = AppointmentFilters(
        staff_id=StaffId(staff_id) if staff_id else None,
        person_id=PersonId(person_id) if person_id else None,
        status=status,
        starts_from=starts_from,
        starts_before=starts_before,
    )
    found = await services.appointments.list_appointments(
        filters, cursor=page.cursor, limit=page.limit, actor=staff
    )
    return AppointmentPage.model_validate(found)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Book an appointment")
async def book_appointment(
    body: NewAppointment,
    staff: AppointmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> AppointmentOut:
    """Book a time for a person."""
    command = BookAppointment(
        person_id=PersonId(body.person_id),
        topic=body.topic,
        mode=body.mode,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        staff_id=StaffId(body.staff_id) if body.staff_id else None,
    )
    booked = await services.appointments.book(command, actor=staff, idempotency=idempotency)
    response.headers["Location"] = f"/v1/appointments/{booked.id}"
    return AppointmentOut.model_validate(booked)


@router.get("/slots", summary="List free times")
async def list_slots(
    staff: AppointmentReader,
    services: ServicesDep,
    since: Moment | None = None,
    until: Moment | None = None,
    mode: Mode | None = None,
    staff_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SlotList:
    """Return the times that students may book, the earliest first."""
    found = await services.appointments.list_slots(
        since=since, until=until, mode=mode, staff_id=StaffId(staff_id) if staff_id else None
    )
    return SlotList(items=[SlotOut.model_validate(slot) for slot in found[:limit]])


@router.get("/hours/{staff_id}", summary="Read an advisor's hours")
async def get_hours(staff_id: UUID, staff: AppointmentReader, services: ServicesDep) -> Hours:
    """Return when an advisor can be booked."""
    return _hours(await services.appointments.get_hours(StaffId(staff_id), actor=staff))


@router.put("/hours/{staff_id}", summary="Set an advisor's hours")
async def set_hours(
    staff_id: UUID,
    body: Hours,
    staff: AppointmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> Hours:
    """Set when an advisor can be booked: one's own hours, or as an admin anybody's."""
    hours = AdvisorHours(
        staff_id=StaffId(staff_id),
        week=read_week(body.week),
        slot=body.slot_minutes * _MINUTE,
        modes=frozenset(body.modes),
    )
    return _hours(
        await services.appointments.set_hours(hours, actor=staff, idempotency=idempotency)
    )


@router.delete(
    "/hours/{staff_id}", status_code=status.HTTP_204_NO_CONTENT, summary="Offer no hours"
)
async def remove_hours(staff_id: UUID, staff: AppointmentWriter, services: ServicesDep) -> None:
    """Let an advisor offer nothing any more; what is booked already stays."""
    await services.appointments.remove_hours(StaffId(staff_id), actor=staff)


@router.get("/{appointment_id}", summary="Read an appointment")
async def get_appointment(
    appointment_id: UUID, staff: AppointmentReader, services: ServicesDep
) -> AppointmentOut:
    """Return an appointment; the reading is audited."""
    found = await services.appointments.get_appointment(AppointmentId(appointment_id), actor=staff)
    return AppointmentOut.model_validate(found)


@router.post("/{appointment_id}/move", summary="Move an appointment")
async def move_appointment(
    appointment_id: UUID,
    body: NewTime,
    staff: AppointmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> AppointmentOut:
    """Move an appointment to another time, with the same advisor."""
    moved = await services.appointments.move(
        AppointmentId(appointment_id),
        body.starts_at,
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return AppointmentOut.model_validate(moved)


@router.post("/{appointment_id}/cancel", summary="Cancel an appointment")
async def cancel_appointment(
    appointment_id: UUID,
    body: Cancellation,
    staff: AppointmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> AppointmentOut:
    """Cancel an appointment that has not begun."""
    cancelled = await services.appointments.cancel(
        AppointmentId(appointment_id), reason=body.reason, actor=staff, idempotency=idempotency
    )
    return AppointmentOut.model_validate(cancelled)


@router.post("/{appointment_id}/status", summary="Say whether they met")
async def end_appointment(
    appointment_id: UUID,
    body: NewEnding,
    staff: AppointmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> AppointmentOut:
    """Mark an appointment that has begun as held or missed."""
    ended = await services.appointments.end(
        AppointmentId(appointment_id),
        body.status,
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return AppointmentOut.model_validate(ended)


def _hours(hours: AdvisorHours) -> Hours:
    return Hours(
        week=write_week(hours.week),
        slot_minutes=hours.slot // _MINUTE,
        modes=sorted(hours.modes),
    )
