"""What goes back to those who leave, and in what order they are seen off."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import RuleBroken
from crm.money import Money
from crm.workflows.models import Become, Do, MoneyFacts, Park, Wait
from crm.workflows.withdrawal.models import (
    GivenBack,
    RefundPolicy,
    WithdrawalFacts,
    give_back_of,
    next_step,
    share_by_policy,
)
from tests.unit.crm.workflows.test_enrolment_machine import saga

START = date(2026, 12, 8)


@pytest.mark.parametrize(
    ("days_before", "refund"),
    [(30, 101), (7, 101), (6, 50), (1, 50), (0, 0), (-5, 0)],
)
def test_policy_gives_all_then_half_then_nothing(days_before: int, refund: int) -> None:
    today = START - timedelta(days=days_before)
    share = share_by_policy(starts_on=START, today=today, policy=RefundPolicy())
    given_back = give_back_of(Money(101, "PEN"), "policy", share)
    assert given_back == GivenBack(Money(refund, "PEN"), share)


@given(st.integers(0, 10**9), st.integers(-40, 40), st.integers(0, 30), st.integers(0, 100))
@settings(derandomize=True, max_examples=200)
def test_never_more_goes_back_than_was_paid(paid: int, days: int, full: int, percent: int) -> None:
    share = share_by_policy(
        starts_on=START,
        today=START - timedelta(days=days),
        policy=RefundPolicy(full, percent),
    )
    given_back = give_back_of(Money(paid, "PEN"), "policy", share)
    assert 0 <= given_back.refund.amount_minor <= paid
    assert 0 <= given_back.share <= 1


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.fractions(0, 1))
@settings(derandomize=True, max_examples=200)
def test_amount_that_staff_decide_is_a_share_of_what_was_paid(
    paid: int, wanted: int, policy: Fraction
) -> None:
    if wanted > paid:
        with pytest.raises(RuleBroken, match=r"refund\.exceeds"):
            give_back_of(Money(paid, "PEN"), Money(wanted, "PEN"), policy)
        return
    given_back = give_back_of(Money(paid, "PEN"), Money(wanted, "PEN"), policy)
    assert given_back.refund.amount_minor == wanted
    assert given_back.share == (Fraction(wanted, paid) if paid else policy)


def test_leaving_goes_step_by_step() -> None:
    paid = WithdrawalFacts(MoneyFacts("open", is_covered=True, refundable_minor=100))
    rest = WithdrawalFacts(MoneyFacts("cancelled"))
    done: dict[str, str | int] = {}
    assert next_step(saga(kind="withdrawal"), paid) == Do("cancel_invoice")
    for step, note in (("refund", "refunded"), ("record", "recorded"), ("tell", "told")):
        assert next_step(saga(kind="withdrawal", context=dict(done)), rest) == Do(step)
        done[note] = "yes"
    refunding = WithdrawalFacts(MoneyFacts("cancelled", is_refunding=True))
    assert next_step(saga(context=done), refunding) == Wait()
    assert next_step(saga(context=done), rest) == Become("completed")
    assert next_step(saga(context=done, status="completed"), rest) == Wait()


def test_grant_goes_back_once_where_there_was_a_price() -> None:
    done: dict[str, str | int] = {"refunded": "yes", "quote_id": "q", "share": "1/2"}
    rest = WithdrawalFacts(MoneyFacts("cancelled"))
    assert next_step(saga(kind="withdrawal", context=dict(done)), rest) == Do("return_grant")
    done["grant_settled"] = "yes"
    assert next_step(saga(kind="withdrawal", context=dict(done)), rest) == Do("record")


def test_refund_that_failed_is_tried_again_and_then_waits_for_somebody() -> None:
    done: dict[str, str | int] = {"refunded": "yes"}
    failed = MoneyFacts("cancelled", refundable_minor=100, excess_minor=50, failed_refunds=1)
    assert next_step(saga(context=done), WithdrawalFacts(failed)) == Do("refund_excess")
    hopeless = MoneyFacts("cancelled", refundable_minor=100, excess_minor=50, failed_refunds=3)
    assert next_step(saga(context=done), WithdrawalFacts(hopeless)) == Park("refund.failed")
