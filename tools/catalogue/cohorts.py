"""The tool that lists when a course is given."""

from datetime import date

from pydantic import BaseModel, Field

from crm.courses.models import Cohort, CohortStatus, CourseDetail, Modality
from crm.courses.rules import is_enrollable
from crm.courses.service import CourseService
from crm.errors import NotFound
from tools.arguments import ToolInput
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import course_source
from tools.context import Locale
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of
from tools.wording import date_text, modality_text, schedule_text


class CohortOut(BaseModel):
    """One group of a course with its dates; quote the texts as they stand."""

    code: str
    starts_on: date
    starts_on_text: str
    ends_on: date
    ends_on_text: str
    enrolment_closes: date
    enrolment_closes_text: str
    modality: Modality
    modality_text: str
    campus: str | None
    schedule: str
    seats_left: int
    status: CohortStatus
    price: PriceOut


class ListCohorts(ToolInput):
    """Which groups to list."""

    course_code: str = Field(max_length=40, description="As search_courses returns it.")
    modality: Modality | None = None
    limit: int = Field(5, ge=1, le=10)


class CohortsFound(ToolOutput):
    """The groups one may enrol in.

    Args:
        full: groups to come that have no seat left.
    """

    course_code: str
    title: str
    cohorts: list[CohortOut]
    full: int
    ref: str


async def list_cohorts(call: Call[ListCohorts]) -> CohortsFound:
    """List the groups of one course that a student can enrol in, soonest first.

    Use it for "when does it start", schedules, other dates or seats left. Returns for each group
    its price, start, end, last day to enrol, schedule, modality and seats left; `full` counts the
    groups without seats. An empty list means that nobody can enrol at the moment.
    """
    args, locale = call.args, call.context.locale
    detail = await get_active_course(call.services.courses, args.course_code)
    today = call.services.courses.today()
    wanted = [c for c in detail.cohorts if args.modality in (None, c.modality)]
    enrollable = [c for c in wanted if is_enrollable(c, today)]
    source = course_source(detail.course, locale, read_on=today)
    return CohortsFound(
        course_code=detail.course.code,
        title=detail.course.title.of(locale),
        cohorts=[cohort_out(c, locale) for c in enrollable[: args.limit]],
        full=sum(c.status == "open" and c.seats_left == 0 for c in wanted),
        ref=source.ref,
        sources=[source],
    )


async def get_active_course(courses: CourseService, code: str) -> CourseDetail:
    """Return a course that is offered.

    Raises: NotFound("course.unknown").
    """
    detail = await courses.get_course(code)
    if not detail.course.active:
        raise NotFound("course.unknown", "There is no such course.")
    return detail


def cohort_out(cohort: Cohort, locale: Locale) -> CohortOut:
    """Return a group for machines and in words."""
    return CohortOut(
        code=cohort.code,
        starts_on=cohort.starts_on,
        starts_on_text=date_text(cohort.starts_on, locale),
        ends_on=cohort.ends_on,
        ends_on_text=date_text(cohort.ends_on, locale),
        enrolment_closes=cohort.enrolment_closes,
        enrolment_closes_text=date_text(cohort.enrolment_closes, locale),
        modality=cohort.modality,
        modality_text=modality_text(cohort.modality, locale),
        campus=cohort.campus,
        schedule=schedule_text(cohort.schedule, locale),
        seats_left=cohort.seats_left,
        status=cohort.status,
        price=price_out(cohort.price, locale),
    )


LIST_COHORTS = ToolSpec(
    name="list_cohorts",
    version=1,
    description=description_of(list_cohorts),
    input=ListCohorts,
    output=CohortsFound,
    handler=list_cohorts,
    examples=({"course_code": "DAT-101"}, {"course_code": "DAT-101", "modality": "online"}),
)
