"""What the catalogue holds: courses, cohorts, programmes, scholarships and discounts."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal, NewType
from uuid import UUID

from crm.money import Money

CohortId = NewType("CohortId", UUID)

Locale = Literal["es", "en"]
CourseLevel = Literal["intro", "intermediate", "advanced"]
ProgrammeLevel = Literal["certificate", "diploma", "bachelor", "master"]
Modality = Literal["online", "onsite", "hybrid"]
CohortStatus = Literal["open", "closed", "cancelled"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in both languages of the institution."""

    es: str
    en: str

    def of(self, locale: str) -> str:
        """Return the text in a language; anything but `en` gets Spanish."""
        return self.en if locale == "en" else self.es


@dataclass(frozen=True, slots=True)
class BilingualLines:
    """A list of short texts in both languages."""

    es: tuple[str, ...]
    en: tuple[str, ...]

    def of(self, locale: str) -> tuple[str, ...]:
        """Return the lines in a language; anything but `en` gets Spanish."""
        return self.en if locale == "en" else self.es


@dataclass(frozen=True, slots=True)
class Area:
    """A field of study."""

    code: str
    name: Bilingual


@dataclass(frozen=True, slots=True)
class CourseRef:
    """Enough of a course to name it."""

    code: str
    title: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseContent:
    """What staff write about a course.

    Args:
        language: the language it is taught in.
        price: the list price of a seat; a cohort may have its own.
    """

    code: str
    area: str
    level: CourseLevel
    language: Locale
    title: Bilingual
    summary: Bilingual
    outcomes: BilingualLines
    keywords: tuple[str, ...]
    hours: int
    weeks: int
    hours_per_week: int
    price: Money
    certificate: bool
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(CourseContent):
    """A course of the catalogue."""

    updated_at: datetime

    @property
    def ref(self) -> CourseRef:
        """Return the course's code and title."""
        return CourseRef(self.code, self.title)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a cohort meets, in the institution's time zone."""

    days: tuple[Weekday, ...]
    start_time: time
    end_time: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """One run of a course with dates and seats.

    Args:
        enrolment_closes: the last day on which one may enrol.
        campus: a campus code; None online.
        blocked_seats: kept back by staff.
        seats_taken: enrolments that keep their seat, counted when this was read.
        seats_held: seats that are held or offered for a while, counted with them.
    """

    id: CohortId
    code: str
    course_code: str
    starts_on: date
    ends_on: date
    enrolment_closes: date
    modality: Modality
    campus: str | None
    schedule: Schedule
    seats: int
    blocked_seats: int
    seats_taken: int
    price: Money
    status: CohortStatus
    updated_at: datetime
    seats_held: int = 0

    @property
    def seats_left(self) -> int:
        """Return the seats nobody has and nobody keeps back."""
        return max(0, self.seats - self.blocked_seats - self.seats_taken - self.seats_held)


@dataclass(frozen=True, slots=True)
class CourseDetail:
    """A course with what must come before it and when it is given next.

    Args:
        prerequisites: by code.
        cohorts: not cancelled and starting today or later, soonest first; full ones included.
    """

    course: Course
    prerequisites: tuple[CourseRef, ...]
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A course of studies that leads to a degree.

    Args:
        admission: what one must bring to be admitted.
        course_codes: in the order they are taken.
    """

    code: str
    area: str
    level: ProgrammeLevel
    title: Bilingual
    summary: Bilingual
    admission: Bilingual
    duration_months: int
    credits: int
    fee: Money
    active: bool
    course_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scholarship:
    """Money of a fund that covers part of a fee.

    Args:
        cap: the most that one grant covers.
        fund: what there is for all grants together.
    """

    code: str
    name: Bilingual
    description: Bilingual
    eligibility: Bilingual
    deadline: Bilingual
    percent: int
    cap: Money
    fund: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reduction of a fee, never more than its cap."""

    code: str
    name: Bilingual
    description: Bilingual
    percent: int
    cap: Money
