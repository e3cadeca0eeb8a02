"""Enrolments: what they are, and their pure rules."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NewType
from uuid import UUID

from crm.courses.models import Cohort, CohortId
from crm.courses.seats.models import HoldId
from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.people.models import is_minor

EnrolmentId = NewType("EnrolmentId", UUID)

EnrolmentStatus = Literal["confirmed", "completed", "withdrawn", "transferred"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A person's seat in a cohort.

    Args:
        hold_id: the hold it was confirmed from, if there was one.
        transferred_from: the enrolment in another cohort that it replaces.
    """

    id: EnrolmentId
    person_id: PersonId
    cohort_id: CohortId
    course_code: str
    status: EnrolmentStatus
    hold_id: HoldId | None
    transferred_from: EnrolmentId | None
    confirmed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentFilters:
    """Which enrolments to list; None is all."""

    cohort_id: CohortId | None = None
    person_id: PersonId | None = None
    status: EnrolmentStatus | None = None


def check_running(enrolment: Enrolment) -> None:
    """Check that an enrolment can still be given up or changed.

    Raises: RuleBroken("enrolment.ended"): completed, withdrawn or transferred.
    """
    if enrolment.status != "confirmed":
        raise RuleBroken("enrolment.ended", "This enrolment has ended.")


def check_transfer(origin: Cohort, target: Cohort) -> None:
    """Check that one may change from a cohort to another.

    Raises: RuleBroken("transfer.course"): another course's, or the same cohort.
    """
    if origin.course_code != target.course_code or origin.id == target.id:
        raise RuleBroken("transfer.course", "One changes to another cohort of the same course.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a person stands to a cohort and its course.

    Args:
        active: neither merged nor erased.
        time_zone: where the person lives; it decides on which day they come of age.
        guarded: a guardian is on file.
        enrolled: keeps a seat in the cohort, or takes the course now in another.
        enrolling: a seat in another cohort of the course is held to be confirmed.
        missing: codes of prerequisites not completed.
    """

    active: bool
    birth_date: date | None
    time_zone: str
    guarded: bool
    enrolled: bool
    enrolling: bool
    missing: list[str]


def check_standing(standing: Standing, *, waived: bool, at: datetime) -> None:
    """Check that a person may take a seat.

    Args:
        waived: staff let the person in without the prerequisites.

    Raises:
        RuleBroken("person.inactive"): merged or erased.
        RuleBroken("enrolment.guardian"): under age, and nobody answers for them.
        RuleBroken("enrolment.exists"): has a seat in the cohort or the course, or is getting one.
        RuleBroken("enrolment.prerequisites"): a course that must come before is not completed.
    """
    if not standing.active:
        raise RuleBroken("person.inactive", "This person was merged or erased.")
    if not standing.guarded and is_minor(standing.birth_date, standing.time_zone, at):
        raise RuleBroken("enrolment.guardian", "A minor enrols with a guardian on file.")
    if standing.enrolled or standing.enrolling:
        raise RuleBroken("enrolment.exists", "This person is enrolled in the course already.")
    if standing.missing and not waived:
        names = ", ".join(standing.missing)
        raise RuleBroken("enrolment.prerequisites", f"These come before: {names}.")
