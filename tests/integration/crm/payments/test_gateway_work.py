"""Gateways are asked outside of any transaction, again when they fail, and never for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from crm.errors import Unavailable
from crm.money import Money
from crm.payments.gateways.protocol import GatewayRefused, RefundResult
from crm.payments.intents.models import FIRST_POLL, LAST_POLL, MAX_ATTEMPTS
from tests.integration.crm.payments.conftest import NAME

if TYPE_CHECKING:
    from tests.integration.crm.payments.conftest import Till

DOWN = Unavailable("gateway.unavailable", "Down.")
NO = GatewayRefused("gateway.amount", "No.")


async def drain(till: Till) -> None:
    """Leave nothing of other tests."""
    till.gateway.failure = None
    while await till.service.run_due():
        pass


async def exhaust(till: Till) -> None:
    for _ in range(MAX_ATTEMPTS + 1):
        till.clock.advance(timedelta(hours=1))
        await till.service.run_due()


async def test_gateway_that_does_not_answer_is_asked_again_later(till: Till) -> None:
    await drain(till)
    payment = await till.begin(await till.invoice(100))
    till.gateway.failure = DOWN
    assert await till.service.run_due() == 1
    assert await till.service.run_due() == 0, "it waits before it tries again"
    till.gateway.failure = None
    till.clock.advance(timedelta(seconds=10))
    await till.service.run_due()
    assert (await till.payment(payment.id)).status == "pending"
    assert [o.payment_id for o in till.gateway.orders] == [payment.id, payment.id]


async def test_checkout_that_cannot_be_had_is_given_up_with_an_event(till: Till) -> None:
    await drain(till)
    payment = await till.begin(await till.invoice(100))
    till.gateway.failure = DOWN
    await exhaust(till)
    assert (await till.payment(payment.id)).status == "failed"
    assert len(till.gateway.orders) == MAX_ATTEMPTS
    assert await till.published("PaymentFailed", payment.id) == 1


async def test_refusal_is_final_at_once(till: Till) -> None:
    await drain(till)
    payment = await till.begin(await till.invoice(100))
    till.gateway.failure = NO
    await till.service.run_due()
    assert (await till.payment(payment.id)).status == "failed"
    assert len(till.gateway.orders) == 1


async def test_nothing_is_asked_for_a_payment_that_was_voided_before(till: Till) -> None:
    await drain(till)
    payment = await till.begin(await till.invoice(100))
    await till.void(payment)
    await till.service.run_due()
    assert till.gateway.orders == []
    assert till.gateway.cancelled == []


async def test_checkout_opened_while_its_payment_is_voided_is_closed_again(till: Till) -> None:
    await drain(till)
    payment = await till.begin(await till.invoice(100))

    async def void() -> None:
        till.gateway.during = None
        await till.void(payment)

    till.gateway.during = void
    await till.service.run_due()
    assert (await till.payment(payment.id)).status == "voided"
    await till.service.run_due()
    assert till.gateway.cancelled == [payment.id]


async def test_checkout_paid_before_it_could_be_closed_counts(till: Till) -> None:
    await drain(till)
    payment = await till.opened(await till.invoice(100))
    await till.void(payment)
    told = till.event(payment, "completed", 100)
    till.gateway.paid, till.gateway.known = True, {f"co_{payment.id}": (told,)}
    await till.service.run_due()
    assert (await till.payment(payment.id)).status == "completed"
    assert await till.published("PaymentCompleted", payment.id) == 1


async def test_refund_is_asked_for_once_by_many_processes(till: Till) -> None:
    await drain(till)
    payments = [await till.paid(100) for _ in range(4)]
    refunds = [await till.refund(payment, 100) for payment in payments]
    till.gateway.refund_result = RefundResult("re_1", "done")
    await asyncio.gather(*(till.service.run_due() for _ in range(4)))
    assert sorted(o.refund_id for o in till.gateway.refunds) == sorted(r.id for r in refunds)
    for payment in payments:
        assert (await till.payment(payment.id)).status == "refunded"
        assert await till.published("PaymentRefunded", payment.id) == 1


async def test_refused_refund_fails_and_the_money_is_ours_again(till: Till) -> None:
    await drain(till)
    payment = await till.paid(100)
    await till.refund(payment, 100)
    till.gateway.failure = NO
    await till.service.run_due()
    after = await till.payment(payment.id)
    assert (after.status, after.settled.amount_minor) == ("completed", 100)
    assert await till.published("RefundFailed", payment.id) == 1


async def test_refund_that_was_given_up_and_done_all_the_same_counts(till: Till) -> None:
    await drain(till)
    payment = await till.paid(100)
    refund = await till.refund(payment, 100)
    till.gateway.failure = DOWN
    await exhaust(till)
    assert (await till.payment(payment.id)).settled.amount_minor == 100
    await till.tell(payment, "refunded", 100, refund_id=refund.id)
    assert (await till.payment(payment.id)).status == "refunded"


async def test_lost_webhook_is_made_good_by_asking(till: Till) -> None:
    await drain(till)
    payment = await till.opened(await till.invoice(100))
    told = till.event(payment, "completed", 100)
    till.gateway.known = {f"co_{payment.id}": (told,)}
    await till.service.poll_due(500)
    assert (await till.payment(payment.id)).status == "pending", "it is not asked about yet"
    till.clock.advance(FIRST_POLL)
    await till.service.poll_due(500)
    assert (await till.payment(payment.id)).status == "completed"
    assert not await till.service.receive(told), "the webhook comes after all"
    waiting = "SELECT count(*) FROM payment_polls WHERE payment_id = %s"
    assert await till.count(waiting, payment.id) == 0


async def test_report_that_the_books_cannot_use_keeps_no_other_back(till: Till) -> None:
    await drain(till)
    payment = await till.opened(await till.invoice(100))
    told, dollars = till.event(payment, "completed", 100), till.event(payment, "completed", 100)
    object.__setattr__(dollars, "amount", Money(100, "USD"))
    till.gateway.known = {f"co_{payment.id}": (dollars, told)}
    till.clock.advance(FIRST_POLL)
    await till.service.poll_due(500)
    after = await till.payment(payment.id)
    assert (after.status, after.captured.amount_minor) == ("completed", 100)
    failed = "SELECT count(*) FROM audit_events WHERE error_code = 'payment.currency'"
    assert await till.count(failed) == 1


async def test_checkout_is_asked_about_ever_more_seldom_and_not_for_ever(till: Till) -> None:
    await drain(till)
    payment = await till.opened(await till.invoice(100))
    reference = f"co_{payment.id}"
    asked = []
    end = payment.checkout_expires_at
    assert end is not None
    while till.clock.now() < end + LAST_POLL + timedelta(days=1):
        till.clock.advance(FIRST_POLL)
        before = till.gateway.fetched.count(reference)
        await till.service.poll_due(500)
        if till.gateway.fetched.count(reference) > before:
            asked.append(till.clock.now())
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert waits == sorted(waits)
    assert 10 < len(asked) < 30
    waiting = "SELECT count(*) FROM payment_polls WHERE payment_id = %s"
    assert await till.count(waiting, payment.id) == 0


async def test_link_opens_the_checkout_and_closes_with_it(till: Till) -> None:
    await drain(till)
    invoice = await till.invoice(90, 1, 2, 3)
    link = await till.service.make_link(invoice.id, actor=till.advisor)
    assert link.amount.amount_minor == 30
    token = link.path.removeprefix("/pay/")
    url = await till.service.follow_link(token)
    assert url == f"https://pay.example/co_{link.payment_id}"
    again = await till.service.make_link(invoice.id, gateway=NAME, actor=till.advisor)
    assert (again.payment_id, again.path == link.path) == (link.payment_id, False)
    assert (
        await till.count(
            "SELECT count(*) FROM payment_links WHERE encode(token_hash, 'escape') = %s", token
        )
        == 0
    )
