"""Money is asked for, taken, given back, disputed and reported, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.errors import Conflict, NotFound, RuleBroken
from crm.payments.gateways.protocol import RefundResult
from crm.payments.models import RefundId

if TYPE_CHECKING:
    from tests.integration.crm.payments.conftest import Till


async def test_payment_opens_a_checkout_and_pays_its_invoice(till: Till) -> None:
    invoice = await till.invoice(30_000, 7, 37)
    assert await till.owed(invoice) == 30_000

    payment = await till.opened(invoice)
    assert payment.status == "pending"
    assert payment.checkout_url == f"https://pay.example/co_{payment.id}"
    (order,) = till.gateway.orders
    assert order.description == f"Factura {invoice.number}"

    assert await till.tell(payment, "completed", 30_000)
    after = await till.seen(invoice)
    assert (await till.payment(payment.id)).status == "completed"
    assert after.status(till.due(100)[0]) == "paid"
    assert after.next_due_on is None
    assert await till.owed(invoice) == 0
    assert await till.published("PaymentCompleted", payment.id) == 1
    assert await till.published("InvoicePaid", invoice.id) == 1


async def test_invoice_for_the_same_is_raised_once(till: Till) -> None:
    first = await till.invoice(100, reference="enrolment:1")
    again = await till.invoice(100, reference="enrolment:1", person_id=first.person_id)
    assert again == first
    assert await till.owed(first) == 100
    with pytest.raises(Conflict, match=r"invoice\.reference"):
        await till.invoice(101, reference="enrolment:1", person_id=first.person_id)


async def test_no_more_is_asked_for_than_is_owed(till: Till) -> None:
    invoice = await till.invoice(100)
    with pytest.raises(RuleBroken, match=r"payment\.amount"):
        await till.begin(invoice, 101)
    first = await till.begin(invoice, 60, effect_key="k1")
    assert await till.begin(invoice, 60, effect_key="k1") == first
    with pytest.raises(Conflict, match=r"payment\.effect"):
        await till.begin(invoice, 50, effect_key="k1")
    with pytest.raises(RuleBroken, match=r"payment\.pending"):
        await till.begin(invoice, 41)
    await till.begin(invoice, 40)


async def test_expired_checkout_keeps_no_new_payment_back(till: Till) -> None:
    invoice = await till.invoice(100)
    old = await till.opened(invoice)
    link = await till.service.make_link(invoice.id, actor=till.advisor)
    assert link.payment_id == old.id
    till.clock.advance(timedelta(hours=24))
    new = await till.service.make_link(invoice.id, actor=till.advisor)
    assert new.payment_id != old.id
    await till.tell(old, "authorized")
    with pytest.raises(RuleBroken, match=r"payment\.pending"):
        await till.begin(invoice, 1)


async def test_link_outlives_its_checkout_while_as_much_is_owed(till: Till) -> None:
    invoice = await till.invoice(100)
    old = await till.opened(invoice)
    link = await till.service.make_link(invoice.id, actor=till.advisor)
    token = link.path.removeprefix("/pay/")
    assert await till.service.follow_link(token) == old.checkout_url
    till.clock.advance(timedelta(hours=24))
    renewed = await till.service.follow_link(token)
    assert renewed != old.checkout_url
    assert await till.service.follow_link(token) == renewed
    await till.service.cancel_invoice(invoice.id, reason="test", actor=till.advisor)
    with pytest.raises(RuleBroken, match=r"payment_link\.closed"):
        await till.service.follow_link(token)


async def test_capture_after_failure_or_void_is_money_taken(till: Till) -> None:
    for end in ("failed", "expired"):
        payment = await till.opened(await till.invoice(100))
        await till.tell(payment, end)
        assert (await till.payment(payment.id)).status == end
        await till.tell(payment, "completed", 100)
        assert (await till.payment(payment.id)).status == "completed"
    payment = await till.opened(await till.invoice(100))
    assert (await till.void(payment)).status == "voided"
    assert (await till.void(payment)).status == "voided"
    await till.tell(payment, "completed", 100)
    assert (await till.payment(payment.id)).status == "completed"
    assert await till.published("PaymentCompleted", payment.id) == 1
    with pytest.raises(RuleBroken, match=r"payment\.taken"):
        await till.void(payment)


async def test_refunds_pending_ones_included_never_exceed_what_was_taken(till: Till) -> None:
    payment = await till.paid(100)
    first = await till.refund(payment, 60, effect_key="r1")
    assert await till.refund(payment, 60, effect_key="r1") == first
    with pytest.raises(Conflict, match=r"refund\.effect"):
        await till.refund(payment, 61, effect_key="r1")
    with pytest.raises(RuleBroken, match=r"refund\.exceeds"):
        await till.refund(payment, 41)
    await till.refund(payment, 40)
    assert (await till.payment(payment.id)).settled.amount_minor == 0

    await till.tell(payment, "refund_failed", 60, refund_id=first.id)
    assert (await till.payment(payment.id)).settled.amount_minor == 60
    assert await till.published("RefundFailed", payment.id) == 1


async def test_refund_is_done_once_though_the_answer_and_the_event_both_tell(till: Till) -> None:
    payment = await till.paid(100)
    before = await till.balances()
    refund = await till.refund(payment, 30)
    till.gateway.refund_result = RefundResult("re_9", "done")
    await till.service.run_due()
    await till.tell(payment, "refunded", 30, refund_id=RefundId(refund.id))
    after = await till.payment(payment.id)
    moved = await till.balances()

    assert after.status == "partly_refunded"
    assert after.refunded.amount_minor == 30
    assert moved["clearing:pretend:PEN"] - before["clearing:pretend:PEN"] == -30
    assert await till.published("PaymentRefunded", payment.id) == 1
    detail = await till.service.get_payment(payment.id, actor=till.advisor)
    assert [(r.status, r.gateway_ref) for r in detail.refunds] == [("done", "re_9")]


async def test_dispute_holds_money_back_and_a_lost_one_is_owed_again(till: Till) -> None:
    payment = await till.paid(100)
    invoice = (await till.service.get_invoice(payment.invoice_id, actor=till.advisor)).invoice
    await till.tell(payment, "disputed", 100)
    assert (await till.payment(payment.id)).status == "disputed"
    with pytest.raises(RuleBroken, match=r"refund\.exceeds"):
        await till.refund(payment, 1)
    assert await till.owed(invoice) == 0
    await till.tell(payment, "dispute_lost", 100)
    assert (await till.payment(payment.id)).status == "charged_back"
    assert await till.owed(invoice) == 100
    disputes = await till.service.list_disputes(actor=till.advisor, limit=2)
    assert {d.fact.kind for d in disputes.items} == {"disputed", "dispute_lost"}


async def test_cancelled_invoice_is_credited_and_owes_nothing_ever_after(till: Till) -> None:
    payment = await till.paid(100)
    invoice = (await till.service.get_invoice(payment.invoice_id, actor=till.advisor)).invoice
    await till.refund(payment, 40)
    cancelled = await till.cancel(invoice)
    assert cancelled.credited.amount_minor == 40
    assert await till.cancel(invoice) == await till.seen(invoice)
    assert await till.owed(invoice) == 0
    await till.refund(payment, 60)
    assert await till.owed(invoice) == 0
    assert (await till.seen(invoice)).credited.amount_minor == 100


async def test_cancelling_an_invoice_voids_what_could_still_be_paid(till: Till) -> None:
    invoice = await till.invoice(100)
    payment = await till.opened(invoice)
    await till.cancel(invoice)
    assert (await till.payment(payment.id)).status == "voided"
    await till.service.run_due()
    assert till.gateway.cancelled == [payment.id]
    with pytest.raises(RuleBroken, match=r"invoice\.cancelled"):
        await till.begin(invoice)


async def test_cash_that_settles_an_invoice_closes_its_open_checkout(till: Till) -> None:
    invoice = await till.invoice(100)
    online = await till.opened(invoice)
    taken = await till.service.take_by_hand(
        invoice_id=invoice.id, amount=invoice.net, method="cash", actor=till.advisor
    )
    assert taken.status == "completed"
    assert (await till.payment(online.id)).status == "voided"
    assert await till.owed(invoice) == 0
    refund = await till.refund(taken, 100)
    assert refund.status == "done"
    assert (await till.balances()).get("cash:cash:PEN", 0) == 0


async def test_event_about_an_unknown_payment_or_currency_is_refused(till: Till) -> None:
    payment = await till.opened(await till.invoice(100))
    foreign = till.event(payment, "completed", 100)
    object.__setattr__(foreign, "gateway", "another")
    with pytest.raises(NotFound, match=r"payment\.unknown"):
        await till.service.receive(foreign)
    dollars = till.event(payment, "completed", 100)
    object.__setattr__(dollars.amount, "currency", "USD")
    with pytest.raises(RuleBroken, match=r"payment\.currency"):
        await till.service.receive(dollars)


async def test_instalments_fall_overdue_and_are_covered_in_order(till: Till) -> None:
    invoice = await till.invoice(100, 1, 31, 61)
    payment = await till.opened(invoice, 50)
    await till.tell(payment, "completed", 50)
    after = await till.seen(invoice)
    parts = after.covered(till.due(32)[0])
    assert [p.amount.amount_minor for p in parts] == [34, 33, 33]
    assert [p.outstanding.amount_minor for p in parts] == [0, 17, 33]
    assert [p.status for p in parts] == ["paid", "overdue", "open"]
    till.clock.advance(timedelta(days=32))
    overdue = await till.service.list_invoices("overdue", actor=till.advisor)
    assert invoice.id in {i.id for i in overdue.items}
