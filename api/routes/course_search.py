"""Looking around in the catalogue over HTTP: search with facets, and completion while typing."""

from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field

from api.bodies import MoneyOut, Out
from api.bootstrap import Services
from api.chat_session import SessionDep
from api.dependencies import PageDep, ServicesDep
from api.moments import Day
from api.routes.courses import CatalogueReader, CohortOut, CourseOut, CourseRefOut
from api.routing import Chapter
from crm.courses.models import CourseLevel, Locale, Modality
from crm.courses.offers.models import OfferFilters, OfferSort
from tools.catalogue.course_finding import OffersFound

router = Chapter(tags=["courses"])

_MAX_TEXT = 300
_Typed = Annotated[str, Query(max_length=100, description="What has been typed so far")]
_Few = Annotated[int, Query(ge=1, le=20, description="How many at most")]


class OfferOut(Out):
    """A course with the group to enrol in next, and what that costs."""

    course: CourseOut
    cohort: CohortOut | None
    price: MoneyOut
    cohorts: Annotated[int, Field(description="How many groups to come fit")]


class FacetOut(Out):
    """How many courses of the result have a value."""

    value: str
    count: int


class PriceBandOut(Out):
    """How many courses of the result cost so much."""

    from_minor: int
    below_minor: int | None
    currency: str
    count: int


class FacetsOut(Out):
    """Counts over the whole result."""

    area: list[FacetOut]
    level: list[FacetOut]
    language: list[FacetOut]
    modality: list[FacetOut]
    start_month: list[FacetOut]
    seats: Annotated[list[FacetOut], Field(description="`free`, `full`, `none` (nothing to come)")]
    price: list[PriceBandOut]


class OfferPageOut(BaseModel):
    """A page of what was found."""

    items: list[OfferOut]
    total: int
    facets: FacetsOut
    confidence: Annotated[
        float, Field(description="The chance that the first is meant; below 0.5 say so")
    ]
    next_cursor: str | None

    @classmethod
    def of(cls, found: OffersFound) -> Self:
        """Return what was found for the wire."""
        return cls(
            items=[OfferOut.model_validate(item) for item in found.page.items],
            total=found.page.total,
            facets=FacetsOut.model_validate(found.page.facets),
            confidence=found.confidence,
            next_cursor=found.page.next_cursor,
        )


class OfferQuery(BaseModel):
    """What is looked for."""

    q: Annotated[str, Field(max_length=_MAX_TEXT, description="Empty: browse")] = ""
    area: Annotated[str | None, Field(max_length=40)] = None
    level: CourseLevel | None = None
    modality: Modality | None = None
    language: Annotated[Locale | None, Field(description="The language it is taught in")] = None
    price_max: Annotated[int | None, Field(ge=0, le=10**12, description="Minor units")] = None
    currency: Annotated[
        str | None,
        Field(pattern="^[A-Z]{3}$", description="Of `price_max`; else that of most courses"),
    ] = None
    start_from: Day | None = None
    start_to: Day | None = None
    with_seats: bool | None = None
    locale: Annotated[Locale | None, Field(description="The reader's language")] = None
    sort: OfferSort = "relevance"

    def to_filters(self) -> OfferFilters:
        """Return the filters as the domain has them."""
        return OfferFilters(
            area=self.area,
            level=self.level,
            language=self.language,
            modality=self.modality,
            price_max=self.price_max,
            currency=self.currency,
            start_from=self.start_from,
            start_to=self.start_to,
            with_seats=self.with_seats,
        )


class SuggestionsOut(BaseModel):
    """Courses that may be meant, the likeliest first."""

    items: list[CourseRefOut]


@router.get("/v1/courses/search", summary="Search courses")
async def search_courses(
    staff: CatalogueReader,
    services: ServicesDep,
    page: PageDep,
    asked: Annotated[OfferQuery, Query()],
) -> OfferPageOut:
    """Search the active courses by words, meaning and nearly right names, with counts.

    A course fits modality, start and seats by a group that is open and to come; `price_max` is
    about what enrolling in that group costs; prices in other currencies do not fit.
    """
    found = await services.finder.find(
        asked.q,
        asked.to_filters(),
        locale=asked.locale,
        sort=asked.sort,
        cursor=page.cursor,
        limit=page.limit,
    )
    return OfferPageOut.of(found)


@router.get("/v1/courses/suggest", summary="Complete a course's name")
async def suggest_courses(
    staff: CatalogueReader, services: ServicesDep, q: _Typed = "", limit: _Few = 8
) -> SuggestionsOut:
    """Return courses whose titles, in either language, may be meant by what was typed so far."""
    return await _suggested(services, q, limit)


@router.get("/v1/chat/courses", summary="Complete a course's name, in the widget")
async def suggest_in_chat(
    session: SessionDep, services: ServicesDep, q: _Typed = "", limit: _Few = 8
) -> SuggestionsOut:
    """Return courses that whoever chats may mean; the public catalogue, nothing else."""
    return await _suggested(services, q, limit)


async def _suggested(services: Services, typed: str, limit: int) -> SuggestionsOut:
    refs = await services.offers.suggest(typed, limit=limit)
    return SuggestionsOut(items=[CourseRefOut.model_validate(ref) for ref in refs])
