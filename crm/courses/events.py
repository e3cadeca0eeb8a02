"""What happened in the catalogue."""

from dataclasses import dataclass
from uuid import UUID

from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseChanged(DomainEvent):
    """A course was written or its prerequisites were set."""

    course_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOpened(DomainEvent):
    """A course got a new cohort."""

    cohort_id: UUID
    course_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortChanged(DomainEvent):
    """A cohort's state, seats, closing date or price changed."""

    cohort_id: UUID
    course_code: str
