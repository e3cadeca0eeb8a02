"""What the pages show of programmes and scholarships."""

from dataclasses import dataclass

from api.web.catalogue import Locale, translate
from api.web.formats import money
from crm.courses.models import Course, Programme, Scholarship


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme with the courses it consists of, as code and title."""

    code: str
    title: str
    summary: str
    admission: str
    level: str
    length: str
    credits: int
    fee: str
    courses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ScholarshipView:
    """A scholarship: what it covers, for whom, until when."""

    code: str
    name: str
    description: str
    eligibility: str
    deadline: str
    covers: str


def programme_view(
    programme: Programme, locale: Locale, courses: tuple[Course, ...] = ()
) -> ProgrammeView:
    """Describe a programme; its courses come in the order they are taken."""
    titles = {course.code: course.title.of(locale) for course in courses}
    return ProgrammeView(
        code=programme.code,
        title=programme.title.of(locale),
        summary=programme.summary.of(locale),
        admission=programme.admission.of(locale),
        level=_level_name(programme, locale),
        length=translate(locale, "programme.months", {"months": programme.duration_months}),
        credits=programme.credits,
        fee=money(programme.fee, locale),
        courses=tuple((c, titles[c]) for c in programme.course_codes if c in titles),
    )


def scholarship_view(scholarship: Scholarship, locale: Locale) -> ScholarshipView:
    """Describe a scholarship."""
    values = {"percent": scholarship.percent, "cap": money(scholarship.cap, locale)}
    return ScholarshipView(
        code=scholarship.code,
        name=scholarship.name.of(locale),
        description=scholarship.description.of(locale),
        eligibility=scholarship.eligibility.of(locale),
        deadline=scholarship.deadline.of(locale),
        covers=translate(locale, "scholarship.covers", values),
    )


def _level_name(programme: Programme, locale: Locale) -> str:
    names = {
        "certificate": translate(locale, "programme.level.certificate"),
        "diploma": translate(locale, "programme.level.diploma"),
        "bachelor": translate(locale, "programme.level.bachelor"),
        "master": translate(locale, "programme.level.master"),
    }
    return names[programme.level]
