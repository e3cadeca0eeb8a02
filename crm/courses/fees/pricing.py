"""What a seat costs somebody today, with what is to be checked before it is promised."""

from dataclasses import dataclass

from crm.actor import Actor, Role
from crm.courses.fees import rules, store
from crm.courses.fees.applications import store as applications
from crm.courses.fees.expiry import expire_quotes
from crm.courses.fees.models import (
    Applicant,
    ApplicationId,
    DiscountTerms,
    FeePolicy,
    FundState,
    Quote,
    QuoteId,
    Seat,
)
from crm.courses.fees.terms import store as terms
from crm.courses.models import CohortId
from crm.db import UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.ids import PersonId, new_id
from crm.people.authority import check_active


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """Which seat for whom, and what shall reduce its price."""

    cohort_id: CohortId
    person_id: PersonId
    discount_code: str | None
    scholarship_code: str | None


async def price_seat(
    uow: UnitOfWork, wanted: WantedPrice, policy: FeePolicy, *, actor: Actor
) -> Quote:
    """Return a price that can be promised; nothing is written yet.

    Raises: as `acts.quote_fee`.
    """
    seat = await require_seat(uow, wanted.cohort_id)
    alumni = await _is_alumni(uow, wanted.person_id)
    rules.check_live(await store.count_live(uow.conn, wanted.person_id, at=uow.clock.now()))
    applicant = Applicant(alumni=alumni, staffed=actor.role in (Role.ADVISOR, Role.ADMIN))
    discount = await _discount(uow, wanted.discount_code, applicant, seat, policy)
    fund = await _fund(uow, wanted.scholarship_code)
    award = await _award(uow, fund, wanted.person_id)
    return _price(uow, seat, wanted.person_id, discount, fund, award, policy)


async def require_seat(uow: UnitOfWork, cohort_id: CohortId) -> Seat:
    """Return a seat's list price.

    Raises: NotFound("cohort.unknown"); RuleBroken("cohort.closed").
    """
    seat = await store.select_seat(uow.conn, cohort_id)
    if seat is None:
        raise NotFound("cohort.unknown", "There is no such cohort.")
    if seat.cancelled:
        raise RuleBroken("cohort.closed", "This cohort was cancelled.")
    return seat


async def _is_alumni(uow: UnitOfWork, person_id: PersonId) -> bool:
    standing = await store.select_standing(uow.conn, person_id)
    if standing is None:
        raise NotFound("person.unknown", "There is no such person.")
    status, alumni = standing
    check_active(status)
    return alumni


async def _discount(
    uow: UnitOfWork, code: str | None, applicant: Applicant, seat: Seat, policy: FeePolicy
) -> DiscountTerms | None:
    if code is None:
        return None
    discount = await terms.select_discount(uow.conn, code, lock=False)
    if discount is None:
        raise NotFound("discount.unknown", "There is no such discount.")
    if discount.usage_limit is not None:
        discount = await terms.select_discount(uow.conn, code, lock=True) or discount
        rules.check_usage(discount, await terms.count_uses(uow.conn, code))
    rules.check_discount(discount, applicant, seat, today=policy.day_of(uow.clock.now()))
    return discount


async def _fund(uow: UnitOfWork, code: str | None) -> FundState | None:
    """Return how a scholarship's fund stands, with nobody else drawing on it meanwhile."""
    if code is None:
        return None
    await terms.lock_scholarship(uow.conn, code)
    # What is overdue must not be in the way of the next one, even when the beat is late.
    await expire_quotes(uow, scholarship_code=code)
    fund = await terms.select_fund(uow.conn, code)
    if fund is None:
        raise NotFound("scholarship.unknown", "There is no such scholarship.")
    if not fund.terms.active:
        raise RuleBroken("scholarship.inactive", "This scholarship is no longer given.")
    return fund


async def _award(
    uow: UnitOfWork, fund: FundState | None, person_id: PersonId
) -> ApplicationId | None:
    if fund is None or fund.terms.automatic:
        return None
    award = await applications.lock_award(
        uow.conn, scholarship_code=fund.terms.code, person_id=person_id
    )
    if award is None:
        raise RuleBroken("scholarship.award", "This scholarship has not been awarded.")
    if await applications.is_in_use(uow.conn, award):
        raise RuleBroken("scholarship.in_use", "Another quote rests on this scholarship.")
    return award


def _price(
    uow: UnitOfWork,
    seat: Seat,
    person_id: PersonId,
    discount: DiscountTerms | None,
    fund: FundState | None,
    award: ApplicationId | None,
    policy: FeePolicy,
) -> Quote:
    now = uow.clock.now()
    reductions = rules.reduce_price(seat.price, discount, fund.terms if fund else None)
    if fund:
        rules.check_fund(fund, reductions[-1].amount)
    return Quote(
        id=QuoteId(new_id()),
        cohort_id=seat.cohort_id,
        person_id=person_id,
        list_price=seat.price,
        reductions=reductions,
        net=rules.net_of(seat.price, reductions),
        status="live",
        created_at=now,
        expires_at=now + policy.quote_life,
        application_id=award,
    )
