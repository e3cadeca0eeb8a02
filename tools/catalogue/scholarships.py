"""The tool about scholarships."""

from pydantic import BaseModel

from tools.arguments import ToolInput
from tools.catalogue.prices import PriceOut, price_out
from tools.catalogue.sources import scholarship_source
from tools.outputs import ToolOutput
from tools.spec import Call, ToolSpec, description_of


class ScholarshipOut(BaseModel):
    """A scholarship.

    Args:
        percent: of the fee that it covers.
        cap: the most that one grant covers.
    """

    code: str
    name: str
    description: str
    eligibility: str
    deadline: str
    percent: int
    cap: PriceOut
    ref: str


class ListScholarships(ToolInput):
    """Nothing to choose."""


class ScholarshipsFound(ToolOutput):
    """The scholarships there are."""

    scholarships: list[ScholarshipOut]


async def list_scholarships(call: Call[ListScholarships]) -> ScholarshipsFound:
    """List the scholarships: who may apply, how much they cover, the most they pay, until when.

    Whether a certain student gets one is decided by people; never promise it.
    """
    courses, locale = call.services.courses, call.context.locale
    found = await courses.list_scholarships()
    today = courses.today()
    sources = [scholarship_source(s, locale, read_on=today) for s in found]
    return ScholarshipsFound(
        scholarships=[
            ScholarshipOut(
                code=s.code,
                name=s.name.of(locale),
                description=s.description.of(locale),
                eligibility=s.eligibility.of(locale),
                deadline=s.deadline.of(locale),
                percent=s.percent,
                cap=price_out(s.cap, locale),
                ref=source.ref,
            )
            for s, source in zip(found, sources, strict=True)
        ],
        sources=sources,
    )


LIST_SCHOLARSHIPS = ToolSpec(
    name="list_scholarships",
    version=1,
    description=description_of(list_scholarships),
    input=ListScholarships,
    output=ScholarshipsFound,
    handler=list_scholarships,
    examples=({},),
)
