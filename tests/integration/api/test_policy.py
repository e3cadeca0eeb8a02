"""Admins read the policy, change it, and see what changed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from api.bootstrap import Services
from api.routes import policy
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from tests.integration.api.serving import client_of, log_in, serving

PASSWORD = "correct horse battery"
PATH = "/v1/admin/policy"


@dataclass
class House:
    """The services, and a client with the session of each role."""

    services: Services
    client: httpx.AsyncClient
    sessions: dict[Role, dict[str, str]]

    async def read(self, path: str = "", role: Role = Role.ADMIN) -> httpx.Response:
        """Ask for something."""
        return await self.client.get(f"{PATH}{path}", headers=self.sessions[role])

    async def write(self, text: str, version: int, **headers: str) -> httpx.Response:
        """Replace the policy as an admin."""
        body = {"text": text, "note": "por acuerdo", "expected_version": version}
        return await self.client.put(
            PATH, json=body, headers={**self.sessions[Role.ADMIN], **headers}
        )


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncIterator[House]:
    async with serving(settings, policy.router) as app, client_of(app) as client:
        services: Services = app.state.services
        sessions = {}
        for role in (Role.ADMIN, Role.ADVISOR):
            email = f"{role}@andino.example"
            command = CreateStaff(email=email, name="Rosa", role=role, password=PASSWORD)
            await services.identity.create_staff(command, actor=SERVICE_ACTOR)
            sessions[role] = await log_in(client, email, PASSWORD)
        yield House(services, client, sessions)


async def test_policy_changes_by_versions_and_nothing_is_lost(house: House) -> None:
    shipped = (await house.read()).json()
    assert shipped["version"] == 0
    assert "Nunca se dan datos de otra persona" in shipped["text"]
    longer = shipped["text"] + "\n7. Be brief. / Sé breve."

    written = await house.write(longer, 0)
    assert written.status_code == 200, written.text
    assert written.json()["version"] == 1
    assert (await house.read()).json()["text"] == longer
    stale = await house.write("otra cosa", 0)
    assert (stale.status_code, stale.json()["code"]) == (409, "policy.stale")

    assert (await house.read("/versions/0")).json() == shipped
    lines = (await house.read("/difference?before=0&after=1")).json()["lines"]
    assert [line for line in lines if line.startswith("+7.")]
    assert not [line for line in lines if line.startswith("-") and not line.startswith("---")]
    listed = (await house.read("/versions")).json()
    assert [one["version"] for one in listed["items"]] == [1]
    assert await house.services.policy.text() == longer


async def test_same_key_writes_once(house: House) -> None:
    now = (await house.read()).json()["version"]
    key = {"Idempotency-Key": "policy-once-0001"}
    first = await house.write("Sé amable. / Be kind.", now, **key)
    again = await house.write("Sé amable. / Be kind.", now, **key)
    assert first.json() == again.json()
    other = await house.write("Sé breve. / Be brief.", now, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")


async def test_only_admins_read_and_write(house: House) -> None:
    assert (await house.read(role=Role.ADVISOR)).status_code == 403
    body = {"text": "x", "note": "y", "expected_version": 0}
    refused = await house.client.put(PATH, json=body, headers=house.sessions[Role.ADVISOR])
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.role")


async def test_what_is_no_policy_is_refused(house: House) -> None:
    now = (await house.read()).json()["version"]
    blank = await house.write("  \n ", now)
    assert (blank.status_code, blank.json()["code"]) == (422, "policy.text")
    assert (await house.read("/versions/9999")).json()["code"] == "policy.unknown"
