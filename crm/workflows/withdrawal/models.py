"""The withdrawal saga as a state machine, and how much money goes back: pure rules.

withdraw → cancel_invoice → refund → record → tell, and again for a refund that failed.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from crm.courses.enrolments.models import EnrolmentId
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


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """What is so, read under the saga's lock."""

    money: MoneyFacts = field(default_factory=MoneyFacts)


def refund_by_policy(paid: Money, *, starts_on: date, today: date, policy: RefundPolicy) -> Money:
    """Return what goes back of what was paid; parts of a minor unit stay with the institution."""
    if today <= starts_on - timedelta(days=policy.full_days):
        return paid
    percent = policy.partial_percent if today < starts_on else 0
    return Money(paid.amount_minor * percent // 100, paid.currency)


def next_step(saga: Saga, facts: WithdrawalFacts) -> Move:
    """Return what a withdrawal saga does next; the seat is given back when it starts."""
    done, money = saga.context, facts.money
    if money.invoice == "open":
        return Do("cancel_invoice")
    if "refunded" not in done:
        return Do("refund")
    if money.excess_minor > 0:
        return give_back(saga, money, "refund_excess")
    if "recorded" not in done:
        return Do("record")
    if "told" not in done:
        return Do("tell")
    if money.is_refunding or saga.is_over:
        return Wait()
    return Become("completed")
