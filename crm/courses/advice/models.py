"""What is known of a person who is advised, what they wish for, what speaks against a course."""

from dataclasses import dataclass
from datetime import date, time
from typing import Literal

from crm.courses.models import Cohort, CourseRef, Locale, Modality, Schedule, Weekday
from crm.money import Money

ObstacleCode = Literal[
    "taken", "refused", "prerequisites", "no_group", "full", "modality", "schedule", "clash",
    "language", "budget", "currency",
]  # fmt: skip

#: With one of these a course is never suggested; the others are said beside it.
BARS: frozenset[ObstacleCode] = frozenset({"taken", "refused", "prerequisites"})


@dataclass(frozen=True, slots=True)
class RunningClass:
    """When somebody already sits in class."""

    course: CourseRef
    starts_on: date
    ends_on: date
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRecord:
    """What advice may know of a person; of a visitor little or nothing.

    Args:
        completed: codes of courses that were finished with success.
        current: codes of courses in which they keep a seat.
        classes: of the courses that still run.
        refused: codes they did not want, here or, once known, ever.
        asked_about: codes of courses that their open leads are about.
    """

    completed: frozenset[str] = frozenset()
    current: frozenset[str] = frozenset()
    classes: tuple[RunningClass, ...] = ()
    refused: frozenset[str] = frozenset()
    asked_about: tuple[str, ...] = ()

    @property
    def taken(self) -> frozenset[str]:
        """Return what needs no recommending any more."""
        return self.completed | self.current


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a course has to be like; what is left out does not matter.

    Args:
        days: on which one can come; empty for all.
        earliest: classes begin no sooner.
        latest: classes end no later.
        language: in which one wants to be taught.
        budget: the most that one wants to pay.
    """

    days: frozenset[Weekday] = frozenset()
    earliest: time | None = None
    latest: time | None = None
    modality: Modality | None = None
    language: Locale | None = None
    budget: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What speaks against a course, as a code with its facts.

    Args:
        courses: those that come first, or that meet at the same time.
        price: what it costs, where that is the matter.
    """

    code: ObstacleCode
    courses: tuple[CourseRef, ...] = ()
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A course looked at for one person.

    Args:
        group: the one that fits best, perhaps not well; None where there is none to enrol in.
    """

    group: Cohort | None
    obstacles: tuple[Obstacle, ...]

    @property
    def is_barred(self) -> bool:
        """Return whether the course must not be suggested."""
        return any(obstacle.code in BARS for obstacle in self.obstacles)
