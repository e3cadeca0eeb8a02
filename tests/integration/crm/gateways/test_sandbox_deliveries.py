"""The sandbox's webhooks arrive at least once, however badly it was told to behave."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from crm.actor import SERVICE_ACTOR
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.deliveries import SandboxDeliveries
from tests.integration.crm.gateways.conftest import SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from crm.payments.gateways.protocol import GatewayEvent
    from tests.integration.crm.gateways.conftest import Till

URL = "http://andino.example/webhooks/sandbox-payments"


class House:
    """Takes webhooks as the institution would, and may be out."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.out = 0
        self.taken: list[GatewayEvent] = []
        self.deliveries = SandboxDeliveries(
            till.database,
            httpx.AsyncClient(transport=httpx.MockTransport(self.take)),
            secret=SECRET,
            url=URL,
        )

    async def take(self, request: httpx.Request) -> httpx.Response:
        if self.out > 0:
            self.out -= 1
            raise httpx.ConnectError("nobody is in")
        now = self.till.clock.now()
        self.taken += await self.till.gateway.read_webhook(
            dict(request.headers), request.content, now=now
        )
        return httpx.Response(200)

    def kinds_of(self, payment_id: UUID) -> list[str]:
        return [e.kind for e in self.taken if e.payment_id == payment_id]


@pytest.fixture
async def house(till: Till) -> AsyncIterator[House]:
    await till.execute("UPDATE sandbox_deliveries SET status = 'dropped' WHERE status = 'pending'")
    yield House(till)
    await till.execute("DELETE FROM sandbox_behaviours")


async def behave(till: Till, behaviour: Behaviour) -> None:
    await till.desk.behave(behaviour, payment_id=None, actor=SERVICE_ACTOR)


async def test_webhooks_arrive_once_and_in_order(house: House, till: Till) -> None:
    order, ref = await till.paid()
    assert await house.deliveries.run_due() == 2
    assert await house.deliveries.run_due() == 0
    assert house.kinds_of(order.payment_id) == ["authorized", "completed"]
    assert tuple(house.taken) == await till.gateway.fetch(ref)


async def test_webhook_is_repeated_until_somebody_takes_it(house: House, till: Till) -> None:
    order, _ = await till.paid()
    house.out = 3
    for _ in range(10):
        await house.deliveries.run_due()
        till.clock.advance(timedelta(minutes=1))
    assert Counter(house.kinds_of(order.payment_id)) == {"authorized": 1, "completed": 1}


async def test_webhook_is_given_up_after_many_tries(house: House, till: Till) -> None:
    await till.paid()
    house.out = 1_000
    for _ in range(15):
        await house.deliveries.run_due()
        till.clock.advance(timedelta(minutes=11))
    assert house.out == 1_000 - 2 * 12
    assert await till.count("SELECT count(*) FROM sandbox_deliveries WHERE status = 'pending'") == 0


async def test_crash_between_sending_and_noting_sends_again(house: House, till: Till) -> None:
    order, _ = await till.paid()
    await house.deliveries.run_due()
    await till.execute("UPDATE sandbox_deliveries SET status = 'pending' WHERE status='delivered'")
    till.clock.advance(timedelta(minutes=1))
    await house.deliveries.run_due()
    assert Counter(house.kinds_of(order.payment_id)) == {"authorized": 2, "completed": 2}


async def test_duplicated_webhooks_arrive_twice_or_more(house: House, till: Till) -> None:
    await behave(till, Behaviour(duplicate_percent=100))
    order, _ = await till.paid()
    await house.deliveries.run_due()
    counts = Counter(house.kinds_of(order.payment_id))
    assert set(counts) == {"authorized", "completed"}
    assert set(counts.values()) <= {2, 3}


async def test_dropped_webhooks_are_only_known_to_who_asks(house: House, till: Till) -> None:
    await behave(till, Behaviour(drop_percent=100))
    _, ref = await till.paid()
    assert await house.deliveries.run_due() == 0
    assert await till.kinds(ref) == ["authorized", "completed"]


async def test_delayed_webhooks_arrive_later(house: House, till: Till) -> None:
    await behave(till, Behaviour(delay_max_s=3_600, seed=1))
    order, _ = await till.paid()
    await house.deliveries.run_due()
    assert house.kinds_of(order.payment_id) == []
    till.clock.advance(timedelta(hours=1))
    await house.deliveries.run_due()
    assert len(house.kinds_of(order.payment_id)) == 2


async def test_some_webhooks_arrive_in_another_order(house: House, till: Till) -> None:
    await behave(till, Behaviour(reorder=True))
    orders = [(await till.paid())[0] for _ in range(12)]
    while await house.deliveries.run_due():
        pass
    orders_seen = {tuple(house.kinds_of(order.payment_id)) for order in orders}
    assert orders_seen == {("authorized", "completed"), ("completed", "authorized")}
