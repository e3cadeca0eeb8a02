"""The enrolment saga as a state machine: what comes next, by what is so.

reserve → bill → (payment) → confirm → record → tell; or, from anywhere before the end,
cancel_invoice → refund → cancel_quote → withdraw or release → tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from crm.courses.fees.models import QuoteId
from crm.courses.models import CohortId
from crm.courses.seats.models import HoldId
from crm.errors import RuleBroken
from crm.ids import PersonId
from crm.payments.invoices.models import MAX_INSTALMENTS
from crm.workflows.models import (
    Become,
    Do,
    MoneyFacts,
    Move,
    Saga,
    SagaStatus,
    Wait,
    give_back,
)

#: How long after the hold's end a payment's report may still come; its seat may be gone by then.
GRACE = timedelta(minutes=10)
#: A refusal at these steps undoes the enrolment; at later ones somebody has to look.
TURNING = frozenset({"bill", "confirm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEnrolment:
    """Who wants to enrol in what, and how they pay.

    Args:
        due_dates: of the instalments; empty for `instalments` of them, a month apart from today.
        waiver: why staff let the person in without the prerequisites.
        quote_id: the price the person was shown; None asks for today's.
        hold_id: the seat the person was shown; None takes a free one.
    """

    person_id: PersonId
    cohort_id: CohortId
    instalments: int = 1
    due_dates: tuple[date, ...] = ()
    discount_code: str | None = None
    scholarship_code: str | None = None
    waiver: str | None = None
    quote_id: QuoteId | None = None
    hold_id: HoldId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentFacts:
    """What is so, read under the saga's lock.

    Args:
        net_minor: what the seat costs this person.
        is_held: the hold is live.
        enrolment: that came of the hold; `ended` if it was given up since.
    """

    net_minor: int
    is_held: bool
    enrolment: Literal["none", "confirmed", "ended"] = "none"
    quote_stands: bool = True
    money: MoneyFacts = field(default_factory=MoneyFacts)


def next_step(saga: Saga, facts: EnrolmentFacts, now: datetime) -> Move:
    """Return what an enrolment saga does next."""
    return _RULES[saga.status](saga, facts, now)


def _forward(saga: Saga, facts: EnrolmentFacts, now: datetime) -> Move:
    if facts.enrolment != "none":
        return _finish(saga)
    if facts.net_minor == 0 or facts.money.is_covered:
        return Do("confirm")
    if now >= saga.deadline:
        return Become("compensating", "payment.late")
    if facts.money.invoice == "none":
        return Do("bill")
    if facts.money.invoice == "cancelled":
        return Become("compensating", "invoice.cancelled")
    if facts.money.was_asked and not facts.money.is_paying:
        return Become("compensating", "payment.failed")
    return Wait(saga.deadline)


def _finish(saga: Saga) -> Move:
    if "recorded" not in saga.context:
        return Do("record")
    if "told" not in saga.context:
        return Do("tell")
    return Become("completed")


def _backward(saga: Saga, facts: EnrolmentFacts, now: datetime) -> Move:
    if facts.money.invoice == "open":
        return Do("cancel_invoice")
    if facts.money.refundable_minor > 0:
        return give_back(saga, facts.money, "refund")
    if facts.quote_stands:
        return Do("cancel_quote")
    if facts.enrolment == "confirmed":
        return Do("withdraw")
    if facts.is_held:
        return Do("release")
    if "told_undone" not in saga.context:
        return Do("tell_undone")
    return Wait() if facts.money.is_refunding else Become("compensated", saga.failure)


def _completed(saga: Saga, facts: EnrolmentFacts, now: datetime) -> Move:
    # What a withdrawal gives back of a cancelled invoice is for that saga to see to.
    if facts.money.excess_minor > 0 and facts.money.invoice == "open":
        return give_back(saga, facts.money, "refund_excess")
    return Wait()


def _compensated(saga: Saga, facts: EnrolmentFacts, now: datetime) -> Move:
    if facts.money.refundable_minor > 0:
        return give_back(saga, facts.money, "refund")
    return Wait()


_RULES: Mapping[SagaStatus, Callable[[Saga, EnrolmentFacts, datetime], Move]] = {
    "running": _forward,
    "compensating": _backward,
    "completed": _completed,
    "compensated": _compensated,
}


def plan_dates(today: date, instalments: int) -> tuple[date, ...]:
    """Return the due dates of a plan of monthly instalments, the first one today.

    Raises: RuleBroken("instalments.dates").
    """
    if not 1 <= instalments <= MAX_INSTALMENTS:
        raise RuleBroken("instalments.dates", "Give between 1 and 60 instalments.")
    return tuple(_months_after(today, months) for months in range(instalments))


def _months_after(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    length = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - first
    return first.replace(day=min(day.day, length.days))
