"""Reductions of a fee, on any price, percentage and cap."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.courses.fees import rules
from crm.courses.fees.models import (
    Applicant,
    DiscountTerms,
    FeePolicy,
    FundState,
    ScholarshipTerms,
    Seat,
)
from crm.courses.models import CohortId
from crm.errors import RuleBroken
from crm.money import Money

TODAY = date(2026, 11, 24)
ANYBODY = Applicant(alumni=False, staffed=False)
CURRENCIES = st.sampled_from(["USD", "PYG", "KWD"])
AMOUNTS = st.integers(0, 10**12)
PERCENTS = st.integers(1, 100)


def _seat(days: int = 14) -> Seat:
    starts_on = TODAY + timedelta(days=days)
    return Seat(
        cohort_id=CohortId(UUID(int=1)),
        price=Money(10_000, "USD"),
        starts_on=starts_on,
        cancelled=False,
    )


@given(
    price=AMOUNTS,
    currency=CURRENCIES,
    discount=st.none() | st.tuples(PERCENTS, AMOUNTS),
    scholarship=st.none() | st.tuples(PERCENTS, AMOUNTS),
)
def test_reductions_are_whole_capped_and_leave_nothing_negative(
    price: int,
    currency: str,
    discount: tuple[int, int] | None,
    scholarship: tuple[int, int] | None,
) -> None:
    terms = [discount, scholarship]
    one = discount and DiscountTerms(
        code="D", percent=discount[0], cap=Money(discount[1], currency)
    )
    two = scholarship and ScholarshipTerms(
        code="S", percent=scholarship[0], cap=Money(scholarship[1], currency), fund=Money(0, "USD")
    )
    reductions = rules.reduce_price(Money(price, currency), one, two)
    net = rules.net_of(Money(price, currency), reductions)

    assert [r.kind for r in reductions] == [
        kind for kind, given in zip(("discount", "scholarship"), terms, strict=True) if given
    ]
    left = price
    for reduction, (percent, cap) in zip(reductions, filter(None, terms), strict=True):
        off = reduction.amount.amount_minor
        assert type(off) is int
        assert off == min(cap, left * percent // 100)
        left -= off
    assert net == Money(left, currency)
    assert left >= 0


def test_currencies_must_match() -> None:
    terms = DiscountTerms(code="D", percent=10, cap=Money(100, "PEN"))
    with pytest.raises(RuleBroken, match=r"money\.currency"):
        rules.reduce_price(Money(100, "USD"), terms, None)
    fund = FundState(
        ScholarshipTerms(code="S", percent=10, cap=Money(9, "USD"), fund=Money(9, "USD")),
        Money(0, "USD"),
        Money(0, "USD"),
    )
    with pytest.raises(RuleBroken, match=r"money\.currency"):
        rules.check_fund(fund, Money(1, "PEN"))


@given(fund=AMOUNTS, reserved=AMOUNTS, granted=AMOUNTS, share=AMOUNTS)
def test_fund_bears_exactly_what_is_left(
    fund: int, reserved: int, granted: int, share: int
) -> None:
    terms = ScholarshipTerms(code="S", percent=10, cap=Money(9, "USD"), fund=Money(fund, "USD"))
    state = FundState(terms, Money(reserved, "USD"), Money(granted, "USD"))
    if reserved + granted + share <= fund:
        rules.check_fund(state, Money(share, "USD"))
    else:
        with pytest.raises(RuleBroken, match=r"scholarship\.fund"):
            rules.check_fund(state, Money(share, "USD"))


@pytest.mark.parametrize(("days", "allowed"), [(15, True), (14, False)])
def test_early_discount_needs_15_days_before_the_start(days: int, allowed: bool) -> None:
    terms = DiscountTerms(code="D", percent=10, cap=Money(9, "USD"), rule="early")
    if allowed:
        rules.check_discount(terms, ANYBODY, _seat(days), today=TODAY)
    else:
        with pytest.raises(RuleBroken, match=r"discount\.early"):
            rules.check_discount(terms, ANYBODY, _seat(days), today=TODAY)


def test_discount_is_valid_on_its_first_and_its_last_day() -> None:
    terms = DiscountTerms(
        code="D", percent=10, cap=Money(9, "USD"), valid_from=TODAY, valid_until=TODAY
    )
    rules.check_discount(terms, ANYBODY, _seat(), today=TODAY)
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        with pytest.raises(RuleBroken, match=r"discount\.inactive"):
            rules.check_discount(terms, ANYBODY, _seat(), today=day)


def test_day_is_the_institutions() -> None:
    policy = FeePolicy(time_zone="America/Lima")
    assert policy.day_of(datetime(2026, 11, 24, 3, tzinfo=UTC)) == date(2026, 11, 23)


@given(st.integers(0, 10**12), st.fractions(0, 1))
@settings(derandomize=True, max_examples=300)
def test_returned_grant_is_the_share_to_half_a_minor_unit(grant: int, share: Fraction) -> None:
    returned = rules.returned_of(grant, share)
    assert 0 <= returned <= grant
    assert abs(returned - grant * share) <= Fraction(1, 2)
    assert rules.returned_of(grant, Fraction(0)) == 0
    assert rules.returned_of(grant, Fraction(1)) == grant
