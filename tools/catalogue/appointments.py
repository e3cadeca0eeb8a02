"""The tools by which a student meets an advisor."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from crm.actor import IdentityLevel, Role
from crm.support.appointments.models import (
    Appointment,
    Mode,
)
from crm.support.appointments.slots import Slot
from tools.arguments import ToolInput
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of
from tools.wording import moment_text

PartOfDay = Literal["morning", "afternoon", "evening"]
_PARTS: dict[PartOfDay, tuple[time, time]] = {
    "morning": (time.min, time(12)),
    "afternoon": (time(12), time(18)),
    "evening": (time(18), time.max),
}
#: As many times as a person can choose among, over several days.
_MOST = 9
_MOST_A_DAY = 3


class AppointmentSlots(ToolInput):
    """When it would suit; everything may be left out."""

    day: date | None = Field(default=None, description="Only this day.")
    around: time | None = Field(default=None, description="The nearest to this hour, e.g. 16:00.")
    part_of_day: PartOfDay | None = None
    mode: Mode | None = Field(default=None, description="How to meet.")


class SlotOut(BaseModel):
    """A free time.

    Args:
        starts_at: local, with its offset; book_appointment takes it as it is.
    """

    starts_at: datetime
    starts_at_text: str
    minutes: int
    modes: list[Mode]


class SlotsFound(ToolOutput):
    """Free times, the earliest first.

    Args:
        more: whether there are others.
    """

    slots: list[SlotOut]
    more: bool


class MyAppointments(ToolInput):
    """Nothing to choose: the session says whose."""


class AppointmentOut(BaseModel):
    """An appointment as the student sees it."""

    appointment_id: UUID
    starts_at: datetime
    starts_at_text: str
    mode: Mode
    topic: str
    status: str


class AppointmentsFound(ToolOutput):
    """What the student has booked and not had yet, the earliest first."""

    appointments: list[AppointmentOut]


async def appointment_slots(call: Call[AppointmentSlots]) -> SlotsFound:
    """List free times for a conversation with an advisor, by phone, by video or in person.

    Use it when somebody wants an appointment, before book_appointment. Returns at most nine times.
    """
    args, zone = call.args, ZoneInfo(call.services.time_zone)
    free = await call.services.appointments.list_slots(
        since=datetime.combine(args.day, time.min, zone) if args.day else None,
        until=datetime.combine(args.day, time.max, zone) if args.day else None,
        mode=args.mode,
    )
    starts: dict[datetime, list[Slot]] = {}
    for slot in free:
        if _suits(slot.starts_at.astimezone(zone).time(), args.part_of_day):
            starts.setdefault(slot.starts_at, []).append(slot)
    shown = _spread([start.astimezone(zone) for start in sorted(starts)], args)
    return SlotsFound(
        slots=[
            SlotOut(
                starts_at=start,
                starts_at_text=moment_text(start, call.context.locale, time_zone=zone.key),
                minutes=min((s.ends_at - start) // timedelta(minutes=1) for s in starts[start]),
                modes=sorted({m for s in starts[start] for m in s.modes}),
            )
            for start in shown
        ],
        more=len(shown) < len(starts),
    )


def _suits(local: time, part: PartOfDay | None) -> bool:
    if part is None:
        return True
    begin, end = _PARTS[part]
    return begin <= local < end


def _spread(starts: Sequence[datetime], args: AppointmentSlots) -> list[datetime]:
    """Take a few times of each day, so that there is a choice of days."""
    days = [list(day) for _, day in groupby(starts, key=datetime.date)]
    most = _MOST if args.day else _MOST_A_DAY
    few = [start for day in days for start in _few(day, args.around, most)]
    return few[:_MOST]


def _few(day: Sequence[datetime], around: time | None, most: int) -> Sequence[datetime]:
    """Take the times of a day nearest to an hour, or else from all over it."""
    if around is None:
        return day[:: -(-len(day) // most)]
    return sorted(sorted(day, key=lambda start: _minutes_apart(start.time(), around))[:most])


def _minutes_apart(one: time, other: time) -> int:
    return abs(one.hour * 60 + one.minute - other.hour * 60 - other.minute)


async def my_appointments(call: Call[MyAppointments]) -> AppointmentsFound:
    """List what a verified student has booked with advisors and not had yet.

    Use it when they ask when their appointment is, and before moving or cancelling one.
    """
    ahead = await call.services.appointments.list_own_ahead(actor=call.context.actor)
    locale, time_zone = call.context.locale, call.services.time_zone
    return AppointmentsFound(
        appointments=[appointment_out(one, locale, time_zone) for one in ahead]
    )


def appointment_out(appointment: Appointment, locale: Locale, time_zone: str) -> AppointmentOut:
    """Return an appointment in the student's words and time."""
    return AppointmentOut(
        appointment_id=appointment.id,
        starts_at=appointment.starts_at.astimezone(ZoneInfo(time_zone)),
        starts_at_text=moment_text(appointment.starts_at, locale, time_zone=time_zone),
        mode=appointment.mode,
        topic=appointment.topic,
        status=appointment.status,
    )


APPOINTMENT_SLOTS = ToolSpec(
    name="appointment_slots",
    version=1,
    description=description_of(appointment_slots),
    input=AppointmentSlots,
    output=SlotsFound,
    handler=appointment_slots,
    examples=({}, {"part_of_day": "afternoon", "mode": "call"}),
)
MY_APPOINTMENTS = ToolSpec(
    name="my_appointments",
    version=1,
    description=description_of(my_appointments),
    input=MyAppointments,
    output=AppointmentsFound,
    handler=my_appointments,
    min_level=IdentityLevel.VERIFIED,
    roles=frozenset[Role](),
    personal=True,
    examples=({},),
)
