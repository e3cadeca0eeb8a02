"""Facts as the database has them, and whether a text tells them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from crm.courses.models import Cohort, CourseDetail, CourseRef, Modality, Programme
from crm.courses.rules import is_enrollable, next_cohort
from crm.courses.service import CourseService
from crm.errors import NotFound
from crm.money import Money, exponent_of
from evals.phrases import first_found, has_day, has_phrase, numbers_in
from evals.scenario import ExpectedFacts, Scenario


class Truth(Protocol):
    """A fact that a text can tell."""

    def told_in(self, text: str) -> bool:
        """Return whether the text tells it."""
        ...


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money: its number must be there, in whatever style."""

    money: Money

    def told_in(self, text: str) -> bool:
        """Return whether the text tells it."""
        return self._units in set(numbers_in(text))

    @property
    def _units(self) -> Decimal:
        return Decimal(self.money.amount_minor).scaleb(-exponent_of(self.money.currency))

    def __str__(self) -> str:
        return f"{self.money.currency} {self._units}"


@dataclass(frozen=True, slots=True)
class Day:
    """A day."""

    day: date

    def told_in(self, text: str) -> bool:
        """Return whether the text tells it."""
        return has_day(text, self.day)

    def __str__(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True, slots=True)
class Count:
    """A number, e.g. of hours."""

    number: int

    def told_in(self, text: str) -> bool:
        """Return whether the text tells it."""
        return Decimal(self.number) in set(numbers_in(text))

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class AllWords:
    """Several things, each in one of its wordings."""

    groups: tuple[tuple[str, ...], ...]

    def told_in(self, text: str) -> bool:
        """Return whether the text tells every one of them."""
        return all(first_found(text, group) is not None for group in self.groups)

    def __str__(self) -> str:
        return " and ".join(" | ".join(group) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a class begins and ends, e.g. 19:00 and 21:00."""

    start: str
    end: str

    def told_in(self, text: str) -> bool:
        """Return whether the text tells both."""
        return has_phrase(text, self.start) and has_phrase(text, self.end)

    def __str__(self) -> str:
        return f"{self.start}–{self.end}"


Truths = Mapping[tuple[str, str], Truth]

_MODALITY_WORDS: dict[Modality, tuple[str, ...]] = {
    "online": ("en línea", "online", "virtual"),
    "onsite": ("presencial", "onsite", "on-site", "on campus", "in person"),
    "hybrid": ("híbrid", "hybrid", "semipresencial"),
}


async def read_truths(courses: CourseService, scenario: Scenario) -> Truths:
    """Return every fact that a scenario asks about and that the database has."""
    truths: dict[tuple[str, str], Truth] = {}
    for expected in _expected(scenario):
        for code in expected.codes:
            known = await _facts_of(courses, code, programme=expected.programme is not None)
            truths |= {(code, fact): truth for fact, truth in known.items()}
    return truths


def _expected(scenario: Scenario) -> Iterable[ExpectedFacts]:
    for _, expect in scenario.stretches():
        yield from expect.contains_fact or ()


async def _facts_of(courses: CourseService, code: str, *, programme: bool) -> dict[str, Truth]:
    try:
        if programme:
            return programme_facts(await courses.get_programme(code))
        return course_facts(await courses.get_course(code), courses.today())
    except NotFound:
        return {}


def programme_facts(programme: Programme) -> dict[str, Truth]:
    """Return what can be asked about a programme."""
    return {"fee": Amount(programme.fee), "months": Count(programme.duration_months)}


def course_facts(detail: CourseDetail, today: date) -> dict[str, Truth]:
    """Return what can be asked about a course; what depends on a next group, if there is one."""
    course = detail.course
    facts: dict[str, Truth] = {
        "price": Amount(course.price),
        "list_price": Amount(course.price),
        "hours": Count(course.hours),
        "weeks": Count(course.weeks),
    }
    if detail.prerequisites:
        facts["prerequisites"] = AllWords(tuple(map(_names_of, detail.prerequisites)))
    following = next_cohort(detail.cohorts, today)
    if following is not None:
        facts |= _cohort_facts(following)
        facts["modality"] = _modalities(c for c in detail.cohorts if is_enrollable(c, today))
    return facts


def _cohort_facts(cohort: Cohort) -> dict[str, Truth]:
    schedule = cohort.schedule
    return {
        "price": Amount(cohort.price),
        "next_start": Day(cohort.starts_on),
        "schedule": Hours(f"{schedule.start_time:%H:%M}", f"{schedule.end_time:%H:%M}"),
        "seats_left": Count(cohort.seats_left),
    }


def _modalities(cohorts: Iterable[Cohort]) -> Truth:
    return AllWords((tuple(w for c in cohorts for w in _MODALITY_WORDS[c.modality]),))


def _names_of(course: CourseRef) -> tuple[str, ...]:
    return (course.title.es, course.title.en, course.code)
