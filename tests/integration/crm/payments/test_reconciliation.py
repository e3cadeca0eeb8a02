"""What a gateway booked against our ledger; who may read what; what is done once a key."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import Actor, IdentityLevel
from crm.errors import Conflict, Denied, NotFound, RuleBroken
from crm.ids import PersonId, SubjectId, new_id
from crm.journal.idempotency import IdempotencyKey
from crm.money import Money
from crm.payments.gateways.protocol import Movement, MovementKind
from tests.integration.crm.payments.conftest import NAME

if TYPE_CHECKING:
    from crm.payments.models import Payment
    from crm.payments.reconciliation.models import Reconciliation
    from tests.integration.crm.payments.conftest import Till


def booked(till: Till, payment: Payment | None, kind: MovementKind, amount: int) -> None:
    """Have the gateway book something."""
    till.gateway.movements.append(
        Movement(
            gateway=NAME,
            movement_id=f"mv_{len(till.gateway.movements)}",
            kind=kind,
            amount=Money(amount, "PEN"),
            booked_at=till.clock.now(),
            payment_id=payment.id if payment else None,
        )
    )


async def report(till: Till) -> Reconciliation:
    now = till.clock.now()
    since, until = now - timedelta(minutes=1), now + timedelta(minutes=1)
    return await till.service.reconcile(NAME, since=since, until=until, actor=till.advisor)


async def test_report_finds_what_is_missing_here_there_and_what_differs(till: Till) -> None:
    till.clock.advance(timedelta(days=3))
    same, differing, ours = await till.paid(100), await till.paid(100), await till.paid(70)
    theirs = await till.opened(await till.invoice(100))
    await till.tell(same, "refunded", 40)
    booked(till, same, "capture", 100)
    booked(till, same, "refund", 40)
    booked(till, differing, "capture", 90)
    booked(till, theirs, "capture", 100)
    booked(till, None, "capture", 5)

    found = await report(till)

    assert found.matched == 1
    by_payment = {m.payment_id: m for m in found.mismatches}
    assert len(by_payment) == 4
    found_of = {
        key: (m.finding, m.here.amount_minor, m.there.amount_minor) for key, m in by_payment.items()
    }
    assert found_of == {
        differing.id: ("differing", 100, 90),
        ours.id: ("missing_there", 70, 0),
        theirs.id: ("missing_here", 0, 100),
        None: ("missing_here", 0, 5),
    }
    (total,) = found.totals
    assert (total.here.amount_minor, total.there.amount_minor) == (230, 255)


async def test_disputes_and_failed_refunds_reconcile(till: Till) -> None:
    till.clock.advance(timedelta(days=6))
    payment = await till.paid(100)
    booked(till, payment, "capture", 100)
    await till.tell(payment, "refunded", 30)
    await till.tell(payment, "refund_failed", 30)
    booked(till, payment, "refund", 30)
    booked(till, payment, "refund_failure", 30)
    await till.tell(payment, "disputed", 100)
    booked(till, payment, "dispute", 100)
    assert (await report(till)).mismatches == ()
    await till.tell(payment, "dispute_won", 100)
    assert len((await report(till)).mismatches) == 1
    booked(till, payment, "dispute_reversal", 100)
    assert (await report(till)).mismatches == ()


async def test_payout_moves_what_the_gateway_held_and_is_no_movement_of_a_payment(
    till: Till,
) -> None:
    till.clock.advance(timedelta(days=9))
    payment = await till.paid(100)
    booked(till, payment, "capture", 100)
    before = await till.balances()
    once = key("payout")
    facts: dict[str, Any] = {"gateway": NAME, "actor": till.advisor, "idempotency": once}
    for _ in range(2):
        assert await till.service.record_payout(
            paid_out=Money(95, "PEN"), fee=Money(5, "PEN"), **facts
        )
    now = await till.balances()
    moved = {code: now[code] - before.get(code, 0) for code in now}
    assert {code: amount for code, amount in moved.items() if amount} == {
        "bank_fees:PEN": 5,
        "cash:transfer:PEN": 95,
        f"clearing:{NAME}:PEN": -100,
    }
    assert (await report(till)).mismatches == ()
    with pytest.raises(RuleBroken, match=r"payout\.amount"):
        await till.service.record_payout(
            gateway=NAME, paid_out=Money(-1, "PEN"), fee=Money(5, "PEN"), actor=till.advisor
        )


async def test_report_of_an_unknown_gateway_is_refused(till: Till) -> None:
    now = till.clock.now()
    with pytest.raises(NotFound, match=r"gateway\.unknown"):
        await till.service.reconcile("nowhere", since=now, until=now, actor=till.advisor)


def student(person_id: PersonId, level: IdentityLevel = IdentityLevel.VERIFIED) -> Actor:
    return Actor(SubjectId(person_id), level, person_id=person_id)


async def test_student_reads_only_their_own(till: Till) -> None:
    payment = await till.paid(100)
    me, other = student(payment.person_id), student(await till.new_person())
    assert (await till.service.get_payment(payment.id, actor=me)).payment == payment
    assert [p.id for p in (await till.service.list_payments(actor=me)).items] == [payment.id]
    mine = await till.service.list_invoices(actor=me)
    assert [i.id for i in mine.items] == [payment.invoice_id]
    assert (await till.service.get_invoice(payment.invoice_id, actor=me)).invoice in mine.items

    with pytest.raises(NotFound):
        await till.service.get_payment(payment.id, actor=other)
    with pytest.raises(NotFound):
        await till.service.get_invoice(payment.invoice_id, actor=other)
    with pytest.raises(NotFound):
        await till.service.make_link(payment.invoice_id, actor=other)
    assert (await till.service.list_payments(actor=other)).items == ()
    named = await till.service.list_invoices(person_id=payment.person_id, actor=other)
    assert named.items == ()
    filtered = await till.service.list_payments({"person_id": payment.person_id}, actor=other)
    assert filtered.items == ()


async def test_student_pays_by_link_and_changes_nothing_else(till: Till) -> None:
    invoice = await till.invoice(100)
    me = student(invoice.person_id)
    assert (await till.service.make_link(invoice.id, actor=me)).invoice_id == invoice.id
    with pytest.raises(Denied, match=r"auth\.role"):
        await till.service.cancel_invoice(invoice.id, reason="x", actor=me)
    with pytest.raises(Denied, match=r"auth\.role"):
        await till.service.list_disputes(actor=me)
    visitor = student(invoice.person_id, IdentityLevel.CHANNEL)
    with pytest.raises(Denied, match=r"identity\.level"):
        await till.service.list_invoices(actor=visitor)


async def test_reading_by_staff_is_recorded_with_whose_record_it_was(till: Till) -> None:
    payment = await till.paid(100)
    await till.service.get_payment(payment.id, actor=till.advisor)
    reads = "SELECT count(*) FROM audit_events WHERE action = 'payment.read' AND staff_id = %s"
    assert await till.count(reads, till.advisor.staff_id) == 1


def key(scope: str) -> IdempotencyKey:
    return IdempotencyKey(scope, str(new_id()), SubjectId(new_id()))


async def test_same_key_and_arguments_give_the_same_result_and_others_an_error(
    till: Till,
) -> None:
    invoice = await till.invoice(100)
    facts: dict[str, Any] = {"invoice_id": invoice.id, "method": "cash", "actor": till.advisor}
    once = key("cash")
    fee, less = Money(60, "PEN"), Money(50, "PEN")
    first = await till.service.take_by_hand(amount=fee, idempotency=once, **facts)
    assert await till.service.take_by_hand(amount=fee, idempotency=once, **facts) == first
    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await till.service.take_by_hand(amount=less, idempotency=once, **facts)
    assert (await till.seen(invoice)).paid.amount_minor == 60

    once = key("refund")
    said: dict[str, Any] = {"reason": "withdrawal", "actor": till.advisor, "idempotency": once}
    refund = await till.service.request_refund(first.id, less, **said)
    assert asdict(await till.service.request_refund(first.id, less, **said)) == asdict(refund)
    with pytest.raises(Conflict, match=r"idempotency\.mismatch"):
        await till.service.request_refund(first.id, fee, **said)
    assert (await till.payment(first.id)).refunded.amount_minor == 50

    invoice = await till.invoice(100)
    once = key("link")
    link = await till.service.make_link(invoice.id, actor=till.advisor, idempotency=once)
    again = await till.service.make_link(invoice.id, actor=till.advisor, idempotency=once)
    assert again == link


async def test_money_cannot_come_from_the_future(till: Till) -> None:
    invoice = await till.invoice(100)
    with pytest.raises(RuleBroken, match=r"payment\.received_at"):
        await till.service.take_by_hand(
            invoice_id=invoice.id,
            amount=invoice.net,
            method="cash",
            received_at=till.clock.now() + timedelta(seconds=1),
            actor=till.advisor,
        )


async def test_pages_follow_one_another_without_gaps(till: Till) -> None:
    person_id = await till.new_person()
    raised = [await till.invoice(10, person_id=person_id) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = await till.service.list_invoices(
            person_id=person_id, cursor=cursor, limit=2, actor=till.advisor
        )
        seen += [invoice.id for invoice in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [invoice.id for invoice in reversed(raised)]
