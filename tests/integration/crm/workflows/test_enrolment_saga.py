"""Enrolments end enrolled and paid, or undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crm.errors import Conflict, NotFound, RuleBroken
from crm.journal.idempotency import IdempotencyKey
from crm.workflows.enrolment.models import StartEnrolment
from tests.integration.crm.workflows.conftest import LATE

if TYPE_CHECKING:
    from tests.integration.crm.workflows.conftest import House


async def test_payment_makes_an_enrolment(house: House) -> None:
    cohort = await house.cohort()
    saga = await house.start(cohort)
    assert (saga.status, saga.step) == ("running", "bill")
    await house.settle()
    (payment,) = await house.payments_of(saga)
    assert payment.checkout_url is not None
    await house.pay(saga)
    await house.settle()
    done = await house.is_whole(saga, cohort)
    assert done.status == "completed"
    once = ("reserve", "bill", "confirm", "record", "tell")
    assert await house.steps(saga) == dict.fromkeys(once, 1)
    enrolled = await house.count(
        "SELECT count(*) FROM leads WHERE person_id = %s AND stage = 'enrolled'", saga.person_id
    )
    assert enrolled == 1


async def test_first_instalment_confirms(house: House) -> None:
    cohort = await house.cohort(price=30_001)
    saga = await house.start(cohort, instalments=3)
    await house.settle()
    (payment,) = await house.payments_of(saga)
    assert payment.amount.amount_minor == 10_001
    await house.pay(saga)
    await house.settle()
    assert (await house.is_whole(saga, cohort)).status == "completed"


async def test_free_seat_needs_no_payment(house: House) -> None:
    cohort = await house.cohort(price=0)
    saga = await house.start(cohort)
    assert (await house.is_whole(saga, cohort)).status == "completed"
    assert saga.invoice_id is None


@pytest.mark.parametrize("kind", ["failed", "expired"])
async def test_payment_that_fails_undoes_all(house: House, kind: str) -> None:
    cohort = await house.cohort(seats=1)
    saga = await house.start(cohort)
    await house.settle()
    (payment,) = await house.payments_of(saga)
    await house.tell(payment, kind)
    await house.settle()
    undone = await house.is_whole(saga, cohort)
    assert (undone.status, undone.failure) == ("compensated", "payment.failed")
    assert (await house.courses.get_cohort(cohort.id)).seats_left == 1


async def test_nobody_pays_and_the_seat_is_free_again(house: House) -> None:
    cohort = await house.cohort(seats=1)
    saga = await house.start(cohort)
    house.clock.advance(LATE)
    await house.settle()
    undone = await house.is_whole(saga, cohort)
    assert (undone.status, undone.failure) == ("compensated", "payment.late")
    assert (await house.courses.get_cohort(cohort.id)).seats_left == 1


async def test_payment_after_its_hold_expired_takes_a_free_seat(house: House) -> None:
    cohort = await house.cohort(seats=1)
    saga = await house.start(cohort)
    await house.settle()
    house.clock.advance(house.seats.hold_life)
    await house.settle()
    await house.pay(saga)
    await house.settle()
    assert (await house.is_whole(saga, cohort)).status == "completed"


async def test_payment_after_the_seat_went_to_another_is_refunded(house: House) -> None:
    cohort = await house.cohort(seats=1)
    saga = await house.start(cohort)
    await house.settle()
    house.clock.advance(house.seats.hold_life)
    await house.settle()
    await house.start(cohort)
    await house.pay(saga)
    await house.settle()
    undone = await house.saga(saga)
    assert (undone.status, undone.failure) == ("compensated", "hold.lost")
    (payment,) = await house.payments_of(saga)
    assert payment.status == "refunded"


async def test_capture_after_all_was_undone_is_refunded_once(house: House) -> None:
    cohort = await house.cohort()
    saga = await house.start(cohort)
    await house.settle()
    house.clock.advance(LATE)
    await house.settle()
    await house.is_whole(saga, cohort)
    await house.pay(saga)
    await house.pay(saga)
    await house.settle()
    await house.is_whole(saga, cohort)
    assert (await house.steps(saga))["refund"] == 1


async def test_cancelled_while_paid_gives_everything_back(house: House) -> None:
    cohort = await house.cohort()
    saga = await house.start(cohort)
    await house.settle()
    await house.pay(saga)
    undone = await house.workflows.cancel(saga.id, actor=house.advisor)
    await house.workflows.cancel(saga.id, actor=house.advisor)
    assert undone.status == "compensating"
    await house.settle()
    assert (await house.is_whole(saga, cohort)).failure == "cancelled"
    with pytest.raises(RuleBroken, match=r"saga\.over"):
        await house.workflows.cancel(saga.id, actor=house.advisor)


async def test_full_cohort_starts_nothing(house: House) -> None:
    cohort = await house.cohort(seats=1)
    await house.start(cohort)
    before = await house.count("SELECT count(*) FROM sagas")
    with pytest.raises(RuleBroken, match=r"cohort\.full"):
        await house.start(cohort)
    assert await house.count("SELECT count(*) FROM sagas") == before


async def test_same_key_starts_once(house: House) -> None:
    cohort = await house.cohort()
    person = await house.new_person()
    command = StartEnrolment(person_id=person, cohort_id=cohort.id)
    key = IdempotencyKey("test", f"start:{person}", house.advisor.subject_id)
    first, second = [
        await house.workflows.start_enrolment(command, actor=house.advisor, idempotency=key)
        for _ in range(2)
    ]
    assert first.id == second.id
    other = StartEnrolment(person_id=person, cohort_id=cohort.id, instalments=2)
    with pytest.raises(Conflict, match="mismatch"):
        await house.workflows.start_enrolment(other, actor=house.advisor, idempotency=key)


async def test_refund_that_keeps_failing_is_set_aside_and_resumed(
    house: House, monkeypatch: Any
) -> None:
    from crm.payments.gateways.protocol import RefundResult

    cohort = await house.cohort()
    saga = await house.start(cohort)
    await house.settle()
    await house.pay(saga)
    house.gateway.refund_result = RefundResult("re", "failed", "card.closed")
    await house.workflows.cancel(saga.id, actor=house.advisor)
    await house.settle()
    stuck = await house.saga(saga)
    assert stuck.parked_at is not None
    assert stuck.last_error == "refund.failed"
    listed = await house.workflows.list_sagas({"is_parked": True}, actor=house.advisor)
    assert saga.id in {s.id for s in listed.items}
    house.gateway.refund_result = RefundResult("re", "done")
    await house.workflows.resume(saga.id, actor=house.advisor)
    await house.settle()
    assert (await house.is_whole(saga, cohort)).status == "compensated"


async def test_step_that_fails_is_retried_then_set_aside(house: House, monkeypatch: Any) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    cohort = await house.cohort()
    saga = await house.start(cohort)
    await house.settle()
    monkeypatch.setattr("crm.workflows.enrolment.steps.record_enrolment", broken)
    await house.pay(saga)
    for _ in range(12):
        await house.settle()
        house.clock.advance(LATE)
    stuck = await house.saga(saga)
    assert stuck.parked_at is not None
    assert (stuck.status, stuck.last_error) == ("running", "ZeroDivisionError")
    monkeypatch.undo()
    await house.workflows.resume(saga.id, actor=house.advisor)
    assert (await house.is_whole(saga, cohort)).status == "completed"


async def test_student_sees_only_their_own(house: House) -> None:
    from crm.actor import Actor, IdentityLevel
    from crm.ids import SubjectId

    cohort = await house.cohort()
    saga = await house.start(cohort)
    other = await house.new_person()
    stranger = Actor(SubjectId(other), IdentityLevel.VERIFIED, person_id=other)
    with pytest.raises(NotFound):
        await house.workflows.get_saga(saga.id, actor=stranger)
    with pytest.raises(NotFound):
        await house.workflows.cancel(saga.id, actor=stranger)
    own = Actor(SubjectId(saga.person_id), IdentityLevel.VERIFIED, person_id=saga.person_id)
    found, steps, _ = await house.workflows.get_saga(saga.id, actor=own)
    assert (found.id, steps[0].step) == (saga.id, "reserve")
