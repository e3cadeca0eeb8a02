"""What it takes to complete a course: pure rules, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from crm.clock import day_in
from crm.courses.completion.attendance.models import Mark, Share, sessions_of, share_of
from crm.courses.completion.certificates.models import Certificate
from crm.courses.models import Bilingual, CohortId, Weekday
from crm.errors import RuleBroken
from crm.ids import PersonId

MAX_WAIVER = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionPolicy:
    """What the institution asks of those who complete a course.

    Args:
        attendance_percent: the least share of a cohort's sessions.
        time_zone: decides which day it is.
    """

    attendance_percent: int = 75
    time_zone: str = "UTC"

    def day_of(self, moment: datetime) -> date:
        """Return the day it is at the institution."""
        return day_in(self.time_zone, moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Studies:
    """An enrolment with what its completion and its certificate rest on.

    Args:
        gives_certificate: the course does.
        owes: payments for it are still pending.
    """

    enrolment_id: UUID
    person_id: PersonId
    cohort_id: CohortId
    status: str
    ended_at: datetime | None
    starts_on: date
    ends_on: date
    days: tuple[Weekday, ...]
    course_code: str
    title: Bilingual
    hours: int
    gives_certificate: bool
    owes: bool = False

    @property
    def sessions(self) -> tuple[date, ...]:
        """Return the days of the cohort's sessions."""
        return sessions_of(self.starts_on, self.ends_on, self.days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A completed enrolment, with its certificate where the course gives one.

    Args:
        withheld: the certificate follows when nothing is owed for the course any more.
    """

    enrolment_id: UUID
    person_id: PersonId
    cohort_id: CohortId
    course_code: str
    completed_at: datetime
    certificate: Certificate | None
    withheld: bool = False


def check_completion(
    studies: Studies,
    marks: Mapping[date, Mark],
    *,
    today: date,
    policy: CompletionPolicy,
    waived: bool = False,
) -> Share:
    """Check that an enrolment may be completed, and return the share that was attended.

    A session that nobody marked counts as missed.

    Args:
        waived: attendance does not matter for this one.

    Raises:
        RuleBroken("enrolment.closed"): withdrawn or transferred.
        RuleBroken("completion.early"): sessions are still to come.
        RuleBroken("completion.attendance"): too few were attended.
    """
    if studies.status != "confirmed":
        raise RuleBroken("enrolment.closed", "This enrolment has ended.")
    if today < max(studies.sessions, default=studies.ends_on):
        raise RuleBroken("completion.early", "The course's last session is still to come.")
    share = share_of(studies.sessions, marks)
    if not waived and not share.reaches(policy.attendance_percent):
        raise RuleBroken("completion.attendance", "Too few sessions were attended.")
    return share


def check_certificate(studies: Studies) -> None:
    """Check that an enrolment has earned a certificate.

    Raises:
        RuleBroken("certificate.not_earned"): not completed, or the course gives none.
        RuleBroken("certificate.unpaid"): payments for the course are pending.
    """
    if studies.status != "completed" or not studies.gives_certificate:
        raise RuleBroken("certificate.not_earned", "There is nothing to certify.")
    if studies.owes:
        raise RuleBroken("certificate.unpaid", "Payments for this course are still pending.")
