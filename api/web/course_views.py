"""What the pages show of courses: cards for lists, rows for the cohorts of one course."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from api.web.catalogue import Locale, translate
from api.web.formats import clock_time, money, short_day, weekdays
from api.web.institution import Institution
from crm.courses.models import Cohort, Course, CourseRef, Modality
from crm.courses.rules import is_enrollable
from crm.courses.service import CourseService

#: Below this, a page says how many seats are left.
_FEW_SEATS = 6
_PAGE = 200


@dataclass(frozen=True, slots=True)
class CourseCard:
    """A course in a list; `start` and `place` are empty when no cohort is open."""

    code: str
    area: str
    title: str
    summary: str
    level: str
    price: str
    start: str
    place: str


@dataclass(frozen=True, slots=True)
class CohortRow:
    """A cohort on the page of its course."""

    code: str
    start: str
    end: str
    schedule: str
    place: str
    seats: str
    is_open: bool
    price: str
    closes: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The active courses by code, and of each the soonest cohort one may enrol in."""

    courses: tuple[Course, ...]
    soonest: Mapping[str, Cohort]


async def read_catalogue(reader: CourseService, area: str | None = None) -> Catalogue:
    """Read the catalogue, whole or of one area."""
    courses = await reader.list_courses(area=area, limit=_PAGE)
    cohorts = await reader.list_cohorts(open_only=True, limit=_PAGE)
    soonest = {cohort.course_code: cohort for cohort in reversed(cohorts.items)}
    return Catalogue(courses.items, soonest)


def cards_of(catalogue: Catalogue, locale: Locale) -> list[CourseCard]:
    """Describe every course."""
    return [course_card(c, catalogue.soonest.get(c.code), locale) for c in catalogue.courses]


def soonest_cards(catalogue: Catalogue, count: int, locale: Locale) -> list[CourseCard]:
    """Describe courses that start soon, one of each area before a second of any."""
    by_code = {course.code: course for course in catalogue.courses}
    starting = sorted(
        (by_code[code] for code in catalogue.soonest if code in by_code),
        key=lambda course: catalogue.soonest[course.code].starts_on,
    )
    first = {course.area: course for course in reversed(starting)}
    chosen = sorted(starting, key=lambda course: first[course.area] is not course)[:count]
    return [course_card(course, catalogue.soonest[course.code], locale) for course in chosen]


def course_card(course: Course, cohort: Cohort | None, locale: Locale) -> CourseCard:
    """Describe a course and, where one is open, its next cohort."""
    return CourseCard(
        code=course.code,
        area=course.area,
        title=course.title.of(locale),
        summary=course.summary.of(locale),
        level=level_name(course, locale),
        price=money(cohort.price if cohort else course.price, locale),
        start=short_day(cohort.starts_on, locale) if cohort else "",
        place=modality_name(cohort.modality, locale) if cohort else "",
    )


def cohort_row(
    cohort: Cohort, locale: Locale, *, today: date, institution: Institution
) -> CohortRow:
    """Describe a cohort with its dates, place, seats and price."""
    return CohortRow(
        code=cohort.code,
        start=short_day(cohort.starts_on, locale),
        end=short_day(cohort.ends_on, locale),
        schedule=_schedule(cohort, locale),
        place=_place(cohort, locale, institution),
        seats=_seats(cohort, locale, today),
        is_open=is_enrollable(cohort, today),
        price=money(cohort.price, locale),
        closes=short_day(cohort.enrolment_closes, locale),
    )


def level_name(course: Course, locale: Locale) -> str:
    """Return a course's level in words."""
    names = {
        "intro": translate(locale, "course.level.intro"),
        "intermediate": translate(locale, "course.level.intermediate"),
        "advanced": translate(locale, "course.level.advanced"),
    }
    return names[course.level]


def modality_name(modality: Modality, locale: Locale) -> str:
    """Return how a cohort meets, in words."""
    names = {
        "online": translate(locale, "course.modality.online"),
        "onsite": translate(locale, "course.modality.onsite"),
        "hybrid": translate(locale, "course.modality.hybrid"),
    }
    return names[modality]


def opening_hours(institution: Institution, locale: Locale) -> list[str]:
    """Return when people answer, a line for each group of days."""
    return [
        translate(
            locale,
            "home.contact.hoursLine",
            {
                "days": weekdays(line.days, locale),
                "start": clock_time(line.start),
                "end": clock_time(line.end),
            },
        )
        for line in institution.support_hours
    ]


def time_zone_note(time_zone: str, now: datetime, locale: Locale) -> str:
    """Return by which clock the times of a page are."""
    offset = f"{now.astimezone(ZoneInfo(time_zone)):%z}"
    hours = f"{int(offset[:3]):+d}" + (f":{offset[3:]}" if offset[3:] != "00" else "")
    values = {"place": time_zone.rpartition("/")[2].replace("_", " "), "offset": hours}
    return translate(locale, "course.timeZone", values)


def refs(courses: tuple[CourseRef, ...], locale: Locale) -> list[tuple[str, str]]:
    """Return code and title of each course."""
    return [(course.code, course.title.of(locale)) for course in courses]


def _schedule(cohort: Cohort, locale: Locale) -> str:
    plan = cohort.schedule
    values = {
        "days": weekdays(plan.days, locale),
        "start": clock_time(plan.start_time),
        "end": clock_time(plan.end_time),
    }
    return translate(locale, "course.schedule", values)


def _place(cohort: Cohort, locale: Locale, institution: Institution) -> str:
    modality = modality_name(cohort.modality, locale)
    if cohort.campus is None:
        return modality
    return f"{modality}, {institution.campus_name(cohort.campus, locale)}"


def _seats(cohort: Cohort, locale: Locale, today: date) -> str:
    if cohort.seats_left == 0:
        return translate(locale, "course.seats.none")
    if not is_enrollable(cohort, today):
        return translate(locale, "course.seats.closed")
    if cohort.seats_left <= _FEW_SEATS:
        return translate(locale, "course.seats.few", {"count": cohort.seats_left})
    return translate(locale, "course.seats.some")
