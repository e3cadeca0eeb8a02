"""A price and a seat taken in one transaction, by many at once: neither is ever given twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from crm.actor import SERVICE_ACTOR
from crm.courses.fees import acts as fees
from crm.courses.fees.models import QuoteId
from crm.courses.models import CohortId
from crm.courses.seats import acts as seats
from crm.errors import OrientaError
from crm.ids import new_id

if TYPE_CHECKING:
    from conftest import Bursary

    from crm.ids import PersonId

SEATS = 5
SHARE = 30_000


async def _reserve(bursary: Bursary, cohort: CohortId, person: PersonId, code: str) -> QuoteId:
    effect = f"saga:{new_id()}"
    async with bursary.database.transaction() as uow:
        quote = await fees.quote_fee(
            uow,
            cohort_id=cohort,
            person_id=person,
            discount_code=None,
            scholarship_code=code,
            effect_key=effect,
            actor=SERVICE_ACTOR,
        )
        hold = await seats.hold_seat(
            uow,
            cohort_id=cohort,
            person_id=person,
            life=timedelta(minutes=15),
            effect_key=effect,
            actor=SERVICE_ACTOR,
        )
        await fees.accept_quote(uow, quote.id, actor=SERVICE_ACTOR)
    if person.int % 3 == 0:
        async with bursary.database.transaction() as uow:
            await fees.cancel_quote(uow, quote.id, actor=SERVICE_ACTOR)
            await seats.release_hold(uow, hold.id, reason="compensation", actor=SERVICE_ACTOR)
    return quote.id


async def test_sixteen_at_once_share_five_seats_and_four_grants(bursary: Bursary) -> None:
    for _ in range(6):
        people = [await bursary.new_person() for _ in range(16)]
        cohort = await bursary.catalogue.open_cohort(seats=SEATS)
        await bursary.execute("UPDATE cohorts SET price_minor = 100000 WHERE id = %s", cohort.id)
        code = await bursary.new_scholarship(30, automatic=True, fund_minor=4 * SHARE)

        outcomes = await asyncio.gather(
            *(_reserve(bursary, cohort.id, person, code) for person in people),
            return_exceptions=True,
        )

        broken = [o for o in outcomes if isinstance(o, BaseException)]
        assert all(isinstance(o, OrientaError) for o in broken), broken
        codes = {o.code for o in broken if isinstance(o, OrientaError)}
        assert codes <= {"scholarship.fund", "cohort.full", "cohort.waitlist"}
        reserved, granted, left = await bursary.fund(code)
        held = await bursary.count(
            "SELECT count(*) FROM seat_holds WHERE cohort_id = %s AND status = 'live'", cohort.id
        )
        assert reserved == 0
        assert granted + left == 4 * SHARE
        assert granted == held * SHARE
        assert held <= 4
