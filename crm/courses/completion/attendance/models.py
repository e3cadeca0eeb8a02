"""Sessions of a cohort, marks of who was there, and shares of attendance: pure, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from crm.courses.models import WEEKDAYS, CohortId, Weekday
from crm.errors import RuleBroken
from crm.ids import PersonId

Mark = Literal["present", "absent", "late", "excused"]

#: What a mark is worth: coming late is half an attendance.
POINTS: Mapping[Mark, int] = {"present": 2, "late": 1, "absent": 0}
_FULL = 2


@dataclass(frozen=True, slots=True)
class SessionMark:
    """Whether somebody was at a session."""

    enrolment_id: UUID
    session_on: date
    mark: Mark


@dataclass(frozen=True, slots=True)
class Share:
    """How much of what counts was attended, in half sessions.

    Args:
        possible: 0 when every session was excused, or there was none.
    """

    points: int
    possible: int

    @property
    def percent(self) -> int | None:
        """Return the share in whole percent, rounded down; None when nothing counts."""
        return self.points * 100 // self.possible if self.possible else None

    def reaches(self, percent: int) -> bool:
        """Say whether the share is at least this; nothing attended of nothing does not count."""
        return self.possible > 0 and self.points * 100 >= percent * self.possible


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody who is on a cohort's list."""

    id: UUID
    person_id: PersonId
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """An enrolment's marks by session, and the share of the sessions held so far."""

    enrolment_id: UUID
    person_id: PersonId
    status: str
    marks: Mapping[date, Mark]
    so_far: Share


@dataclass(frozen=True, slots=True)
class CohortSessions:
    """The days on which a cohort meets."""

    cohort_id: CohortId
    days: tuple[date, ...]


def sessions_of(starts_on: date, ends_on: date, days: Iterable[Weekday]) -> tuple[date, ...]:
    """Return the days on which a cohort meets, from its first to its last day, both included."""
    numbers = {WEEKDAYS.index(day) for day in days}
    length = (ends_on - starts_on).days + 1
    every = (starts_on + timedelta(days=n) for n in range(length))
    return tuple(day for day in every if day.weekday() in numbers)


def share_of(sessions: Sequence[date], marks: Mapping[date, Mark]) -> Share:
    """Return the share of these sessions that was attended.

    An excused session does not count; one without a mark counts as missed.
    """
    counted = [marks.get(day, "absent") for day in sessions if marks.get(day) != "excused"]
    return Share(sum(POINTS[mark] for mark in counted), _FULL * len(counted))


def check_marks(marks: Sequence[SessionMark], sessions: CohortSessions, *, today: date) -> None:
    """Check what staff wrote down before it is kept.

    Raises:
        RuleBroken("attendance.session"): the cohort does not meet on this day.
        RuleBroken("attendance.future"): the session has not been held.
        RuleBroken("attendance.twice"): two marks for one enrolment and session.
    """
    if not {m.session_on for m in marks} <= set(sessions.days):
        raise RuleBroken("attendance.session", "The cohort does not meet on this day.")
    if any(m.session_on > today for m in marks):
        raise RuleBroken("attendance.future", "This session is still to come.")
    if len({(m.enrolment_id, m.session_on) for m in marks}) < len(marks):
        raise RuleBroken("attendance.twice", "There are two marks for one session.")
