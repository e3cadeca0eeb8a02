"""The sandbox takes pretended money once, gives it back once, and remembers all of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from crm.actor import SERVICE_ACTOR
from crm.errors import NotFound, RuleBroken, Unavailable
from crm.money import Money
from crm.payments.gateways.protocol import GatewayRefused
from crm.payments.gateways.sandbox import till as acts
from crm.payments.gateways.sandbox.behaviour import Behaviour
from tests.integration.crm.gateways.conftest import PRICE

if TYPE_CHECKING:
    from uuid import UUID

    from tests.integration.crm.gateways.conftest import Till


async def behave(till: Till, behaviour: Behaviour, payment_id: UUID) -> None:
    await till.desk.behave(behaviour, payment_id=payment_id, actor=SERVICE_ACTOR)


async def test_one_payment_has_one_checkout(till: Till) -> None:
    order = till.order()
    opened = await asyncio.gather(*[till.gateway.create_checkout(order) for _ in range(5)])
    assert len(set(opened)) == 1
    assert opened[0].url == f"http://andino.example/sandbox/pay/{opened[0].gateway_ref}"


async def test_checkout_is_not_reopened_with_another_amount(till: Till) -> None:
    order = till.order()
    await till.gateway.create_checkout(order)
    with pytest.raises(GatewayRefused, match=r"gateway\.mismatch"):
        await till.gateway.create_checkout(replace(order, amount=Money(1, "USD")))


@pytest.mark.parametrize(
    "change", [{"amount": Money(0, "USD")}, {"return_url": "javascript:alert(1)"}]
)
async def test_order_that_makes_no_sense_is_refused(till: Till, change: dict[str, object]) -> None:
    with pytest.raises(GatewayRefused):
        await till.gateway.create_checkout(replace(till.order(), **change))  # type: ignore[arg-type]


async def test_paying_twice_takes_the_money_once(till: Till) -> None:
    order = till.order()
    checkout = await till.gateway.create_checkout(order)
    pay = till.desk.decide
    await asyncio.gather(*[pay(checkout.gateway_ref, "pay") for _ in range(4)])
    await pay(checkout.gateway_ref, "decline")
    events = await till.gateway.fetch(checkout.gateway_ref)
    assert [e.kind for e in events] == ["authorized", "completed"]
    assert {e.amount for e in events} == {PRICE}
    assert {e.payment_id for e in events} == {order.payment_id}


async def test_declined_checkout_cannot_be_paid_any_more(till: Till) -> None:
    checkout = await till.gateway.create_checkout(till.order())
    await till.desk.decide(checkout.gateway_ref, "decline")
    await till.desk.decide(checkout.gateway_ref, "pay")
    assert await till.kinds(checkout.gateway_ref) == ["failed"]


async def test_nobody_pays_after_the_time(till: Till) -> None:
    checkout = await till.gateway.create_checkout(till.order())
    till.clock.advance(timedelta(minutes=30))
    await till.desk.decide(checkout.gateway_ref, "pay")
    assert await till.kinds(checkout.gateway_ref) == []
    async with till.database.transaction() as uow:
        assert await acts.expire_due(uow, 10) >= 1
    assert await till.kinds(checkout.gateway_ref) == ["expired"]


async def test_cancelled_checkout_cannot_be_paid(till: Till) -> None:
    order = till.order()
    ref = (await till.gateway.create_checkout(order)).gateway_ref
    assert await till.gateway.cancel_checkout(order.payment_id, ref) == "cancelled"
    await till.desk.decide(ref, "pay")
    assert await till.gateway.cancel_checkout(order.payment_id, ref) == "cancelled"
    assert await till.kinds(ref) == ["expired"]


async def test_cancelling_what_is_paid_says_so(till: Till) -> None:
    order, ref = await till.paid()
    assert await till.gateway.cancel_checkout(order.payment_id, ref) == "paid"


async def test_refund_happens_once_a_refund_id(till: Till) -> None:
    order, ref = await till.paid()
    asked = till.refund_of(order, ref, 90_00)
    results = await asyncio.gather(*[till.gateway.refund(asked) for _ in range(4)])
    assert {r.state for r in results} == {"done"}
    assert await till.kinds(ref) == ["authorized", "completed", "refunded"]


async def test_partial_refunds_never_exceed_what_was_paid(till: Till) -> None:
    order, ref = await till.paid()
    parts = [till.refund_of(order, ref, 1_000_00) for _ in range(4)]
    results = await asyncio.gather(
        *[till.gateway.refund(part) for part in parts], return_exceptions=True
    )
    assert sum(isinstance(r, GatewayRefused) for r in results) == 3
    await till.gateway.refund(till.refund_of(order, ref, 890_00))
    with pytest.raises(GatewayRefused, match=r"refund\.exceeds"):
        await till.gateway.refund(till.refund_of(order, ref, 1))


async def test_unpaid_checkout_gives_nothing_back(till: Till) -> None:
    order = till.order()
    ref = (await till.gateway.create_checkout(order)).gateway_ref
    with pytest.raises(GatewayRefused, match=r"refund\.unpaid"):
        await till.gateway.refund(till.refund_of(order, ref, 1))


async def test_refund_may_be_pending_and_fail_later(till: Till) -> None:
    order, ref = await till.paid()
    await behave(till, Behaviour(refunds="pending_failed", refund_delay_s=60), order.payment_id)
    asked = till.refund_of(order, ref, 90_00)
    assert (await till.gateway.refund(asked)).state == "pending"
    till.clock.advance(timedelta(seconds=61))
    async with till.database.transaction() as uow:
        assert await acts.settle_due(uow, 10) == 1
    assert (await till.gateway.refund(asked)).state == "failed"
    assert await till.kinds(ref) == ["authorized", "completed", "refund_failed"]


async def test_failing_calls_get_through_in_the_end_and_act_once(till: Till) -> None:
    order = till.order()
    await behave(till, Behaviour(lose_percent=100), order.payment_id)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"gateway\.timeout"):
            await till.gateway.create_checkout(order)
    checkout = await till.gateway.create_checkout(order)
    await till.desk.decide(checkout.gateway_ref, "pay")
    asked = till.refund_of(order, checkout.gateway_ref, 90_00)
    with pytest.raises(Unavailable):
        await till.gateway.refund(asked)
    assert await till.kinds(checkout.gateway_ref) == ["authorized", "completed", "refunded"]


async def test_refused_call_does_nothing(till: Till) -> None:
    order, ref = await till.paid()
    await behave(till, Behaviour(refuse_percent=100), order.payment_id)
    with pytest.raises(Unavailable, match=r"gateway\.unavailable"):
        await till.gateway.refund(till.refund_of(order, ref, 90_00))
    assert await till.kinds(ref) == ["authorized", "completed"]


async def test_dispute_takes_the_money_until_it_is_won(till: Till) -> None:
    order, ref = await till.paid()
    await till.desk.open_dispute(ref, None, actor=SERVICE_ACTOR)
    with pytest.raises(GatewayRefused, match=r"refund\.disputed"):
        await till.gateway.refund(till.refund_of(order, ref, 1))
    with pytest.raises(RuleBroken, match=r"dispute\.exists"):
        await till.desk.open_dispute(ref, None, actor=SERVICE_ACTOR)
    await till.desk.decide_dispute(ref, won=True, actor=SERVICE_ACTOR)
    with pytest.raises(RuleBroken, match=r"dispute\.none"):
        await till.desk.decide_dispute(ref, won=True, actor=SERVICE_ACTOR)
    assert (await till.kinds(ref))[2:] == ["disputed", "dispute_won"]
    assert (await till.gateway.refund(till.refund_of(order, ref, 1))).state == "done"


async def test_movements_are_what_moved_money_in_the_period(till: Till) -> None:
    till.clock.advance(timedelta(days=400))
    since = till.clock.now()
    order, ref = await till.paid()
    await till.gateway.refund(till.refund_of(order, ref, 90_00))
    await till.desk.open_dispute(ref, 100_00, actor=SERVICE_ACTOR)
    await till.gateway.create_checkout(till.order())
    until = since + timedelta(seconds=1)
    found = [m async for m in till.gateway.list_movements(since=since, until=until)]
    assert [(m.kind, m.amount.amount_minor) for m in found] == [
        ("capture", 1_890_00),
        ("refund", 90_00),
        ("dispute", 100_00),
    ]
    assert {m.payment_id for m in found} == {order.payment_id}
    assert [m async for m in till.gateway.list_movements(since=until, until=until)] == []


async def test_unknown_checkout_is_not_found(till: Till) -> None:
    with pytest.raises(NotFound, match=r"gateway\.unknown"):
        await till.gateway.fetch("co_none")
