"""Staff work with invoices and payments over HTTP, and a payer pays in the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from api.routes import invoices, payments
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    import httpx

    from api.bootstrap import Services
    from api.settings import Settings

PASSWORD = "correct horse battery"


@dataclass
class Office:
    """An advisor's client of the API, and the services behind it."""

    services: Services
    client: httpx.AsyncClient

    async def new_person(self) -> str:
        """Add somebody."""
        command = CreatePerson(full_name="Ana Pérez")
        person = await self.services.people.create_person(command, actor=SERVICE_ACTOR)
        return str(person.id)

    async def post(self, path: str, key: str | None = None, **body: object) -> httpx.Response:
        """Send a body."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client.post(path, json=body, headers=headers)

    async def invoice(self, amount: int = 30_000, *days: int, **facts: object) -> dict[str, Any]:
        """Raise an invoice."""
        today = datetime.now(UTC).date()
        dates = [(today + timedelta(days=n)).isoformat() for n in days or (7,)]
        body = {
            "person_id": await self.new_person(),
            "reference": f"test:{new_id()}",
            "net": pen(amount),
            "due_dates": dates,
        }
        answer = await self.post("/v1/invoices", **{**body, **facts})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/invoices/{found['id']}"
        return found


def pen(amount: int) -> dict[str, object]:
    return {"amount_minor": amount, "currency": "PEN"}


@pytest.fixture(scope="module")
async def office(settings: Settings) -> AsyncIterator[Office]:
    chosen = settings.model_copy(update={"payment_gateway": "sandbox"})
    routers = (invoices.router, payments.router, payments.links)
    async with serving(chosen, *routers) as app, client_of(app) as client:
        services: Services = app.state.services
        command = CreateStaff(
            email="eva@andino.example", name="Eva", role=Role.ADVISOR, password=PASSWORD
        )
        staff = await services.identity.create_staff(command, actor=SERVICE_ACTOR)
        client.headers.update(await log_in(client, staff.email, PASSWORD))
        yield Office(services, client)


async def test_invoice_is_raised_read_listed_credited_and_cancelled(office: Office) -> None:
    raised = await office.invoice(100, 7, 37, 67)
    assert [p["amount"]["amount_minor"] for p in raised["instalments"]] == [34, 33, 33]
    assert raised["status"] == "open"
    path = f"/v1/invoices/{raised['id']}"
    credited = await office.post(f"{path}/credit-notes", amount=pen(33), reason="goodwill")
    assert credited.status_code == 201, credited.text
    cancelled = (await office.post(f"{path}/cancel", reason="withdrawn")).json()
    assert (cancelled["status"], cancelled["outstanding"]) == ("cancelled", pen(0))
    detail = (await office.client.get(path)).json()
    assert [n["amount"]["amount_minor"] for n in detail["credit_notes"]] == [33, 67]
    listed = await office.client.get("/v1/invoices", params={"only": "cancelled"})
    assert [i["id"] for i in listed.json()["items"]] == [raised["id"]]


async def test_payer_follows_a_link_pays_and_is_refunded(office: Office) -> None:
    raised = await office.invoice(30_000)
    link = await office.post(f"/v1/invoices/{raised['id']}/payment-link", "k1")
    assert link.status_code == 201, link.text
    again = await office.post(f"/v1/invoices/{raised['id']}/payment-link", "k1")
    assert again.json() == link.json()

    path = "/pay/" + link.json()["url"].rpartition("/")[2]
    followed = await office.client.get(path, headers={"Authorization": ""})
    assert followed.status_code == 303, followed.text
    assert "/sandbox/pay/" in followed.headers["location"]
    checkout_id = followed.headers["location"].rpartition("/")[2]

    desk = office.services.tills.require_sandbox().desk
    await desk.decide(checkout_id, "pay")
    payment_id = link.json()["payment_id"]
    gateway = office.services.tills.gateways["sandbox"]
    for event in await gateway.fetch(checkout_id):
        await office.services.payments.receive(event)

    detail = (await office.client.get(f"/v1/payments/{payment_id}")).json()
    assert detail["payment"]["status"] == "completed"
    assert (await office.client.get(path)).json()["code"] == "payment_link.closed"
    refund = await office.post(
        f"/v1/payments/{payment_id}/refunds", amount=pen(10_000), reason="withdrawal"
    )
    assert refund.status_code == 201, refund.text
    over = await office.post(
        f"/v1/payments/{payment_id}/refunds", amount=pen(20_001), reason="withdrawal"
    )
    assert (over.status_code, over.json()["code"]) == (422, "refund.exceeds")
    await office.services.payments.run_due()
    for event in await gateway.fetch(checkout_id):
        await office.services.payments.receive(event)
    detail = (await office.client.get(f"/v1/payments/{payment_id}")).json()
    assert detail["payment"]["status"] == "partly_refunded"
    assert [r["status"] for r in detail["refunds"]] == ["done"]

    now = datetime.now(UTC)
    span = {"since": (now - timedelta(hours=1)).isoformat(), "until": now.isoformat()}
    report = await office.client.get(
        "/v1/payments/reconciliation", params={"gateway": "sandbox", **span}
    )
    assert report.json()["mismatches"] == [], report.text
    assert report.json()["matched"] >= 1


async def test_cash_is_entered_once_a_key_and_can_be_listed(office: Office) -> None:
    raised = await office.invoice(5_000)
    body = {"invoice_id": raised["id"], "amount": pen(5_000), "method": "cash"}
    first = await office.post("/v1/payments/manual", "cash-1", **body)
    assert first.status_code == 201, first.text
    assert (await office.post("/v1/payments/manual", "cash-1", **body)).json() == first.json()
    other = await office.post("/v1/payments/manual", "cash-1", **{**body, "method": "transfer"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    listed = await office.client.get(
        "/v1/payments", params={"invoice_id": raised["id"], "status": "completed"}
    )
    assert [p["id"] for p in listed.json()["items"]] == [first.json()["id"]]
    totals = (await office.client.get("/v1/payments/ledger")).json()
    assert sum(t["balance"]["amount_minor"] for t in totals) == 0
    void = await office.post(f"/v1/payments/{first.json()['id']}/void")
    assert void.json()["code"] == "payment.taken"
    assert (await office.client.get("/v1/payments/disputes")).json()["items"] == []


async def test_nothing_is_neither_refunded_nor_credited(office: Office) -> None:
    raised = await office.invoice(5_000)
    body = {"invoice_id": raised["id"], "amount": pen(2_000), "method": "cash"}
    paid = (await office.post("/v1/payments/manual", **body)).json()
    for path, code in (
        (f"/v1/payments/{paid['id']}/refunds", "refund.amount"),
        (f"/v1/invoices/{raised['id']}/credit-notes", "credit.amount"),
    ):
        answer = await office.post(path, amount=pen(0), reason="by mistake")
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    detail = (await office.client.get(f"/v1/payments/{paid['id']}")).json()
    assert detail["refunds"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"amount": {"amount_minor": 1.5, "currency": "PEN"}, "reason": "x"},
        {"amount": {"amount_minor": -1, "currency": "PEN"}, "reason": "x"},
        {"amount": {"amount_minor": 1, "currency": "pen"}, "reason": "x"},
        {"amount": {"amount_minor": 1, "currency": "PEN"}, "reason": ""},
        {"amount": {"amount_minor": 1, "currency": "PEN"}, "reason": "x", "more": 1},
    ],
)
async def test_malformed_money_is_refused(office: Office, body: dict[str, object]) -> None:
    answer = await office.post(f"/v1/payments/{new_id()}/refunds", **body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_what_nobody_knows_is_not_found(office: Office) -> None:
    for path in (f"/v1/payments/{new_id()}", f"/v1/invoices/{new_id()}", f"/pay/{'x' * 43}"):
        assert (await office.client.get(path)).status_code == 404
    body = {"person_id": str(new_id()), "reference": "r", "net": pen(1)}
    answer = await office.post("/v1/invoices", **body, due_dates=["2030-01-01"])
    assert answer.json()["code"] == "person.unknown"


async def test_nobody_reads_money_without_logging_in(office: Office) -> None:
    for path in ("/v1/payments", "/v1/invoices", "/v1/payments/ledger"):
        answer = await office.client.get(path, headers={"Authorization": ""})
        assert answer.status_code == 401
