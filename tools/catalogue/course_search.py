"""The tool that finds courses."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, Field

from crm.courses.models import Cohort, CourseDetail, CourseLevel, Locale, Modality
from crm.courses.rules import next_cohort
from tools.arguments import ToolInput
from tools.catalogue.areas import resolve_area
from tools.catalogue.matching import Matches, find_matches
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import course_source
from tools.outputs import SourceOut, ToolOutput
from tools.services import ToolServices
from tools.spec import Call, ToolSpec, description_of
from tools.wording import date_text, modality_text, schedule_text


class SearchCourses(ToolInput):
    """What to look for; every filter is optional."""

    query: str = Field("", max_length=300, description="Subject, title or wish in plain words.")
    area: str | None = Field(None, max_length=60, description="An area's code or name.")
    level: CourseLevel | None = None
    language: Locale | None = Field(None, description="The language it is taught in.")
    modality: Modality | None = None
    max_price_minor: int | None = Field(None, ge=0, description="In minor units (cents).")
    limit: int = Field(3, ge=1, le=5)


class NextCohortOut(BaseModel):
    """The next group one can enrol in; quote the texts as they stand."""

    code: str
    starts_on: date
    starts_on_text: str
    modality: Modality
    modality_text: str
    schedule: str
    seats_left: int


class CourseFound(BaseModel):
    """A course in brief.

    Args:
        price: of the next group, or the list price where there is none.
    """

    code: str
    title: str
    summary: str
    level: CourseLevel
    price: PriceOut
    next_cohort: NextCohortOut | None
    url: str
    ref: str


class CoursesFound(ToolOutput):
    """Courses, best first.

    Args:
        confidence: 0 to 1, the chance that the first course is what was asked for.
    """

    courses: list[CourseFound]
    confidence: float


async def search_courses(call: Call[SearchCourses]) -> CoursesFound:
    """Find courses by subject, title or wish, with today's price and the next group to start.

    Use it for any question about which courses there are, what a course costs or when it starts.
    Returns code, title, summary, price, the next group one can enrol in (start, schedule,
    modality, seats left) or null when there is none, and the `ref` to cite. With a confidence below
    0.5 say that you found nothing certain. get_course tells more, list_cohorts other dates.
    """
    args, services, locale = call.args, call.services, call.context.locale
    matches = await _matches(args, services, locale)
    today = services.courses.today()
    chosen = _choose(matches.details, args, today)[: args.limit]
    sources = [course_source(d.course, locale, read_on=today) for d, _ in chosen]
    return CoursesFound(
        courses=[
            _found(d, cohort, source, locale)
            for (d, cohort), source in zip(chosen, sources, strict=True)
        ],
        confidence=round(matches.confidence, 3) if chosen else 0.0,
        sources=sources,
    )


async def _matches(args: SearchCourses, services: ToolServices, locale: Locale) -> Matches:
    area = await resolve_area(services.courses, args.area)
    if args.query:
        found = await find_matches(services, args.query, locale)
        fitting = [d for d in found.details if area in (None, d.course.area)]
        return Matches(fitting, found.confidence)
    page = await services.courses.list_courses(area=area, level=args.level, language=args.language)
    details = await services.courses.find_courses([c.code for c in page.items])
    return Matches(list(details), 1.0 if details else 0.0)


def _choose(
    details: Sequence[CourseDetail], args: SearchCourses, today: date
) -> list[tuple[CourseDetail, Cohort | None]]:
    chosen = []
    for detail in details:
        cohorts = [c for c in detail.cohorts if args.modality in (None, c.modality)]
        following = next_cohort(cohorts, today)
        if _fits(detail, following, args):
            chosen.append((detail, following))
    return chosen


def _fits(detail: CourseDetail, following: Cohort | None, args: SearchCourses) -> bool:
    course = detail.course
    price = following.price if following else course.price
    return (
        args.level in (None, course.level)
        and args.language in (None, course.language)
        and (args.modality is None or following is not None)
        and (args.max_price_minor is None or price.amount_minor <= args.max_price_minor)
    )


def _found(
    detail: CourseDetail, following: Cohort | None, source: SourceOut, locale: Locale
) -> CourseFound:
    course = detail.course
    return CourseFound(
        code=course.code,
        title=course.title.of(locale),
        summary=course.summary.of(locale),
        level=course.level,
        price=price_out(following.price if following else course.price, locale),
        next_cohort=next_cohort_out(following, locale) if following else None,
        url=source.url,
        ref=source.ref,
    )


def next_cohort_out(cohort: Cohort, locale: Locale) -> NextCohortOut:
    """Return the group to enrol in next, for machines and in words."""
    return NextCohortOut(
        code=cohort.code,
        starts_on=cohort.starts_on,
        starts_on_text=date_text(cohort.starts_on, locale),
        modality=cohort.modality,
        modality_text=modality_text(cohort.modality, locale),
        schedule=schedule_text(cohort.schedule, locale),
        seats_left=cohort.seats_left,
    )


SEARCH_COURSES = ToolSpec(
    name="search_courses",
    version=1,
    description=description_of(search_courses),
    input=SearchCourses,
    output=CoursesFound,
    handler=search_courses,
    examples=({"query": "Python"}, {"query": "", "area": "DAT", "modality": "online"}),
)
