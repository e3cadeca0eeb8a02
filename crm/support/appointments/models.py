"""An appointment, and the hours that an advisor offers: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NewType, get_args
from uuid import UUID

from crm.business_hours import BusinessCalendar, Opening
from crm.errors import Conflict, RuleBroken
from crm.ids import PersonId, StaffId

AppointmentId = NewType("AppointmentId", UUID)
Mode = Literal["call", "video", "in_person"]
Status = Literal["booked", "cancelled", "held", "missed"]
#: How an appointment that has begun can have ended.
Ending = Literal["held", "missed"]

MODES: tuple[Mode, ...] = get_args(Mode)
MAX_TOPIC = 300
MAX_REASON = 300
SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(hours=4)
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "booked": frozenset({"cancelled", "held", "missed"}),
    "cancelled": frozenset(),
    # What staff marked by mistake can be put right.
    "held": frozenset({"missed"}),
    "missed": frozenset({"held"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A person meets an advisor."""

    id: AppointmentId
    person_id: PersonId
    staff_id: StaffId
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorHours:
    """When an advisor can be booked, holidays of the institution excepted.

    Args:
        week: seven days from Monday, in the institution's time zone; at least one is open.
        slot: how long an appointment lasts.
        modes: how the advisor meets people; at least one.
    """

    staff_id: StaffId
    week: tuple[tuple[Opening, ...], ...]
    slot: timedelta
    modes: frozenset[Mode]

    def __post_init__(self) -> None:
        """Refuse hours in which nobody could be met.

        Raises: RuleBroken("appointment.slot" | "appointment.modes" | "calendar.week").
        """
        BusinessCalendar("UTC", self.week)
        if not SHORTEST <= self.slot <= LONGEST:
            raise RuleBroken("appointment.slot", "An appointment takes 10 minutes to 4 hours.")
        if not self.modes:
            raise RuleBroken("appointment.modes", "Name at least one way to meet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentPolicy:
    """What a student may book by themselves.

    Args:
        notice: how long before its start an appointment can be booked or moved at the latest.
        horizon: how far ahead it can be booked.
        most_open: how many a person may have ahead of them at once.
    """

    notice: timedelta = timedelta(hours=2)
    horizon: timedelta = timedelta(days=21)
    most_open: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAppointment:
    """What is to be booked.

    Args:
        person_id: from the session, never from a model.
        staff_id: staff may choose; None is whoever is free, the person's own advisor first.
        ends_at: staff may choose; None is the advisor's usual length.
        effect_key: booking twice with one key books once.
    """

    person_id: PersonId
    topic: str
    mode: Mode
    starts_at: datetime
    ends_at: datetime | None = None
    staff_id: StaffId | None = None
    effect_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentFilters:
    """Which appointments; None leaves a filter open."""

    staff_id: StaffId | None = None
    person_id: PersonId | None = None
    status: Status | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None


def check_topic(topic: str) -> str:
    """Return what it is about, without blanks around it.

    Raises: RuleBroken("appointment.topic").
    """
    trimmed = topic.strip()
    if not 1 <= len(trimmed) <= MAX_TOPIC:
        raise RuleBroken("appointment.topic", f"Say what it is about in up to {MAX_TOPIC} letters.")
    return trimmed


def check_time(
    starts_at: datetime, now: datetime, policy: AppointmentPolicy, *, by_staff: bool
) -> None:
    """Refuse a time that has passed, or that a student may not choose.

    Raises: RuleBroken("appointment.past" | "appointment.notice" | "appointment.horizon").
    """
    if starts_at <= now:
        raise RuleBroken("appointment.past", "This time has passed.")
    if by_staff:
        return
    if starts_at < now + policy.notice:
        raise RuleBroken("appointment.notice", "This time is too soon to be booked.")
    if starts_at > now + policy.horizon:
        raise RuleBroken("appointment.horizon", "This time is too far ahead to be booked.")


def check_length(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a length that no appointment has.

    Raises: RuleBroken("appointment.slot").
    """
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        raise RuleBroken("appointment.slot", "An appointment takes 10 minutes to 4 hours.")


def check_open(appointment: Appointment, now: datetime) -> None:
    """Refuse to move or cancel what is over.

    Raises: RuleBroken("appointment.closed" | "appointment.begun").
    """
    if appointment.status != "booked":
        raise RuleBroken("appointment.closed", "This appointment was cancelled or is over.")
    if appointment.starts_at <= now:
        raise RuleBroken("appointment.begun", "This appointment has begun.")


def check_ending(appointment: Appointment, to: Ending, now: datetime) -> None:
    """Let an appointment that has begun end in one of two ways.

    Raises: RuleBroken("appointment.transition" | "appointment.early").
    """
    if to not in TRANSITIONS[appointment.status]:
        raise RuleBroken(
            "appointment.transition",
            f"An appointment does not go from {appointment.status} to {to}.",
        )
    if now < appointment.starts_at:
        raise RuleBroken("appointment.early", "This appointment has not begun yet.")


def check_current(appointment: Appointment, expected_version: int | None) -> None:
    """Refuse a change that was made without seeing the latest one.

    Raises: Conflict("appointment.stale").
    """
    if expected_version is not None and appointment.version != expected_version:
        raise Conflict("appointment.stale", "Somebody else has changed this appointment meanwhile.")
