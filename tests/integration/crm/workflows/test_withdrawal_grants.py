"""Whoever leaves gives a scholarship back to its fund, as far as their fee goes back to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.courses.fees.terms import store as terms
from crm.ids import new_id
from crm.money import Money
from crm.workflows.withdrawal.models import StartWithdrawal

if TYPE_CHECKING:
    from typing import Literal

    from crm.courses.models import Cohort
    from crm.workflows.models import Saga
    from tests.integration.crm.workflows.conftest import House

FUND = 1_000_000
TEXTS = ("name_es", "name_en", "description_es", "description_en")
MORE_TEXTS = ("eligibility_es", "eligibility_en", "deadline_es", "deadline_en")


async def scholarship(house: House, percent: int) -> str:
    """Add a scholarship that everybody has."""
    code = f"BEC-{new_id().hex[-10:].upper()}"
    row = {
        **{"code": code, "percent": percent, "cap_minor": 10**9, "currency": "USD"},
        **{"fund_minor": FUND, "automatic": True},
        **dict.fromkeys((*TEXTS, *MORE_TEXTS), "x"),
    }
    marks = ", ".join(["%s"] * len(row))
    columns = ", ".join(row)
    await house.execute(f"INSERT INTO scholarships ({columns}) VALUES ({marks})", *row.values())
    return code


async def enrolled(house: House, code: str, *, price: int = 30_001) -> tuple[Saga, Cohort]:
    """Enrol somebody whom a scholarship helps, paid in full."""
    cohort = await house.cohort(price=price)
    saga = await house.start(cohort, scholarship_code=code)
    await house.settle()
    if saga.context["net_minor"]:
        await house.pay(saga)
        await house.settle()
    saga = await house.is_whole(saga, cohort)
    assert saga.status == "completed"
    return saga, cohort


async def leave(house: House, saga: Saga, refund: Money | Literal["policy"] = "policy") -> Saga:
    """Let somebody leave, and everything follow."""
    assert saga.enrolment_id is not None
    command = StartWithdrawal(enrolment_id=saga.enrolment_id, reason="moves away", refund=refund)
    left = await house.workflows.start_withdrawal(command, actor=SERVICE_ACTOR)
    await house.settle()
    left = await house.saga(left)
    assert left.status == "completed", left
    return left


async def granted(house: House, code: str) -> int:
    """Return what of the fund is given away."""
    async with house.database.read() as conn:
        fund = await terms.select_fund(conn, code)
    assert fund is not None
    assert fund.reserved.amount_minor == 0
    assert fund.left.amount_minor == FUND - fund.granted.amount_minor >= 0
    return fund.granted.amount_minor


async def start_in(house: House, cohort: Cohort, days: int) -> None:
    """Let a cohort start so many days from now."""
    day = house.courses.today() + timedelta(days=days)
    await house.execute(
        "UPDATE cohorts SET enrolment_closes = %s, starts_on = %s, ends_on = %s WHERE id = %s",
        *(day, day, day + timedelta(days=60), cohort.id),
    )


@pytest.mark.parametrize(
    ("days", "kept"),
    [(8, 0), (3, 7_500), (-1, 15_001)],
    ids=["long before", "shortly before", "after the start"],
)
async def test_grant_goes_back_as_the_policy_refunds(house: House, days: int, kept: int) -> None:
    code = await scholarship(house, 50)
    saga, cohort = await enrolled(house, code)
    before = await granted(house, code)
    assert before in (15_000, 15_001)
    await start_in(house, cohort, days)
    left = await leave(house, saga)
    assert abs(await granted(house, code) - kept) <= 1
    assert (await house.steps(left))["return_grant"] == 1
    if days > 7:
        assert await granted(house, code) == 0
    if days < 0:
        assert await granted(house, code) == before


async def test_grant_goes_back_pro_rata_of_what_staff_refund(house: House) -> None:
    code = await scholarship(house, 50)
    saga, _ = await enrolled(house, code, price=30_000)
    await leave(house, saga, Money(5_000, "USD"))
    assert await granted(house, code) == 10_000


async def test_full_scholarship_goes_back_by_the_policy(house: House) -> None:
    code = await scholarship(house, 100)
    saga, cohort = await enrolled(house, code, price=30_000)
    assert (saga.invoice_id, await granted(house, code)) == (None, 30_000)
    await start_in(house, cohort, 3)
    await leave(house, saga)
    assert await granted(house, code) == 15_000


async def test_whoever_had_no_scholarship_leaves_as_before(house: House) -> None:
    cohort = await house.cohort()
    saga = await house.start(cohort)
    await house.settle()
    await house.pay(saga)
    await house.settle()
    left = await leave(house, await house.saga(saga))
    (payment,) = await house.payments_of(saga)
    assert payment.status == "refunded"
    assert (await house.steps(left))["return_grant"] == 1
