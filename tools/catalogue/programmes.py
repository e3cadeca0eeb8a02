"""The tools about programmes that lead to a degree."""

from pydantic import BaseModel, Field

from crm.courses.models import Locale, Programme, ProgrammeLevel
from crm.errors import NotFound
from tools.arguments import ToolInput
from tools.catalogue.areas import resolve_area
from tools.catalogue.courses import CourseRefOut
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import programme_source
from tools.outputs import SourceOut, ToolOutput
from tools.spec import Call, ToolSpec, description_of

_MOST = 30


class ProgrammeOut(BaseModel):
    """A programme in one line."""

    code: str
    title: str
    level: ProgrammeLevel
    summary: str
    duration_months: int
    credits: int
    fee: PriceOut
    ref: str


class ListProgrammes(ToolInput):
    """Which programmes to list."""

    area: str | None = Field(None, max_length=60, description="An area's code or name.")


class ProgrammesFound(ToolOutput):
    """Programmes by code."""

    programmes: list[ProgrammeOut]


class GetProgramme(ToolInput):
    """Which programme."""

    code: str = Field(max_length=40, description="As list_programmes returns it.")


class ProgrammeDetail(ToolOutput):
    """One programme in full.

    Args:
        admission: what one must bring to be admitted.
        courses: in the order they are taken.
    """

    programme: ProgrammeOut
    admission: str
    courses: list[CourseRefOut]
    url: str


async def list_programmes(call: Call[ListProgrammes]) -> ProgrammesFound:
    """List the programmes (certificates, diplomas, bachelor's and master's degrees).

    Use it when someone asks for degrees or programmes rather than single courses. Returns code,
    title, level, length, credits and total fee; get_programme tells the rest.
    """
    courses, locale = call.services.courses, call.context.locale
    area = await resolve_area(courses, call.args.area)
    page = await courses.list_programmes(area=area, limit=_MOST)
    today = courses.today()
    sources = [programme_source(p, locale, read_on=today) for p in page.items]
    return ProgrammesFound(
        programmes=[_line(p, s, locale) for p, s in zip(page.items, sources, strict=True)],
        sources=sources,
    )


async def get_programme(call: Call[GetProgramme]) -> ProgrammeDetail:
    """Return one programme whose code is known.

    Use it after list_programmes for the fee, length, admission requirements and its courses.
    """
    courses, locale = call.services.courses, call.context.locale
    programme = await courses.get_programme(call.args.code)
    if not programme.active:
        raise NotFound("programme.unknown", "There is no such programme.")
    parts = await courses.find_courses(programme.course_codes)
    source = programme_source(programme, locale, read_on=courses.today())
    return ProgrammeDetail(
        programme=_line(programme, source, locale),
        admission=programme.admission.of(locale),
        courses=[CourseRefOut(code=p.course.code, title=p.course.title.of(locale)) for p in parts],
        url=source.url,
        sources=[source],
    )


def _line(programme: Programme, source: SourceOut, locale: Locale) -> ProgrammeOut:
    return ProgrammeOut(
        code=programme.code,
        title=programme.title.of(locale),
        level=programme.level,
        summary=programme.summary.of(locale),
        duration_months=programme.duration_months,
        credits=programme.credits,
        fee=price_out(programme.fee, locale),
        ref=source.ref,
    )


LIST_PROGRAMMES = ToolSpec(
    name="list_programmes",
    version=1,
    description=description_of(list_programmes),
    input=ListProgrammes,
    output=ProgrammesFound,
    handler=list_programmes,
    examples=({}, {"area": "DAT"}),
)
GET_PROGRAMME = ToolSpec(
    name="get_programme",
    version=1,
    description=description_of(get_programme),
    input=GetProgramme,
    output=ProgrammeDetail,
    handler=get_programme,
    examples=({"code": "LIC-DAT"},),
)
