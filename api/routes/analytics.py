"""The institution's numbers over HTTP, for staff."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from api.auth import staff_in
from api.bodies import MoneyOut, Out
from api.dependencies import PageDep, ServicesDep
from api.moments import Day
from api.routing import Chapter
from crm.actor import Actor
from crm.analytics.models import Age, Band, ResponseKind
from crm.errors import RuleBroken
from crm.identity.permissions import Area

router = Chapter(prefix="/v1/analytics", tags=["analytics"])

AnalyticsReader = Annotated[Actor, Depends(staff_in(Area.ANALYTICS))]
_LONGEST = timedelta(days=3 * 366)


class FunnelStepOut(Out):
    """A stage of one source, programme and term; `reached` counts who came this far or further."""

    source: str
    programme_code: str
    term: str
    stage: str
    reached: int
    standing: int


class FunnelOut(Out):
    """How far leads came."""

    items: list[FunnelStepOut]
    refreshed_at: datetime | None


class ResponseTimesOut(Out):
    """How long people waited for the answers of a day; leads' in business hours."""

    day: date
    kind: ResponseKind
    answered: int
    late: int
    median_s: int
    p90_s: int


class ResponsesOut(Out):
    """How long people waited, the latest day first."""

    items: list[ResponseTimesOut]
    refreshed_at: datetime | None


class RevenueMonthOut(Out):
    """What a month brought by the ledger; invoices less credits, payments and what went back."""

    month: date
    invoiced: MoneyOut
    taken: MoneyOut
    returned: MoneyOut


class RevenueOut(Out):
    """What months brought, the latest first."""

    items: list[RevenueMonthOut]
    refreshed_at: datetime | None


class ReceivableOut(Out):
    """What is owed, by how many days it has been due."""

    age: Age
    invoices: int
    amount: MoneyOut


class ReceivablesOut(Out):
    """What is owed."""

    items: list[ReceivableOut]
    refreshed_at: datetime | None


class CohortFillOut(Out):
    """How full a cohort is; seats that staff keep back do not count."""

    cohort_id: UUID
    cohort_code: str
    course_code: str
    starts_on: date
    seats: int
    enrolled: int
    held: int
    waiting: int


class CohortFillPage(Out):
    """A page of cohorts, the latest start first."""

    items: list[CohortFillOut]
    next_cursor: str | None


class BandOut(Out):
    """What became of the leads of a band of scores."""

    band: Band
    leads: int
    enrolled: int
    lost: int


class ScoresOut(Out):
    """What became of leads, by band of score."""

    items: list[BandOut]
    refreshed_at: datetime | None


async def period(
    services: ServicesDep,
    since: Annotated[Day | None, Query(description="First day; 90 days back if not given")] = None,
    until: Annotated[Day | None, Query(description="Last day; today if not given")] = None,
) -> tuple[date, date]:
    """Return which days are asked for.

    Raises: RuleBroken("analytics.period"): none, or more than three years.
    """
    last = until or services.courses.today()
    first = since or last - timedelta(days=90)
    if not first <= last <= first + _LONGEST:
        raise RuleBroken("analytics.period", "Ask for one day to three years.")
    return first, last


PeriodDep = Annotated[tuple[date, date], Depends(period)]
_Word = Annotated[str | None, Query(max_length=40)]


@router.get("/funnel", summary="How far leads came")
async def funnel(
    staff: AnalyticsReader,
    services: ServicesDep,
    source: _Word = None,
    programme: _Word = None,
    term: _Word = None,
) -> FunnelOut:
    """Return the funnel by source, programme and term."""
    return FunnelOut.model_validate(
        await services.analytics.funnel(
            source=source, programme_code=programme, term=term, actor=staff
        )
    )


@router.get("/responses", summary="How long people waited")
async def responses(staff: AnalyticsReader, services: ServicesDep, days: PeriodDep) -> ResponsesOut:
    """Return response times day by day: agents, hand-offs, new leads."""
    found = await services.analytics.responses(since=days[0], until=days[1], actor=staff)
    return ResponsesOut.model_validate(found)


@router.get("/revenue", summary="What months brought")
async def revenue(staff: AnalyticsReader, services: ServicesDep, days: PeriodDep) -> RevenueOut:
    """Return what was invoiced, taken and returned, by month and currency."""
    found = await services.analytics.revenue(
        since=days[0].replace(day=1), until=days[1], actor=staff
    )
    return RevenueOut.model_validate(found)


@router.get("/receivables", summary="What is owed")
async def receivables(staff: AnalyticsReader, services: ServicesDep) -> ReceivablesOut:
    """Return what is owed, by currency and by how long it has been due."""
    return ReceivablesOut.model_validate(await services.analytics.receivables(actor=staff))


@router.get("/cohorts", summary="How full cohorts are")
async def cohorts(staff: AnalyticsReader, services: ServicesDep, page: PageDep) -> CohortFillPage:
    """Return cohorts with their seats, the latest start first."""
    return CohortFillPage.model_validate(
        await services.analytics.cohorts(cursor=page.cursor, limit=page.limit, actor=staff)
    )


@router.get("/scores", summary="What became of leads by their score")
async def scores(staff: AnalyticsReader, services: ServicesDep) -> ScoresOut:
    """Return conversion by band of score."""
    return ScoresOut.model_validate(await services.analytics.scores(actor=staff))
