"""Finds courses for people who look around: what a text means, then what is offered of it."""

from dataclasses import dataclass, replace

from crm.courses.models import Locale
from crm.courses.offers.models import OfferFilters, OfferPage, OfferSort
from crm.courses.offers.service import OfferService
from crm.courses.service import CourseService
from tools.catalogue.matching import named_codes, named_confidence, rank_courses
from tools.services import KnowledgeIndex

#: So many courses a text can mean; their facets are those of the result.
_MOST = 100


@dataclass(frozen=True, slots=True)
class OffersFound:
    """A page of offers, and the chance that the first of all is meant; 1 without a text."""

    page: OfferPage
    confidence: float


@dataclass(frozen=True, slots=True)
class CourseFinder:
    """Joins the text search with what the catalogue knows of prices, dates and seats."""

    courses: CourseService
    offers: OfferService
    knowledge: KnowledgeIndex

    async def find(
        self,
        query: str,
        filters: OfferFilters,
        *,
        locale: Locale | None,
        sort: OfferSort = "relevance",
        cursor: str | None = None,
        limit: int = 20,
    ) -> OffersFound:
        """Return what fits a text and filters; without a text the whole catalogue is browsed.

        Args:
            locale: the reader's; None if nobody knows.
        Raises: RuleBroken("page.cursor").
        """
        if not query.strip():
            page = await self.offers.search(filters, sort=sort, cursor=cursor, limit=limit)
            return OffersFound(page, 1.0)
        codes, confidence = await self._mean(query, filters, locale)
        meant = replace(filters, codes=codes)
        page = await self.offers.search(meant, sort=sort, cursor=cursor, limit=limit)
        if not page.items:
            return OffersFound(page, 0.0)
        if sort == "relevance" and cursor is None:
            confidence = max(confidence, named_confidence(query, page.items[0].course))
        return OffersFound(page, round(confidence, 3))

    async def _mean(
        self, query: str, filters: OfferFilters, locale: Locale | None
    ) -> tuple[tuple[str, ...], float]:
        """Return the codes a text means; among those that fit, so that none is crowded out."""
        if named := [c.course.code for c in await self.courses.find_courses(named_codes(query))]:
            return tuple(named), 1.0
        # `codes` is not set yet: any value is a filter.
        among = await self.offers.fitting_codes(filters) if filters != OfferFilters() else None
        if among is not None and not among:
            return (), 0.0
        ranking = await rank_courses(
            self.courses, self.knowledge, query, locale=locale, limit=_MOST, among=among
        )
        return tuple(ranking.codes), ranking.confidence
