"""Courses as whoever looks around sees them: filters, order, counts of what tells them apart."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from crm.courses.models import Cohort, Course, CourseLevel, Locale, Modality
from crm.money import Money

OfferSort = Literal["relevance", "start", "price"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFilters:
    """What is looked for; None leaves a filter open.

    Args:
        codes: only these, in this order of relevance.
        price_max: minor units, of what enrolling now costs.
        currency: of `price_max`, ISO 4217; None for the one that most courses are priced in.
        with_seats: True for courses with a free seat, False for those without.
    """

    codes: tuple[str, ...] | None = None
    area: str | None = None
    level: CourseLevel | None = None
    language: Locale | None = None
    modality: Modality | None = None
    price_max: int | None = None
    currency: str | None = None
    start_from: date | None = None
    start_to: date | None = None
    with_seats: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A course with the group to enrol in next.

    Args:
        cohort: the soonest that fits the filters, one with a seat before a full one; None where
            nothing to come fits.
        price: of that group, or the list price.
        cohorts: how many groups to come fit.
    """

    course: Course
    cohort: Cohort | None
    price: Money
    cohorts: int


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many courses of the result have a value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class PriceBand:
    """How many courses of the result cost so much; no upper bound in the last band."""

    from_minor: int
    below_minor: int | None
    currency: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """Counts over the whole result, not over a page of it.

    Args:
        start_month: `2027-03`; by the groups that fit, so that a course counts in several.
        seats: `free`, `full` or `none` where no group is to come.
    """

    area: tuple[FacetCount, ...]
    level: tuple[FacetCount, ...]
    language: tuple[FacetCount, ...]
    modality: tuple[FacetCount, ...]
    start_month: tuple[FacetCount, ...]
    seats: tuple[FacetCount, ...]
    price: tuple[PriceBand, ...]


@dataclass(frozen=True, slots=True)
class OfferPage:
    """A page of offers, what the whole result looks like, and the cursor of the next page."""

    items: tuple[Offer, ...]
    total: int
    facets: Facets
    next_cursor: str | None
