"""Imports over HTTP: send, try, run, read what is wrong."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from api.bootstrap import Services
from api.routes import imports
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from tests.integration.api.serving import client_of, log_in, serving

PASSWORD = "correct horse battery"
FILE = "nombre,mail\nAna Paz,ana@import.pe\n,x@import.pe\nEva Sol,eva@import.pe\n"


class House:
    """A client, its services, and a head of admissions who is logged in."""

    def __init__(self, client: httpx.AsyncClient, services: Services) -> None:
        self.client = client
        self.services = services
        self.admin: dict[str, str] = {}

    async def enter(self, role: Role) -> dict[str, str]:
        email = f"{role}@import.example"
        command = CreateStaff(email=email, name="Eva", role=role, password=PASSWORD)
        await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        return await log_in(self.client, email, PASSWORD)

    async def send(self, content: str = FILE, **query: object) -> httpx.Response:
        headers = {**self.admin, "Content-Type": "text/csv", **query.pop("headers", {})}  # type: ignore[dict-item]
        params = {"kind": "people", **query}
        return await self.client.post(
            "/v1/imports", content=content.encode(), params=params, headers=headers
        )


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    settings = settings.model_copy(update={"body_max_bytes": 4_096, "import_max_bytes": 100_000})
    async with serving(settings, imports.router) as app, client_of(app) as client:
        house = House(client, app.state.services)
        house.admin = await house.enter(Role.ADMIN)
        yield house


async def test_file_is_tried_then_run(house: House) -> None:
    sent = await house.send(dry_run=True, columns=json.dumps({"email": "mail"}))
    assert sent.status_code == 202
    place = sent.headers["Location"]
    assert sent.json()["status"] == "queued"
    await house.services.import_runner.run_next()
    tried = (await house.client.get(place, headers=house.admin)).json()
    assert (tried["status"], tried["created"], tried["failed"]) == ("done", 2, 1)
    assert (await house.client.post(f"{place}/run", headers=house.admin)).status_code == 200
    await house.services.import_runner.run_next()
    done = (await house.client.get(place, headers=house.admin)).json()
    assert (done["status"], done["dry_run"], done["created"]) == ("done", False, 2)
    errors = (await house.client.get(f"{place}/errors", headers=house.admin)).json()
    assert [(e["line"], e["field"], e["code"]) for e in errors["items"]] == [
        (3, "full_name", "person.name")
    ]
    listed = (await house.client.get("/v1/imports", headers=house.admin)).json()
    assert listed["items"][0]["id"] == done["id"]


async def test_same_key_makes_one_import(house: House) -> None:
    key = {"Idempotency-Key": "once"}
    first = await house.send(headers=key)
    again = await house.send(headers=key)
    assert first.json()["id"] == again.json()["id"]
    mapping = json.dumps({"email": "mail"})
    for other in (
        await house.send(FILE.replace("Eva", "Noa"), headers=key),
        await house.send(headers=key, dry_run=True),
        await house.send(headers=key, columns=mapping),
        await house.send(headers=key, duplicates="fail"),
        await house.send(headers=key, file_name="other.csv"),
    ):
        assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")
    listed = await house.client.get("/v1/imports", headers=house.admin)
    assert listed.json()["items"][0]["id"] == first.json()["id"]


async def test_larger_file_than_other_bodies_may_be_is_taken(house: House) -> None:
    lines = "".join(f"Ana {i},a{i}@large.pe\n" for i in range(2_000))
    assert (await house.send("name,email\n" + lines)).status_code == 202


@pytest.mark.parametrize(
    ("content", "query", "status", "code"),
    [
        ("x" * 200_000, {}, 413, "request.too_large"),
        ("", {}, 422, "import.empty"),
        (FILE, {"columns": "[1]"}, 422, "import.columns"),
        (FILE, {"columns": '{"salary": "mail"}'}, 422, "import.field"),
        (FILE, {"kind": "grades"}, 422, "request.invalid"),
    ],
)
async def test_what_cannot_be_imported_is_refused(
    house: House, content: str, query: dict[str, str], status: int, code: str
) -> None:
    answer = await house.send(content, **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_advisors_import_nothing(house: House) -> None:
    advisor = await house.enter(Role.ADVISOR)
    answer = await house.send(headers=advisor)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.role")


async def test_unknown_import_is_not_found(house: House) -> None:
    nowhere = "/v1/imports/00000000-0000-7000-8000-000000000000"
    for answer in (
        await house.client.get(nowhere, headers=house.admin),
        await house.client.get(f"{nowhere}/errors", headers=house.admin),
        await house.client.post(f"{nowhere}/run", headers=house.admin),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "import.unknown")
