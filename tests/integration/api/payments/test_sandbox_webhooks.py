"""What happens at the sandbox reaches the books over HTTP, however badly it is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api.routes import payment_webhooks
from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.money import Money
from crm.payments import acts
from crm.payments.gateways.protocol import GatewayEvent
from crm.payments.gateways.sandbox import signing
from crm.payments.gateways.sandbox.behaviour import Behaviour
from crm.payments.gateways.sandbox.deliveries import SandboxDeliveries
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, serving
from tests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from api.bootstrap import Services
    from api.settings import Settings
    from crm.payments.models import Payment, PaymentId

URL = "http://andino.example/webhooks/sandbox-payments"


class House(Rows):
    """A deployment, and the sandbox that reports to it."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services = services
        self.database = services.database
        self.client = client
        self.sandbox = services.tills.require_sandbox()
        # The secret is the deployment's own: made of its master key, not known to this test.
        self.secret: bytes = self.sandbox.gateway._secret
        self.deliveries = SandboxDeliveries(self.database, client, secret=self.secret, url=URL)

    async def ordered(self) -> Payment:
        """Invoice somebody, and open the checkout of their payment."""
        person = await self.services.people.create_person(
            CreatePerson(full_name="Ana", locale="es"), actor=SERVICE_ACTOR
        )
        async with self.database.transaction() as uow:
            invoice = await acts.raise_invoice(
                uow,
                person_id=person.id,
                reference=str(new_id()),
                net=Money(30_000, "PEN"),
                due_dates=[(uow.clock.now() + timedelta(days=7)).date()],
                actor=SERVICE_ACTOR,
            )
            payment = await acts.initiate_payment(
                uow,
                invoice_id=invoice.id,
                amount=invoice.net,
                gateway="sandbox",
                effect_key=str(new_id()),
                actor=SERVICE_ACTOR,
            )
        await self.services.payments.run_due()
        return await self.payment(payment.id)

    async def payment(self, payment_id: PaymentId) -> Payment:
        """Return a payment as the books have it."""
        detail = await self.services.payments.get_payment(payment_id, actor=SERVICE_ACTOR)
        return detail.payment


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    settings = settings.model_copy(
        update={"payment_gateway": "sandbox", "public_url": "http://andino.example"}
    )
    async with serving(settings, payment_webhooks.router) as app, client_of(app) as client:
        yield House(app.state.services, client)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(duplicate_percent=100, reorder=True, seed=1),
        Behaviour(duplicate_percent=100, reorder=True, seed=2),
    ],
    ids=["good", "shuffled", "shuffled otherwise"],
)
async def test_payment_is_entered_once(house: House, behaviour: Behaviour) -> None:
    payment = await house.ordered()
    await house.sandbox.desk.behave(behaviour, payment_id=payment.id, actor=SERVICE_ACTOR)
    assert payment.gateway_ref is not None
    await house.sandbox.desk.decide(payment.gateway_ref, "pay")
    while await house.deliveries.run_due():
        pass
    paid = await house.payment(payment.id)
    assert (paid.status, paid.captured.amount_minor) == ("completed", 30_000)
    entered = "SELECT count(*) FROM payment_events WHERE payment_id = %s AND kind = 'completed'"
    assert await house.count(entered, payment.id) == 1


async def test_declined_payment_is_known_to_have_failed(house: House) -> None:
    payment = await house.ordered()
    assert payment.gateway_ref is not None
    await house.sandbox.desk.decide(payment.gateway_ref, "decline")
    await house.deliveries.run_due()
    assert (await house.payment(payment.id)).status == "failed"


async def test_webhook_about_nothing_we_know_is_taken_and_noted_once(house: House) -> None:
    now = house.services.clock.now()
    event = GatewayEvent(
        gateway="sandbox",
        event_id="co_strange:completed",
        kind="completed",
        payment_id=new_id(),
        gateway_ref="co_strange",
        amount=Money(1, "USD"),
        occurred_at=now,
    )
    body = signing.write_body(event)
    headers = {signing.HEADER: signing.sign(body, house.secret, now)}
    for _ in range(2):
        answer = await house.client.post(URL, content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"new_events": 0})
    notes = "SELECT count(*) FROM gateway_dead_notes WHERE event_id = %s"
    assert await house.count(notes, event.event_id) == 1


async def test_signed_nonsense_is_refused_in_order(house: House) -> None:
    body = b'{"id": 1}'
    signature = signing.sign(body, house.secret, house.services.clock.now())
    answer = await house.client.post(URL, content=body, headers={signing.HEADER: signature})
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook.malformed")
