"""A process that dies at any await of a saga: enrolled and paid, or undone, and each step once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crm.errors import RuleBroken
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money
from crm.workflows.enrolment.models import StartEnrolment
from crm.workflows.withdrawal.models import StartWithdrawal
from tests.dying import die

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crm.courses.models import Cohort
    from crm.workflows.models import Saga
    from tests.integration.crm.workflows.conftest import House


async def wake(house: House) -> None:
    await house.execute(
        "UPDATE sagas SET next_run_at = %s WHERE parked_at IS NULL", house.clock.now()
    )


async def started(house: House, at: int = 0) -> tuple[bool, Saga, Cohort]:
    """Start an enrolment in a process that dies, and again with the same key."""
    cohort = await house.cohort()
    person = await house.new_person()
    command = StartEnrolment(person_id=person, cohort_id=cohort.id)
    key = IdempotencyKey("test", f"start:{person}", house.advisor.subject_id)
    calls = {"actor": house.advisor, "idempotency": key}
    died = at > 0 and await die(house.workflows.start_enrolment(command, **calls), at)
    saga = await house.workflows.start_enrolment(command, **calls)
    await house.settle()
    return died, saga, cohort


async def enrol(house: House, at: int) -> bool:
    died, saga, cohort = await started(house, at)
    await house.pay(saga)
    await wake(house)
    died = await die(house.workflows.advance_due(500), at) or died
    await house.settle()
    assert (await house.is_whole(saga, cohort)).status == "completed"
    assert set((await house.steps(saga)).values()) == {1}
    (payment,) = await house.payments_of(saga)
    assert payment.settled == payment.amount
    return died


async def undo(house: House, at: int) -> bool:
    _, saga, cohort = await started(house)
    await house.pay(saga)
    died = await die(house.workflows.cancel(saga.id, actor=house.advisor), at)
    await house.workflows.cancel(saga.id, actor=house.advisor)
    await wake(house)
    died = await die(house.workflows.advance_due(500), at) or died
    await house.settle()
    assert (await house.is_whole(saga, cohort)).status == "compensated"
    assert set((await house.steps(saga)).values()) == {1}
    (payment,) = await house.payments_of(saga)
    assert payment.status == "refunded"
    return died


async def leave(house: House, at: int) -> bool:
    _, saga, _ = await started(house)
    await house.pay(saga)
    await house.settle()
    enrolment = (await house.saga(saga)).enrolment_id
    assert enrolment is not None
    command = StartWithdrawal(enrolment_id=enrolment, reason="Se muda", refund=Money(10_000, "USD"))
    key = IdempotencyKey("test", f"leave:{saga.id}", house.advisor.subject_id)
    calls = {"actor": house.advisor, "idempotency": key}
    died = await die(house.workflows.start_withdrawal(command, **calls), at)
    leaving = await house.workflows.start_withdrawal(command, **calls)
    await wake(house)
    died = await die(house.workflows.advance_due(500), at) or died
    await house.settle()
    assert (await house.saga(leaving)).status == "completed"
    assert set((await house.steps(leaving)).values()) == {1}
    (payment,) = await house.payments_of(saga)
    assert payment.refunded == Money(10_000, "USD")
    return died


SCENARIOS: list[Callable[[Any, int], Awaitable[bool]]] = [enrol, undo, leave]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("stride", [23, pytest.param(1, marks=pytest.mark.slow)])
async def test_process_that_dies_at_any_await_ends_whole_once(
    house: House, scenario: Callable[[Any, int], Awaitable[bool]], stride: int
) -> None:
    at = stride
    while await scenario(house, at):
        await house.forget()
        at += stride
    assert at > 3 * stride, "the work was too short to prove anything"


async def test_who_leaves_early_gets_all_back_and_their_seat_is_free(house: House) -> None:
    _, saga, cohort = await started(house)
    await house.pay(saga)
    await house.settle()
    enrolment = (await house.saga(saga)).enrolment_id
    assert enrolment is not None
    command = StartWithdrawal(enrolment_id=enrolment, reason="Se muda")
    await house.workflows.start_withdrawal(command, actor=house.advisor)
    await house.settle()
    (payment,) = await house.payments_of(saga)
    assert payment.status == "refunded"
    assert (await house.courses.get_cohort(cohort.id)).seats_left == 2
    with pytest.raises(RuleBroken, match=r"enrolment\.ended"):
        await house.workflows.start_withdrawal(command, actor=house.advisor)


async def test_no_more_is_given_back_than_was_paid(house: House) -> None:
    _, saga, _ = await started(house)
    await house.pay(saga)
    await house.settle()
    enrolment = (await house.saga(saga)).enrolment_id
    assert enrolment is not None
    command = StartWithdrawal(enrolment_id=enrolment, reason="x", refund=Money(30_001, "USD"))
    with pytest.raises(RuleBroken, match=r"refund\.exceeds"):
        await house.workflows.start_withdrawal(command, actor=house.advisor)
