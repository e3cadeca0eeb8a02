"""The tool that finds courses."""

from datetime import date

from pydantic import BaseModel, Field

from crm.courses.models import Cohort, CourseLevel, Locale, Modality
from crm.courses.offers.models import Offer, OfferFilters
from tools.arguments import ToolInput
from tools.catalogue.areas import resolve_area
from tools.catalogue.course_finding import CourseFinder
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
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="Of the price; the catalogue's own without it."
    )
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
    finder = CourseFinder(services.courses, services.offers, services.knowledge)
    found = await finder.find(
        args.query, await _filters(args, services), locale=locale, limit=args.limit
    )
    offers, today = found.page.items, services.courses.today()
    sources = [course_source(o.course, locale, read_on=today) for o in offers]
    return CoursesFound(
        courses=[_found(o, source, locale) for o, source in zip(offers, sources, strict=True)],
        confidence=found.confidence if offers else 0.0,
        sources=sources,
    )


async def _filters(args: SearchCourses, services: ToolServices) -> OfferFilters:
    return OfferFilters(
        area=await resolve_area(services.courses, args.area),
        level=args.level,
        language=args.language,
        modality=args.modality,
        price_max=args.max_price_minor,
        currency=args.currency,
    )


def _found(offer: Offer, source: SourceOut, locale: Locale) -> CourseFound:
    course, following = offer.course, offer.cohort
    return CourseFound(
        code=course.code,
        title=course.title.of(locale),
        summary=course.summary.of(locale),
        level=course.level,
        price=price_out(offer.price, locale),
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
