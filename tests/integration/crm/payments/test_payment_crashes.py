"""A process that dies at any await of taking webhooks or asking gateways: the books change once."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from crm.payments.gateways.protocol import RefundResult
from crm.payments.intents.models import CLAIM_LIFE
from tests.dying import die

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from crm.payments.gateways.protocol import GatewayEvent
    from crm.payments.models import Payment
    from tests.integration.crm.payments.conftest import Till

STORY = [("authorized", None), ("completed", 100), ("disputed", 100), ("dispute_won", 100)]


async def deliver(till: Till, webhooks: list[GatewayEvent]) -> None:
    for event in webhooks:
        await till.service.receive(event)


async def books(till: Till, payment: Payment) -> dict[str, int]:
    """Count what stands in the books about a payment."""
    found = {}
    for table in ("payment_events", "ledger_transactions"):
        query = f"SELECT count(*) FROM {table} WHERE payment_id = %s"
        found[table] = await till.count(query, payment.id)
    audits = "SELECT count(*) FROM audit_events WHERE action LIKE 'payment.%%' AND subject_id = %s"
    found["audits"] = await till.count(audits, payment.person_id)
    for name in ("PaymentAuthorized", "PaymentCompleted", "PaymentDisputed", "DisputeClosed"):
        found[name] = await till.published(name, payment.id)
    return found


async def webhooks_of(till: Till, seed: int) -> tuple[Payment, list[GatewayEvent]]:
    """Return a payment and its webhooks, each three times, shuffled."""
    payment = await till.opened(await till.invoice(100))
    told = [till.event(payment, kind, amount) for kind, amount in STORY]
    refund = till.event(payment, "refunded", 30)
    webhooks = [*told, refund] * 3
    random.Random(seed).shuffle(webhooks)
    return payment, webhooks


async def webhooks_die(till: Till, at: int) -> bool:
    payment, webhooks = await webhooks_of(till, at)
    died = await die(deliver(till, webhooks), at)
    await deliver(till, webhooks)
    await is_right(till, payment)
    return died


async def is_right(till: Till, payment: Payment) -> None:
    """The books say what happened, once."""
    after = await till.payment(payment.id)
    assert after.status == "partly_refunded"
    assert (after.captured.amount_minor, after.refunded.amount_minor) == (100, 30)
    invoice = (await till.service.get_invoice(payment.invoice_id, actor=till.advisor)).invoice
    assert await till.owed(invoice) == 30
    found = await books(till, payment)
    assert found["payment_events"] == found["audits"] == 2 + len(STORY) + 1
    assert found["ledger_transactions"] <= len(STORY) + 1
    assert found["PaymentAuthorized"] <= 1
    once = ("PaymentCompleted", "PaymentDisputed", "DisputeClosed")
    assert [found[name] for name in once] == [1, 1, 1]
    assert await till.published("PaymentRefunded", payment.id) == 1


async def gateway_work_dies(till: Till, at: int) -> bool:
    payment = await till.begin(await till.invoice(100))
    died = await die(till.service.run_due(), at)
    till.clock.advance(CLAIM_LIFE)
    await till.service.run_due()
    opened = await till.payment(payment.id)
    assert opened.status == "pending"
    assert {o.payment_id for o in till.gateway.orders} == {payment.id}
    await till.tell(payment, "completed", 100)
    await till.refund(payment, 100)
    till.gateway.refund_result = RefundResult("re_1", "done")
    died = await die(till.service.run_due(), at) or died
    till.clock.advance(CLAIM_LIFE)
    await till.service.run_due()
    assert (await till.payment(payment.id)).status == "refunded"
    assert len({o.refund_id for o in till.gateway.refunds}) == 1
    assert await till.published("PaymentRefunded", payment.id) == 1
    assert await till.published("CheckoutOpened", payment.id) == 1
    till.gateway.orders.clear()
    till.gateway.refunds.clear()
    return died


SCENARIOS: list[Callable[[Any, int], Awaitable[bool]]] = [webhooks_die, gateway_work_dies]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.slow)])
async def test_process_that_dies_at_any_await_changes_the_books_once(
    till: Till, scenario: Callable[[Any, int], Awaitable[bool]], stride: int
) -> None:
    at = stride
    while await scenario(till, at):
        at += stride
    assert at > 5 * stride, "the work was too short to prove anything"


async def test_processes_that_take_the_same_webhooks_at_once_change_the_books_once(
    till: Till,
) -> None:
    for seed in range(8):
        payment, webhooks = await webhooks_of(till, seed)
        await asyncio.gather(*(till.service.receive(event) for event in webhooks))
        await is_right(till, payment)
