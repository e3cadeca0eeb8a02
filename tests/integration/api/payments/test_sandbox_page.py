"""The sandbox's page takes a payer from the order to the end, and its webhooks reach us."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from api.routes import pages, payment_webhooks, sandbox_payments
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.money import Money
from crm.payments.gateways.protocol import CheckoutOrder
from crm.payments.gateways.sandbox import signing
from tests.integration.api.serving import client_of, log_in, serving
from tests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.bootstrap import Services
    from api.settings import Settings

ROUTERS = (pages.router, payment_webhooks.router, sandbox_payments.router)
PASSWORD = "correct horse battery"


class Shop(Rows):
    """A deployment that uses the sandbox, and a browser in front of it."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services = services
        self.database = services.database
        self.client = client

    async def open(self, amount: Money | None = None) -> str:
        """Order a payment, and return the path of its page."""
        order = CheckoutOrder(
            payment_id=new_id(),
            amount=amount or Money(1_890_50, "USD"),
            description="Python <b>para</b> datos",
            locale="es",
            return_url="https://andino.example/me",
            expires_at=self.services.clock.now() + timedelta(minutes=30),
        )
        checkout = await self.services.tills.gateways["sandbox"].create_checkout(order)
        return httpx.URL(checkout.url).path

    async def choose(self, path: str, choice: str) -> httpx.Response:
        """Press a button, and return the page that follows."""
        answer = await self.client.post(path, data={"choice": choice})
        assert answer.status_code == 303
        return await self.client.get(answer.headers["location"])

    async def headers(self, role: str) -> dict[str, str]:
        """Log in as somebody new with this role."""
        command = CreateStaff(
            email=f"{new_id()}@andino.example", name="Eva", role=Role(role), password=PASSWORD
        )
        staff = await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        return await log_in(self.client, staff.email, PASSWORD)


@pytest.fixture(scope="module")
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    settings = settings.model_copy(update={"payment_gateway": "sandbox"})
    async with serving(settings, *ROUTERS) as app, client_of(app) as client:
        yield Shop(app.state.services, client)


async def test_page_shows_amount_and_purpose_in_the_orders_language(shop: Shop) -> None:
    page = await shop.client.get(await shop.open())
    assert page.status_code == 200
    assert "USD\N{NO-BREAK SPACE}1.890,50" in page.text or "1,890.50" in page.text
    assert "Python &lt;b&gt;para&lt;/b&gt; datos" in page.text
    assert '<html lang="es">' in page.text


async def test_page_speaks_the_language_that_is_chosen(shop: Shop) -> None:
    page = await shop.client.get(await shop.open() + "?lang=en")
    assert '<html lang="en">' in page.text
    assert "Leave without paying" in page.text


@pytest.mark.parametrize(
    ("choice", "words"),
    [("pay", "Pago recibido"), ("decline", "Pago rechazado"), ("leave", "Saliste sin pagar")],
)
async def test_every_choice_leads_to_its_ending(shop: Shop, choice: str, words: str) -> None:
    page = await shop.choose(await shop.open(), choice)
    assert words in page.text
    assert 'href="https://andino.example/me"' in page.text
    assert 'value="pay"' not in page.text


async def test_who_left_can_come_back_and_pay(shop: Shop) -> None:
    path = await shop.open()
    await shop.choose(path, "leave")
    assert "Pago recibido" in (await shop.choose(path, "pay")).text


async def test_nonsense_pays_nothing(shop: Shop) -> None:
    path = await shop.open()
    for body in (b"\xff\xfe=1", b"choice=refund", b""):
        assert (await shop.client.post(path, content=body)).status_code == 303
    assert 'value="pay"' in (await shop.client.get(path)).text


async def test_unknown_checkout_is_not_there(shop: Shop) -> None:
    for path in ("/sandbox/pay/co_none", "/sandbox/pay/%00"):
        assert (await shop.client.get(path)).status_code == 404


async def test_forged_webhook_is_refused_and_audited(shop: Shop) -> None:
    before = await shop.count("SELECT count(*) FROM audit_events WHERE outcome = 'refused'")
    answer = await shop.client.post(
        "/webhooks/sandbox-payments", content=b"{}", headers={signing.HEADER: "t=1,v1=00"}
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "webhook.signature"
    after = await shop.count("SELECT count(*) FROM audit_events WHERE outcome = 'refused'")
    assert after == before + 1


async def test_webhook_that_is_too_long_is_not_read(shop: Shop) -> None:
    answer = await shop.client.post("/webhooks/sandbox-payments", content=b" " * 70_000)
    assert answer.status_code == 413


async def test_gateway_that_is_not_used_takes_no_webhook(shop: Shop) -> None:
    answer = await shop.client.post("/webhooks/stripe", content=b"{}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "gateway.inactive"


async def test_only_admins_make_it_misbehave(shop: Shop) -> None:
    path, body = "/v1/admin/sandbox-payments/behaviour", {"drop_percent": 20, "seed": 3}
    advisor, admin = await shop.headers("advisor"), await shop.headers("admin")
    assert (await shop.client.put(path, json=body, headers=advisor)).status_code == 403
    assert (await shop.client.put(path, json=body, headers=admin)).json()["drop_percent"] == 20
    assert (await shop.client.get(path, headers=admin)).json()["seed"] == 3
    reset = await shop.client.put(path, json={}, headers=admin)
    assert reset.json()["drop_percent"] == 0


async def test_admin_opens_and_decides_a_dispute(shop: Shop) -> None:
    path, admin = await shop.open(), await shop.headers("admin")
    await shop.choose(path, "pay")
    ref = path.rpartition("/")[2]
    dispute = f"/v1/admin/sandbox-payments/checkouts/{ref}/dispute"
    answers = [
        await shop.client.post(dispute, json={}, headers=admin),
        await shop.client.post(f"{dispute}/decision", json={"won": False}, headers=admin),
    ]
    assert [a.status_code for a in answers] == [204, 204]
    events = await shop.services.tills.gateways["sandbox"].fetch(ref)
    assert [e.kind for e in events] == ["authorized", "completed", "disputed", "dispute_lost"]


async def test_without_the_sandbox_its_page_is_not_there(settings: Settings) -> None:
    async with serving(settings, *ROUTERS) as app, client_of(app) as client:
        assert app.state.services.tills.chosen == "none"
        answer = await client.get("/sandbox/pay/co_1")
        assert (answer.status_code, answer.json()["code"]) == (404, "gateway.inactive")
