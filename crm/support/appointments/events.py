"""What happened with appointments, by ids only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentBooked(DomainEvent):
    """A person will meet an advisor."""

    appointment_id: UUID
    person_id: UUID
    staff_id: UUID
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentMoved(DomainEvent):
    """They will meet at another time, perhaps another advisor."""

    appointment_id: UUID
    person_id: UUID
    staff_id: UUID
    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentCancelled(DomainEvent):
    """They will not meet."""

    appointment_id: UUID
    person_id: UUID
    staff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentEnded(DomainEvent):
    """They met, or the person did not come."""

    appointment_id: UUID
    person_id: UUID
    staff_id: UUID
    status: str
