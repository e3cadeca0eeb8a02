"""Nothing new is written about people who were merged or erased, whichever route is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from api.routes import ROUTERS, auth
from crm.actor import SERVICE_ACTOR
from crm.ids import PersonId, new_id
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from fastapi import FastAPI

    from api.bootstrap import Services
    from api.settings import Settings
    from crm.courses.models import Cohort

PEN = {"amount_minor": 10_000, "currency": "PEN"}
CONSENT = {"channel": "email", "purpose": "marketing", "granted": True, "text_version": "1"}
ABOUT = {"category": "academic", "title": "Un certificado", "description": "Lo pide."}

#: Every write that names a person, and what else it is told.
WRITES: dict[str, dict[str, Any]] = {
    "PATCH /v1/people/{person_id}": {"expected_version": 2, "full_name": "Ana Paz"},
    "POST /v1/people/{person_id}/consents": CONSENT,
    "PUT /v1/people/{person_id}/preferences": {"preferred_channel": None, "opted_out": []},
    "POST /v1/people/{person_id}/merge": {"merged_id": "{other}"},
    "POST /v1/cohorts/{cohort}/holds": {"person_id": "{person_id}"},
    "POST /v1/cohorts/{cohort}/waitlist": {"person_id": "{person_id}"},
    "POST /v1/enrolments": {"person_id": "{person_id}", "cohort": "{cohort}"},
    "POST /v1/quotes": {"person_id": "{person_id}", "cohort_id": "{cohort_id}"},
    "POST /v1/scholarships/applications": {
        "person_id": "{person_id}",
        "scholarship_code": "{scholarship}",
        "statement": "Porque sí.",
    },
    "POST /v1/leads": {"person_id": "{person_id}"},
    "POST /v1/tasks": {
        "person_id": "{person_id}",
        "title": "Llamar",
        "due_at": "2030-01-01T12:00:00Z",
    },
    "POST /v1/tickets": {"person_id": "{person_id}", **ABOUT},
    "POST /v1/appointments": {
        "person_id": "{person_id}",
        "topic": "Becas",
        "mode": "video",
        "starts_at": "{slot}",
    },
    "POST /v1/invoices": {
        "person_id": "{person_id}",
        "reference": "{reference}",
        "net": PEN,
        "due_dates": ["2030-01-01"],
    },
}
#: Writes about what a person left behind.
LEFT: dict[str, dict[str, Any]] = {
    "POST /v1/leads/{lead}/activities": {"kind": "note", "text": "Vive en Arequipa."},
    "POST /v1/tasks": {
        "lead_id": "{lead}",
        "title": "Llamar a Ana",
        "due_at": "2030-01-01T12:00:00Z",
    },
    "PATCH /v1/tasks/{task}": {"expected_version": 1, "title": "Llamar a Ana"},
    "POST /v1/tickets/{ticket}/notes": {"text": "Vive en Arequipa."},
}
#: They name a person and are not about what is known of them: an erasure may come again.
OTHERS = {"POST /v1/admin/people/{person_id}/erase", "POST /v1/people"}


@dataclass
class House:
    """An advisor's client of everything, and the services behind it."""

    app: FastAPI
    services: Services
    client: httpx.AsyncClient
    names: dict[str, str]

    async def new_person(self) -> PersonId:
        command = CreatePerson(full_name="Ana Paz", email=f"{new_id()}@example.com")
        return (await self.services.people.create_person(command, actor=SERVICE_ACTOR)).id

    async def gone(self, how: str) -> PersonId:
        """Return somebody who was merged or erased."""
        person = await self.new_person()
        await self.go(how, person)
        return person

    async def go(self, how: str, person: PersonId) -> None:
        """Let somebody be erased, or merged into somebody else."""
        if how == "erased":
            await self.services.erasures.erase(
                person, confirmation="Ana Paz", despite_debt=True, actor=SERVICE_ACTOR
            )
        else:
            survivor = await self.new_person()
            await self.services.merges.merge(survivor, person, actor=SERVICE_ACTOR)

    async def send(self, route: str, body: dict[str, Any], **names: object) -> httpx.Response:
        """Call a route with what the names in it and in its body stand for."""
        known = self.names | {k: str(v) for k, v in names.items()}
        method, path = route.split(" ")
        filled = {k: v.format_map(known) if isinstance(v, str) else v for k, v in body.items()}
        return await self.client.request(method, path.format_map(known), json=filled)


@pytest.fixture(scope="module")
async def house(demo_settings: Settings) -> AsyncIterator[House]:
    routers = [router for router in ROUTERS if router is not auth.router]
    async with serving(demo_settings, *routers) as app, client_of(app) as client:
        services: Services = app.state.services
        client.headers.update(await log_in(client, "admin@andino.example", "andino-admin-demo"))
        cohort = await _cohort_for_all(services)
        found = (await client.get("/v1/scholarships")).json()["items"]
        slots = await client.get("/v1/appointments/slots", params={"mode": "video"})
        names = {
            "cohort": cohort.code,
            "cohort_id": str(cohort.id),
            "slot": slots.json()["items"][0]["starts_at"],
            "scholarship": next(one["code"] for one in found if not one["automatic"]),
        }
        yield House(app, services, client, names)


async def _cohort_for_all(services: Services) -> Cohort:
    """Return a cohort that asks for nothing and has seats."""
    found = await services.courses.list_cohorts(open_only=True, limit=200)
    for cohort in found.items:
        if not (await services.courses.get_course(cohort.course_code)).prerequisites:
            return cohort
    raise AssertionError("the demo has such a cohort")


def test_every_write_that_names_a_person_is_looked_at(house: House) -> None:
    schema = house.app.openapi()
    naming = {
        f"{method.upper()} {path}"
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method != "get" and ("{person_id}" in path or _names_person(schema, operation))
    }
    assert naming == WRITES.keys() | OTHERS


def _names_person(schema: dict[str, Any], operation: dict[str, Any]) -> bool:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    properties = schema["components"]["schemas"].get(name, {}).get("properties", {})
    return bool({"person_id", "guardian_id"} & properties.keys())


@pytest.mark.parametrize("how", ["merged", "erased"])
@pytest.mark.parametrize("route", WRITES)
async def test_nothing_new_is_written_about_the_gone(house: House, route: str, how: str) -> None:
    person, other = await house.gone(how), await house.new_person()
    answer = await house.send(
        route, WRITES[route], person_id=person, other=other, reference=f"gone:{person}"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "person.inactive"), answer.text


@pytest.mark.parametrize("route", WRITES)
async def test_the_same_is_written_about_others(house: House, route: str) -> None:
    person, other = await house.new_person(), await house.new_person()
    body = WRITES[route] | ({"expected_version": 1} if route.startswith("PATCH") else {})
    answer = await house.send(
        route, body, person_id=person, other=other, reference=f"here:{person}"
    )
    assert answer.is_success or answer.json()["code"] == "waitlist.open", answer.text


@pytest.mark.parametrize("route", LEFT)
async def test_no_text_is_added_to_what_the_erased_left(house: House, route: str) -> None:
    person = await house.new_person()
    left = {
        kind: (await house.send(f"POST /v1/{kind}s", WRITES[f"POST /v1/{kind}s"], person_id=person))
        for kind in ("lead", "task", "ticket")
    }
    names = {kind: answer.json()["id"] for kind, answer in left.items()}
    await house.go("erased", person)
    answer = await house.send(route, LEFT[route], **names)
    assert (answer.status_code, answer.json()["code"]) == (422, "person.inactive"), answer.text


async def test_what_was_invoiced_before_is_found_again(house: House) -> None:
    person = await house.new_person()
    body = WRITES["POST /v1/invoices"]
    first = await house.send(
        "POST /v1/invoices", body, person_id=person, reference=f"twice:{person}"
    )
    await house.go("erased", person)
    again = await house.send(
        "POST /v1/invoices", body, person_id=person, reference=f"twice:{person}"
    )
    assert first.status_code == again.status_code == 201
    assert again.json()["id"] == first.json()["id"]
