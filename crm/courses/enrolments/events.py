"""What happened to enrolments."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentConfirmed(DomainEvent):
    """Somebody is enrolled."""

    enrolment_id: UUID
    person_id: UUID
    cohort_id: UUID
    hold_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentWithdrawn(DomainEvent):
    """Somebody gave their seat back."""

    enrolment_id: UUID
    person_id: UUID
    cohort_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentTransferred(DomainEvent):
    """Somebody changed to another cohort of the same course; the price may differ."""

    from_enrolment_id: UUID
    enrolment_id: UUID
    person_id: UUID
    from_cohort_id: UUID
    cohort_id: UUID
