"""Advisors see and pause the reminders of an invoice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from api.routes import dunning
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.money import Money
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date
    from uuid import UUID

    import httpx

    from api.bootstrap import Services
    from api.settings import Settings

PASSWORD = "correct horse battery"


class Office:
    """A client of an advisor's, and the services behind it."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services = services
        self.client = client

    @property
    def today(self) -> date:
        return self.services.clock.now().date()

    async def log_in(self) -> None:
        command = CreateStaff(
            email=f"{new_id()}@andino.example",
            name="Eva",
            role=Role.ADVISOR,
            password=PASSWORD,
        )
        staff = await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        self.client.headers.update(await log_in(self.client, staff.email, PASSWORD))

    async def invoice(self) -> UUID:
        person = await self.services.people.create_person(
            CreatePerson(full_name="Ana", email=f"{new_id()}@correo.example", locale="es"),
            actor=SERVICE_ACTOR,
        )
        raised = await self.services.payments.raise_invoice(
            person_id=person.id,
            reference=str(new_id()),
            net=Money(30_000, "PEN"),
            due_dates=[self.today],
            actor=SERVICE_ACTOR,
        )
        return raised.id


@pytest.fixture(scope="module")
async def office(settings: Settings) -> AsyncIterator[Office]:
    settings = settings.model_copy(update={"payment_gateway": "sandbox"})
    async with serving(settings, dunning.router) as app, client_of(app) as client:
        made = Office(app.state.services, client)
        await made.log_in()
        yield made


async def test_pause_is_shown_replaced_and_lifted(office: Office) -> None:
    path = f"/v1/invoices/{await office.invoice()}/dunning"
    for days in (5, 9):
        until = (office.today + timedelta(days=days)).isoformat()
        body = {"until": until, "reason": "promised by phone"}
        assert (await office.client.put(f"{path}/pause", json=body)).json()["until"] == until
    assert (await office.client.get(path)).json()["pause"]["until"] == until
    assert (await office.client.delete(f"{path}/pause")).status_code == 204
    assert (await office.client.get(path)).json()["pause"] is None


async def test_repeated_call_pauses_once(office: Office) -> None:
    path = f"/v1/invoices/{await office.invoice()}/dunning/pause"
    body = {"until": office.today.isoformat(), "reason": "promise"}
    key = {"Idempotency-Key": str(new_id())}
    answers = [await office.client.put(path, json=body, headers=key) for _ in range(2)]
    assert answers[0].json() == answers[1].json()


async def test_reminder_that_could_not_leave_says_why(office: Office) -> None:
    invoice_id = await office.invoice()
    await office.services.dunning.send_reminders()
    shown = (await office.client.get(f"/v1/invoices/{invoice_id}/dunning")).json()
    assert [(r["status"], r["code"]) for r in shown["reminders"]] == [
        ("refused", "contact.consent")
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"until": "2020-01-01", "reason": "x"}, "dunning.pause_until"),
        ({"until": "2020-01-01", "reason": ""}, "request.invalid"),
        ({"until": "x", "reason": "x"}, "request.invalid"),
    ],
)
async def test_pause_that_makes_no_sense_is_refused(
    office: Office, body: dict[str, str], code: str
) -> None:
    path = f"/v1/invoices/{await office.invoice()}/dunning/pause"
    answer = await office.client.put(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_unknown_invoice_is_not_found(office: Office) -> None:
    answer = await office.client.get(f"/v1/invoices/{new_id()}/dunning")
    assert (answer.status_code, answer.json()["code"]) == (404, "invoice.unknown")
