"""What staff ask of the catalogue."""

from dataclasses import dataclass
from datetime import date

from crm.courses.models import CohortStatus, Modality, Schedule
from crm.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCohort:
    """Open a cohort of a course.

    Args:
        ends_on: None counts the course's weeks from the start.
        price: None takes the course's.
    """

    code: str
    course_code: str
    starts_on: date
    enrolment_closes: date
    modality: Modality
    schedule: Schedule
    seats: int
    campus: str | None = None
    ends_on: date | None = None
    blocked_seats: int = 0
    price: Money | None = None
    status: CohortStatus = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateCohort:
    """Change a cohort; None leaves a field as it is."""

    code: str
    status: CohortStatus | None = None
    seats: int | None = None
    blocked_seats: int | None = None
    price: Money | None = None
    enrolment_closes: date | None = None
