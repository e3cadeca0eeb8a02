"""A scholarship's fund is reserved, granted, given back, and never overdrawn."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from crm.actor import SERVICE_ACTOR
from crm.errors import RuleBroken

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from uuid import UUID

    from conftest import Bursary

    from crm.clock import FixedClock
    from crm.courses.fees.models import Quote, QuoteId
    from crm.ids import PersonId

T = TypeVar("T")


async def test_share_is_reserved_granted_and_given_back(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    code = await bursary.new_scholarship(50)
    await bursary.award(person, code)

    quote = await bursary.quote(person, cohort, scholarship_code=code)
    assert await bursary.fund(code) == (50_000, 0, 950_000)
    await bursary.fees.accept_quote(quote.id, actor=bursary.student(person))
    assert await bursary.fund(code) == (0, 50_000, 950_000)
    with pytest.raises(RuleBroken, match=r"scholarship\.award"):
        await bursary.quote(person, cohort, scholarship_code=code)
    await bursary.fees.cancel_quote(quote.id, actor=SERVICE_ACTOR)
    assert await bursary.fund(code) == (0, 0, 1_000_000)

    again = await bursary.quote(person, cohort, scholarship_code=code)
    with pytest.raises(RuleBroken, match=r"scholarship\.in_use"):
        await bursary.quote(person, await bursary.new_cohort(), scholarship_code=code)
    assert again.net.amount_minor == 50_000


async def test_part_of_a_grant_goes_back_once_and_its_award_stays_used(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort(33_333)
    code = await bursary.new_scholarship(50)
    await bursary.award(person, code)
    quote = await bursary.quote(person, cohort, scholarship_code=code)
    assert (await bursary.give_back(quote.id, Fraction(1, 3))).returned_minor == 0
    await bursary.fees.accept_quote(quote.id, actor=SERVICE_ACTOR)
    granted = quote.grant_minor
    for _ in range(2):
        back = await bursary.give_back(quote.id, Fraction(1, 3))
        assert (back.status, back.returned_minor) == ("accepted", round(granted / 3))
        left = granted - back.returned_minor
        assert await bursary.fund(code) == (0, left, 1_000_000 - left)
    with pytest.raises(RuleBroken, match=r"scholarship\.award"):
        await bursary.quote(person, cohort, scholarship_code=code)


async def test_scholarship_needs_an_award_unless_everybody_has_it(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    for columns, refusal in (
        ({}, "scholarship.award"),
        ({"automatic": True, "active": False}, "scholarship.inactive"),
        ({"automatic": True, "currency": "PEN"}, "money.currency"),
        ({"automatic": True, "fund_minor": 49_999}, "scholarship.fund"),
    ):
        code = await bursary.new_scholarship(50, **columns)
        with pytest.raises(RuleBroken) as refused:
            await bursary.quote(person, cohort, scholarship_code=code)
        assert refused.value.code == refusal
    code = await bursary.new_scholarship(50, automatic=True, fund_minor=50_000)
    assert (await bursary.quote(person, cohort, scholarship_code=code)).net.amount_minor == 50_000


async def test_scholarship_may_exclude_discounts(bursary: Bursary) -> None:
    person, cohort = await bursary.new_person(), await bursary.new_cohort()
    code = await bursary.new_scholarship(50, automatic=True, combines=False)
    discount = await bursary.new_discount()
    with pytest.raises(RuleBroken, match=r"quote\.combination"):
        await bursary.quote(person, cohort, scholarship_code=code, discount_code=discount)


async def test_overdue_quote_does_not_keep_the_next_from_the_fund(
    bursary: Bursary, clock: FixedClock
) -> None:
    cohort = await bursary.new_cohort()
    code = await bursary.new_scholarship(50, automatic=True, fund_minor=60_000)
    await bursary.quote(await bursary.new_person(), cohort, scholarship_code=code)
    clock.advance(timedelta(minutes=31))

    await bursary.quote(await bursary.new_person(), cohort, scholarship_code=code)

    assert await bursary.fund(code) == (50_000, 0, 10_000)


async def test_sixteen_at_once_never_overdraw_a_fund(bursary: Bursary) -> None:
    """Quoting, accepting, cancelling and expiring race for a fund that bears five shares."""
    cohort = await bursary.new_cohort(100_000)
    people = [await bursary.new_person() for _ in range(16)]
    dice = random.Random(5)
    for _ in range(12):
        code = await bursary.new_scholarship(30, automatic=True, fund_minor=150_000)

        async def one(number: int, code: str = code, luck: float = dice.random()) -> str:
            quote = await bursary.quote(people[number], cohort, scholarship_code=code)
            if (number + luck) % 4 < 1:
                await bursary.fees.cancel_quote(quote.id, actor=SERVICE_ACTOR)
                return "cancelled"
            accepted = await bursary.fees.accept_quote(quote.id, actor=SERVICE_ACTOR)
            return accepted.status

        outcomes = await asyncio.gather(
            *(one(n) for n in range(16)), bursary.fees.expire_due(), return_exceptions=True
        )

        broken = [o for o in outcomes if isinstance(o, BaseException)]
        assert {o.code for o in broken if isinstance(o, RuleBroken)} <= {"scholarship.fund"}
        assert all(isinstance(o, RuleBroken) for o in broken)
        granted = 30_000 * outcomes.count("accepted")
        assert await bursary.fund(code) == (0, granted, 150_000 - granted)
        assert granted <= 150_000


class Fund(RuleBasedStateMachine):
    """One fund and everything that draws on it; the sums are kept apart and compared.

    The machine runs in a thread of its own, the database's work in the tests' loop.
    """

    bursary: Bursary
    clock: FixedClock
    loop: asyncio.AbstractEventLoop
    cohorts: list[UUID]
    person: PersonId

    def __init__(self) -> None:
        super().__init__()
        self.quotes: dict[QuoteId, Quote] = {}

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    @initialize(fund=st.integers(0, 150_000), percent=st.integers(1, 100))
    def make(self, fund: int, percent: int) -> None:
        self.person = self.call(self.bursary.new_person())
        made = self.bursary.new_scholarship(percent, cap=60_000, automatic=True, fund_minor=fund)
        self.fund, self.code = fund, self.call(made)

    @rule(number=st.integers(0, 2))
    def quote(self, number: int) -> None:
        cohort = self.cohorts[number]
        try:
            made = self.call(self.bursary.quote(self.person, cohort, scholarship_code=self.code))
        except RuleBroken as refused:
            if refused.code not in ("scholarship.fund", "quote.too_many"):
                raise
            return
        self.lapse()
        self.quotes[made.id] = made

    @rule(data=st.data(), verb=st.sampled_from(["accept", "cancel"]))
    def decide(self, data: st.DataObject, verb: str) -> None:
        if not self.quotes:
            return
        quote_id = data.draw(st.sampled_from(list(self.quotes)))
        act = getattr(self.bursary.fees, f"{verb}_quote")
        try:
            self.quotes[quote_id] = self.call(act(quote_id, actor=SERVICE_ACTOR))
        except RuleBroken as refused:
            if refused.code not in ("quote.expired", "quote.cancelled"):
                raise

    @rule(data=st.data(), share=st.fractions(0, 1, max_denominator=100))
    def give_back(self, data: st.DataObject, share: Fraction) -> None:
        if not self.quotes:
            return
        quote_id = data.draw(st.sampled_from(list(self.quotes)))
        self.quotes[quote_id] = self.call(self.bursary.give_back(quote_id, share))

    @rule(minutes=st.integers(1, 40))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def beat(self) -> None:
        self.call(self.bursary.fees.expire_due())
        self.lapse()

    def lapse(self) -> None:
        for quote in self.quotes.values():
            if quote.status == "live" and quote.expires_at <= self.clock.now():
                self.quotes[quote.id] = replace(quote, status="expired")

    @invariant()
    def adds_up(self) -> None:
        reserved, granted, left = self.call(self.bursary.fund(self.code))
        assert left >= 0
        assert reserved + granted + left == self.fund
        assert (reserved, granted) == (self.share("live"), self.share("accepted"))

    def share(self, status: str) -> int:
        standing = [q for q in self.quotes.values() if q.status == status]
        return sum(q.reductions[0].amount.amount_minor - q.returned_minor for q in standing)


async def test_fund_never_goes_below_zero_whatever_happens(
    bursary: Bursary, clock: FixedClock
) -> None:
    Fund.bursary, Fund.clock, Fund.loop = bursary, clock, asyncio.get_running_loop()
    Fund.cohorts = [await bursary.new_cohort(minor) for minor in (999, 50_000, 123_456)]
    case = Fund.TestCase
    case.settings = settings(
        max_examples=25,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(case("runTest").runTest)
