"""What happened to seats that are not kept yet."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatHeld(DomainEvent):
    """Somebody has a seat for a while; an offer that is taken up is held, too."""

    hold_id: UUID
    cohort_id: UUID
    person_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReleased(DomainEvent):
    """A hold, or an offer, was given back before its time."""

    hold_id: UUID
    cohort_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldExpired(DomainEvent):
    """A hold's time was over; for an offer there is `OfferExpired` as well."""

    hold_id: UUID
    cohort_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistJoined(DomainEvent):
    """Somebody waits for a seat."""

    entry_id: UUID
    cohort_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistLeft(DomainEvent):
    """Somebody waits no more, having declined an offer or not waited for one."""

    entry_id: UUID
    cohort_id: UUID
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatOffered(DomainEvent):
    """One who waited has a seat reserved until a time."""

    hold_id: UUID
    entry_id: UUID
    cohort_id: UUID
    person_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferExpired(DomainEvent):
    """One who waited did not take the seat in time."""

    hold_id: UUID
    entry_id: UUID
    cohort_id: UUID
    person_id: UUID
