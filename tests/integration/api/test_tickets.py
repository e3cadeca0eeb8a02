"""Staff work with tickets over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.bootstrap import Services
from api.routes import tickets
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Actor, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.people.models import CreatePerson, Person
from tests.integration.api.serving import client_of, log_in, serving

PASSWORD = "correct horse battery"


@dataclass
class Desk:
    """An advisor's client of the API, and the services behind it."""

    app: FastAPI
    services: Services
    client: httpx.AsyncClient
    staff_id: str

    async def new_person(self) -> Person:
        """Add somebody."""
        command = CreatePerson(full_name="Ana Pérez")
        return await self.services.people.create_person(command, actor=SERVICE_ACTOR)

    async def post(self, path: str, **body: object) -> httpx.Response:
        """Send a body."""
        return await self.client.post(f"/v1/tickets{path}", json=body)

    async def open(self, **facts: object) -> dict[str, Any]:
        """Open a ticket."""
        answer = await self.post("", **{**TICKET, **facts})
        assert answer.status_code == 201, answer.text
        ticket: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/tickets/{ticket['id']}"
        return ticket


TICKET = {
    "category": "technical",
    "title": "No puedo entrar",
    "description": "El campus no acepta mi clave.",
}


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with serving(settings, tickets.router) as app, client_of(app) as client:
        services: Services = app.state.services
        command = CreateStaff(
            email="eva@andino.example", name="Eva", role=Role.ADVISOR, password=PASSWORD
        )
        staff = await services.identity.create_staff(command, actor=SERVICE_ACTOR)
        client.headers.update(await log_in(client, staff.email, PASSWORD))
        yield Desk(app, services, client, str(staff.id))


async def test_ticket_is_opened_assigned_noted_resolved_and_reopened(desk: Desk) -> None:
    person = await desk.new_person()
    ticket = await desk.open(person_id=str(person.id), priority="high")
    path = f"/{ticket['id']}"

    assigned = await desk.post(f"{path}/assign", staff_id=desk.staff_id)
    note = await desk.post(f"{path}/notes", text="Llamar mañana.")
    resolved = await desk.post(f"{path}/status", status="resolved")
    reopened = await desk.post(f"{path}/status", status="open")
    detail = (await desk.client.get(f"/v1/tickets{path}")).json()

    assert assigned.json()["staff_id"] == desk.staff_id
    assert (note.status_code, note.json()["to_value"]) == (201, "Llamar mañana.")
    assert (resolved.json()["status"], reopened.json()["status"]) == ("resolved", "open")
    assert detail["ticket"] == reopened.json()
    kinds = [e["kind"] for e in detail["history"]]
    assert kinds == ["opened", "assigned", "note", "status", "status"]


async def test_illegal_move_is_refused(desk: Desk) -> None:
    ticket = await desk.open()
    answer = await desk.post(f"/{ticket['id']}/status", status="closed")
    assert (answer.status_code, answer.json()["code"]) == (422, "ticket.transition")


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"title": ""}, 422, "request.invalid"),
        ({"title": "   "}, 422, "ticket.text"),
        ({"title": "a" * 201}, 422, "request.invalid"),
        ({"description": "a\x00b"}, 422, "request.invalid"),
        ({"category": "gossip"}, 422, "request.invalid"),
        ({"subject_id": str(new_id())}, 422, "request.invalid"),
        ({"person_id": str(new_id())}, 404, "person.unknown"),
        ({"conversation_id": str(new_id())}, 404, "conversation.unknown"),
    ],
)
async def test_impossible_ticket_is_refused(
    desk: Desk, facts: dict[str, object], status: int, code: str
) -> None:
    answer = await desk.post("", **{**TICKET, **facts})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_ticket_of_a_conversation_is_its_students(desk: Desk) -> None:
    session = (await desk.services.conversations.start_session(locale="es")).session
    student = Actor(session.subject_id)
    ticket = await desk.open(conversation_id=str(session.conversation_id))
    mine = await desk.services.support.list_tickets(actor=student)
    assert [str(t.id) for t in mine.items] == [ticket["id"]]


async def test_ticket_does_not_join_a_conversation_with_another_person(desk: Desk) -> None:
    session = (await desk.services.conversations.start_session(locale="es")).session
    person = await desk.new_person()
    answer = await desk.post(
        "",
        **TICKET,
        person_id=str(person.id),
        conversation_id=str(session.conversation_id),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "ticket.person")


async def test_filters_and_pages_give_every_ticket_once(desk: Desk) -> None:
    person = await desk.new_person()
    opened = [await desk.open(person_id=str(person.id), title=f"Nº {n}") for n in range(5)]
    await desk.post(f"/{opened[2]['id']}/status", status="pending")
    params: dict[str, Any] = {"person_id": str(person.id), "status": "open", "limit": 2}
    seen: list[str] = []
    while True:
        page = (await desk.client.get("/v1/tickets", params=params)).json()
        seen += [t["title"] for t in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == ["Nº 4", "Nº 3", "Nº 1", "Nº 0"]


async def test_repeated_key_opens_one_ticket(desk: Desk) -> None:
    person = await desk.new_person()
    body = {**TICKET, "person_id": str(person.id)}
    headers = {"Idempotency-Key": new_id().hex}
    answers = [await desk.client.post("/v1/tickets", json=body, headers=headers) for _ in range(3)]
    assert {a.json()["id"] for a in answers} == {answers[0].json()["id"]}
    params = {"person_id": str(person.id)}
    assert len((await desk.client.get("/v1/tickets", params=params)).json()["items"]) == 1
    other = await desk.client.post("/v1/tickets", json={**body, "title": "Otro"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")


async def test_tickets_are_for_staff_with_a_session(desk: Desk) -> None:
    ticket = await desk.open()
    async with client_of(desk.app) as nobody:
        for headers in ({}, {"Authorization": "Bearer guessed"}):
            answer = await nobody.get(f"/v1/tickets/{ticket['id']}", headers=headers)
            assert answer.status_code == 401


async def test_unknown_ticket_and_staff_are_not_found(desk: Desk) -> None:
    ticket = await desk.open()
    gone = await desk.client.get(f"/v1/tickets/{new_id()}")
    nobody = await desk.post(f"/{ticket['id']}/assign", staff_id=str(new_id()))
    assert (gone.status_code, gone.json()["code"]) == (404, "ticket.unknown")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "staff.unknown")
