"""The tools by which a student books, moves and cancels an appointment: they confirm first."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from crm.actor import IdentityLevel, Role
from crm.support.appointments import acts
from crm.support.appointments.candidates import find_slots, taken
from crm.support.appointments.models import (
    MAX_TOPIC,
    Appointment,
    AppointmentId,
    BookAppointment,
    Mode,
    check_open,
    check_time,
)
from tools.arguments import ToolInput
from tools.catalogue.appointments import AppointmentOut, appointment_out
from tools.catalogue.own import own_person
from tools.offer import Offer
from tools.outputs import ToolOutput
from tools.phrases import phrase
from tools.spec import Call, Effect, ToolSpec, description_of
from tools.wording import moment_text


class BookAppointmentInput(ToolInput):
    """What to book."""

    starts_at: AwareDatetime = Field(description="As appointment_slots returns it.")
    mode: Mode
    topic: str = Field(
        min_length=3, max_length=MAX_TOPIC, description="What about, in the student's words."
    )


class MoveAppointmentInput(ToolInput):
    """What to move, and when to."""

    appointment_id: UUID = Field(description="As my_appointments returns it.")
    starts_at: AwareDatetime = Field(description="As appointment_slots returns it.")


class CancelAppointmentInput(ToolInput):
    """What to cancel."""

    appointment_id: UUID = Field(description="As my_appointments returns it.")


class AppointmentBooked(ToolOutput):
    """The appointment as it stands now."""

    appointment: AppointmentOut


async def book_appointment(call: Call[BookAppointmentInput]) -> AppointmentBooked:
    """Book a time with an advisor for a verified student, who confirms first.

    Use it after appointment_slots, with a time that it returned.
    """
    args = call.args
    booked = await acts.book_appointment(
        call.uow,
        BookAppointment(
            person_id=own_person(call.context.actor),
            topic=args.topic,
            mode=args.mode,
            starts_at=args.starts_at.astimezone(UTC),
            effect_key=call.effect_key,
        ),
        actor=call.context.actor,
        policy=call.services.appointments.policy,
    )
    return AppointmentBooked(
        appointment=appointment_out(booked, call.context.locale, call.services.time_zone)
    )


async def offer_booking(call: Call[BookAppointmentInput]) -> Offer:
    """Say what acceptance will do, if somebody is free then."""
    args = call.args
    await _check_free(call, args.starts_at, args.mode)
    return Offer(
        summary=phrase(
            call.context.locale,
            "appointment.book",
            moment=_moment(call, args.starts_at),
            mode=phrase(call.context.locale, f"meeting.{args.mode}"),
            topic=args.topic.rstrip("."),
        )
    )


async def move_appointment(call: Call[MoveAppointmentInput]) -> AppointmentBooked:
    """Move one of the student's own appointments to another free time; they confirm first."""
    moved = await acts.move_appointment(
        call.uow,
        AppointmentId(call.args.appointment_id),
        call.args.starts_at.astimezone(UTC),
        actor=call.context.actor,
        policy=call.services.appointments.policy,
    )
    return AppointmentBooked(
        appointment=appointment_out(moved, call.context.locale, call.services.time_zone)
    )


async def offer_moving(call: Call[MoveAppointmentInput]) -> Offer:
    """Say what acceptance will do, if the appointment can be moved and somebody is free then."""
    before = await _own_open(call, call.args.appointment_id)
    await _check_free(call, call.args.starts_at, before.mode)
    return Offer(
        summary=phrase(
            call.context.locale,
            "appointment.move",
            origin=_moment(call, before.starts_at),
            target=_moment(call, call.args.starts_at),
        )
    )


async def cancel_appointment(call: Call[CancelAppointmentInput]) -> AppointmentBooked:
    """Cancel one of the student's own appointments; they confirm first."""
    cancelled = await acts.cancel_appointment(
        call.uow, AppointmentId(call.args.appointment_id), actor=call.context.actor
    )
    return AppointmentBooked(
        appointment=appointment_out(cancelled, call.context.locale, call.services.time_zone)
    )


async def offer_cancelling(call: Call[CancelAppointmentInput]) -> Offer:
    """Say what acceptance will do, if the appointment can be cancelled."""
    before = await _own_open(call, call.args.appointment_id)
    moment = _moment(call, before.starts_at)
    return Offer(summary=phrase(call.context.locale, "appointment.cancel", moment=moment))


async def _own_open(call: Call[Any], appointment_id: UUID) -> Appointment:
    found = await acts.lock_appointment(call.uow, AppointmentId(appointment_id), call.context.actor)
    check_open(found, call.uow.clock.now())
    return found


async def _check_free(call: Call[Any], starts_at: datetime, mode: Mode) -> None:
    now, policy = call.uow.clock.now(), call.services.appointments.policy
    check_time(starts_at, now, policy, by_staff=False)
    if not await find_slots(call.uow.conn, since=starts_at, until=starts_at, mode=mode):
        raise taken()


def _moment(call: Call[Any], at: datetime) -> str:
    return moment_text(at, call.context.locale, time_zone=call.services.time_zone)


BOOK_APPOINTMENT = ToolSpec(
    name="book_appointment",
    version=1,
    description=description_of(book_appointment),
    input=BookAppointmentInput,
    output=AppointmentBooked,
    handler=book_appointment,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_booking,
    examples=(
        {
            "starts_at": "2026-11-30T10:00:00-05:00",
            "mode": "call",
            "topic": "Qué diplomado me conviene",
        },
    ),
)
MOVE_APPOINTMENT = ToolSpec(
    name="move_appointment",
    version=1,
    description=description_of(move_appointment),
    input=MoveAppointmentInput,
    output=AppointmentBooked,
    handler=move_appointment,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_moving,
    examples=(
        {
            "appointment_id": "0193f0aa-0000-7000-8000-000000000001",
            "starts_at": "2026-12-01T10:00:00-05:00",
        },
    ),
)
CANCEL_APPOINTMENT = ToolSpec(
    name="cancel_appointment",
    version=1,
    description=description_of(cancel_appointment),
    input=CancelAppointmentInput,
    output=AppointmentBooked,
    handler=cancel_appointment,
    effect=Effect.WRITE,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    approval="student",
    prepare=offer_cancelling,
    examples=({"appointment_id": "0193f0aa-0000-7000-8000-000000000001"},),
)
