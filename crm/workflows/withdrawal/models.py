"""The withdrawal saga as a state machine, and how much money goes back: pure rules.

withdraw → cancel_invoice → refund → return_grant → record → tell; a refund that failed is tried
again.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from crm.courses.enrolments.models import Enrolment, EnrolmentId
from crm.courses.models import Cohort
from crm.errors import RuleBroken
from crm.money import Money
from crm.workflows.models import Become, Do, MoneyFacts, Move, Saga, Wait, give_back


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What an institution gives back to those who leave.

    Args:
        full_days: everything goes back until so many days before the start.
        partial_percent: goes back after that, until the day before the start; then nothing.
    """

    full_days: int = 7
    partial_percent: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class StartWithdrawal:
    """Who leaves what.

    Args:
        refund: an amount that staff decided, or what the policy says.
    """

    enrolment_id: EnrolmentId
    reason: str
    refund: Money | Literal["policy"] = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What leaving a course would do.

    Args:
        paid: what could go back at the most.
        refund: what goes back by the policy.
    """

    enrolment: Enrolment
    cohort: Cohort
    paid: Money
    refund: Money


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """What is so, read under the saga's lock."""

    money: MoneyFacts = field(default_factory=MoneyFacts)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What goes back to somebody who leaves.

    Args:
        share: of what was paid; of a scholarship as much goes back to its fund.
    """

    refund: Money
    share: Fraction


def share_by_policy(*, starts_on: date, today: date, policy: RefundPolicy) -> Fraction:
    """Return which share goes back of what was paid."""
    if today <= starts_on - timedelta(days=policy.full_days):
        return Fraction(1)
    return Fraction(policy.partial_percent, 100) if today < starts_on else Fraction(0)


def give_back_of(paid: Money, wanted: Money | Literal["policy"], share: Fraction) -> GivenBack:
    """Return what goes back of what was paid; parts of a minor unit stay with the institution.

    Args:
        share: what the policy says; it holds, too, where nothing was paid to reckon with.

    Raises: RuleBroken("refund.exceeds" | "money.currency").
    """
    if wanted == "policy":
        minor = paid.amount_minor * share.numerator // share.denominator
        return GivenBack(Money(minor, paid.currency), share)
    if (paid - wanted).amount_minor < 0 or wanted.amount_minor < 0:
        raise RuleBroken("refund.exceeds", "No more can be refunded than was paid.")
    if paid.amount_minor > 0:
        share = Fraction(wanted.amount_minor, paid.amount_minor)
    return GivenBack(wanted, share)


def next_step(saga: Saga, facts: WithdrawalFacts) -> Move:
    """Return what a withdrawal saga does next; the seat is given back when it starts."""
    done, money = saga.context, facts.money
    if money.invoice == "open":
        return Do("cancel_invoice")
    if "refunded" not in done:
        return Do("refund")
    if "quote_id" in done and "grant_settled" not in done:
        return Do("return_grant")
    if money.excess_minor > 0:
        return give_back(saga, money, "refund_excess")
    if "recorded" not in done:
        return Do("record")
    if "told" not in done:
        return Do("tell")
    if money.is_refunding or saga.is_over:
        return Wait()
    return Become("completed")
