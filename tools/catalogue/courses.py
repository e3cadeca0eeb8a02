"""The tool that tells all about one course."""

from pydantic import BaseModel, Field

from crm.courses.models import Course, CourseDetail, CourseLevel, Locale
from tools.arguments import ToolInput
from tools.catalogue.cohorts import CohortOut, cohort_out, get_active_course
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import course_source
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of

_COHORTS = 5


class CourseRefOut(BaseModel):
    """A course by name."""

    code: str
    title: str


class GetCourse(ToolInput):
    """Which course."""

    code: str = Field(max_length=40, description="As search_courses returns it.")


class CourseOut(ToolOutput):
    """One course in full.

    Args:
        language: in which it is taught.
        price: the list price; a group may have its own.
        cohorts: those to come, soonest first, full ones included.
    """

    code: str
    title: str
    summary: str
    level: CourseLevel
    language: Locale
    outcomes: list[str]
    hours: int
    weeks: int
    hours_per_week: int
    prerequisites: list[CourseRefOut]
    certificate: bool
    price: PriceOut
    cohorts: list[CohortOut]
    url: str
    ref: str


async def get_course(call: Call[GetCourse]) -> CourseOut:
    """Return everything about one course whose code is known.

    Use it after search_courses for contents, what one learns, workload, requirements, certificate,
    list price and the next groups with dates and seats.
    """
    locale = call.context.locale
    detail = await get_active_course(call.services.courses, call.args.code)
    source = course_source(detail.course, locale, read_on=call.services.courses.today())
    return CourseOut(
        **_content(detail.course, locale),
        prerequisites=_prerequisites(detail, locale),
        cohorts=[cohort_out(c, locale) for c in detail.cohorts[:_COHORTS]],
        url=source.url,
        ref=source.ref,
        sources=[source],
    )


def _prerequisites(detail: CourseDetail, locale: Locale) -> list[CourseRefOut]:
    return [CourseRefOut(code=p.code, title=p.title.of(locale)) for p in detail.prerequisites]


def _content(course: Course, locale: Locale) -> dict[str, object]:
    return {
        "code": course.code,
        "title": course.title.of(locale),
        "summary": course.summary.of(locale),
        "level": course.level,
        "language": course.language,
        "outcomes": list(course.outcomes.of(locale)),
        "hours": course.hours,
        "weeks": course.weeks,
        "hours_per_week": course.hours_per_week,
        "certificate": course.certificate,
        "price": price_out(course.price, locale),
    }


GET_COURSE = ToolSpec(
    name="get_course",
    version=1,
    description=description_of(get_course),
    input=GetCourse,
    output=CourseOut,
    handler=get_course,
    examples=({"code": "DAT-101"},),
)
