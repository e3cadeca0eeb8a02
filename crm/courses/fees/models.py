"""What a fee is made of: quotes, reductions, and the terms of discounts and scholarships."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NewType
from uuid import UUID

from crm.clock import day_in
from crm.courses.models import CohortId
from crm.ids import PersonId
from crm.money import Money

QuoteId = NewType("QuoteId", UUID)
ApplicationId = NewType("ApplicationId", UUID)

QuoteStatus = Literal["live", "accepted", "cancelled", "expired"]
ReductionKind = Literal["discount", "scholarship"]
DiscountRule = Literal["open", "alumni", "early", "staff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """What the institution has settled about quotes.

    Args:
        quote_life: how long a price stays frozen.
        time_zone: decides which day it is when a discount starts or ends.
    """

    quote_life: timedelta = timedelta(minutes=30)
    time_zone: str = "UTC"

    def day_of(self, moment: datetime) -> date:
        """Return the day it is at the institution."""
        return day_in(self.time_zone, moment)


@dataclass(frozen=True, slots=True)
class Reduction:
    """A part of the list price that need not be paid."""

    kind: ReductionKind
    code: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price for a person's seat in a cohort, frozen until it expires.

    Args:
        reductions: in the order they were applied; together with `net` they give `list_price`.
        application_id: the award that the scholarship rests on; None for an automatic one.
        returned_minor: of the scholarship's share, what went back to its fund since.
    """

    id: QuoteId
    cohort_id: CohortId
    person_id: PersonId
    list_price: Money
    reductions: tuple[Reduction, ...]
    net: Money
    status: QuoteStatus
    created_at: datetime
    expires_at: datetime
    application_id: ApplicationId | None = None
    returned_minor: int = 0

    @property
    def returned(self) -> Money:
        """Return what went back of the scholarship's share."""
        return Money(self.returned_minor, self.net.currency)

    @property
    def grant_minor(self) -> int:
        """Return the scholarship's share."""
        return sum(r.amount.amount_minor for r in self.reductions if r.kind == "scholarship")

    def code_of(self, kind: ReductionKind) -> str | None:
        """Return the code of the reduction of this kind."""
        return next((r.code for r in self.reductions if r.kind == kind), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountTerms:
    """When a discount applies, and to how much.

    Args:
        rule: `open` to all; `alumni` have completed a course; `early` enrol well before the start;
            `staff` give it by hand.
        usage_limit: quotes, live or accepted, that may carry it.
    """

    code: str
    percent: int
    cap: Money
    active: bool = True
    valid_from: date | None = None
    valid_until: date | None = None
    usage_limit: int | None = None
    rule: DiscountRule = "open"


@dataclass(frozen=True, slots=True)
class DiscountState:
    """A discount and how many quotes that stand carry it."""

    terms: DiscountTerms
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScholarshipTerms:
    """Whom a scholarship covers, and how much of a fee.

    Args:
        automatic: needs no award.
        combines: a discount may come on top.
    """

    code: str
    percent: int
    cap: Money
    fund: Money
    active: bool = True
    automatic: bool = False
    combines: bool = True


@dataclass(frozen=True, slots=True)
class FundState:
    """How a scholarship's fund stands.

    Args:
        reserved: by live quotes.
        granted: by accepted ones, less what went back.
    """

    terms: ScholarshipTerms
    reserved: Money
    granted: Money

    @property
    def left(self) -> Money:
        """Return what nobody has been promised."""
        return self.terms.fund - self.reserved - self.granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What a quote must know of a cohort."""

    cohort_id: CohortId
    price: Money
    starts_on: date
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """What a discount's rule asks of whoever wants it.

    Args:
        alumni: has completed a course.
        staffed: a member of staff asks on the person's behalf.
    """

    alumni: bool
    staffed: bool
