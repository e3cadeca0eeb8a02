"""What happens while a course is given, and at its end."""

from dataclasses import dataclass
from uuid import UUID

from crm.courses.models import CohortId
from crm.ids import PersonId
from crm.journal.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendanceMarked(DomainEvent):
    """Staff wrote down who was at sessions of a cohort."""

    cohort_id: CohortId


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCompleted(DomainEvent):
    """Somebody completed a course."""

    enrolment_id: UUID
    person_id: PersonId
    course_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(DomainEvent):
    """Somebody got a certificate."""

    number: str
    enrolment_id: UUID
    person_id: PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRevoked(DomainEvent):
    """A certificate no longer counts."""

    number: str
    enrolment_id: UUID
    person_id: PersonId
