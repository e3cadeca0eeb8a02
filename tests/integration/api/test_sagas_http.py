"""Staff follow enrolments and withdrawals over HTTP and by command, and help the stuck ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from api.cli import build
from api.routes import chat, sagas
from crm.actor import SERVICE_ACTOR, Actor, IdentityLevel
from crm.errors import Denied
from crm.ids import SubjectId, new_id
from crm.people.models import CreatePerson
from crm.workflows.models import SagaId
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from api.bootstrap import Services
    from api.settings import Settings

PATH = "/v1/enrolments/sagas"


@dataclass
class Desk:
    """An advisor's client, and the services behind it."""

    services: Services
    client: httpx.AsyncClient
    cohort: str

    async def enrol(self) -> dict[str, Any]:
        """Start to enrol somebody new."""
        command = CreatePerson(full_name="Ana Paz", email=f"{new_id()}@example.com")
        person = await self.services.people.create_person(command, actor=SERVICE_ACTOR)
        body = {"person_id": str(person.id), "cohort": self.cohort}
        answer = await self.client.post("/v1/enrolments", json=body)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def stuck(self) -> str:
        """Return an enrolment that was set aside."""
        saga = await self.enrol()
        async with self.services.database.transaction() as uow:
            await uow.conn.execute(
                "UPDATE sagas SET parked_at = %s, last_error = 'refund.failed' WHERE id = %s",
                [uow.clock.now(), saga["id"]],
            )
        return str(saga["id"])


async def _cohort_for_all(services: Services) -> str:
    found = await services.courses.list_cohorts(open_only=True, limit=200)
    for cohort in found.items:
        course = await services.courses.get_course(cohort.course_code)
        if not course.prerequisites and cohort.seats_left > 8:
            return cohort.code
    raise AssertionError("the demo has such a cohort")


@pytest.fixture(scope="module")
async def desk(demo_settings: Settings) -> AsyncIterator[Desk]:
    async with serving(demo_settings, sagas.router, chat.router) as app, client_of(app) as client:
        services: Services = app.state.services
        client.headers.update(
            await log_in(client, "lucia.rojas@andino.example", "andino-lucia-demo")
        )
        yield Desk(services, client, await _cohort_for_all(services))


async def test_enrolment_is_listed_read_and_cancelled(desk: Desk) -> None:
    saga = await desk.enrol()
    assert (saga["status"], saga["kind"]) == ("running", "enrolment")
    assert saga["payment_url"]
    listed = await desk.client.get(PATH, params={"person_id": saga["person_id"]})
    assert [found["id"] for found in listed.json()["items"]] == [saga["id"]]
    read = (await desk.client.get(f"{PATH}/{saga['id']}")).json()
    assert [step["step"] for step in read["steps"]] == ["reserve", "bill"]
    for _ in range(2):
        cancelled = await desk.client.post(f"{PATH}/{saga['id']}/cancel")
        assert cancelled.status_code in (200, 422), cancelled.text
    undone = (await desk.client.get(f"{PATH}/{saga['id']}")).json()
    assert undone["status"] in ("compensating", "compensated")
    assert undone["failure"] == "cancelled"


async def test_stuck_one_is_listed_and_resumed_once(desk: Desk) -> None:
    saga_id = await desk.stuck()
    listed = (await desk.client.get(PATH, params={"stuck": True, "status": "running"})).json()
    assert saga_id in [found["id"] for found in listed["items"]]
    resumed = await desk.client.post(f"{PATH}/{saga_id}/resume")
    assert resumed.status_code == 200, resumed.text
    assert resumed.json()["parked_at"] is None
    assert "resumed" in [step["outcome"] for step in resumed.json()["steps"]]
    again = await desk.client.post(f"{PATH}/{saga_id}/resume")
    assert (again.status_code, again.json()["code"]) == (422, "saga.active")


@pytest.mark.parametrize("act", ["", "/cancel", "/resume"])
async def test_what_nobody_knows_is_not_found(desk: Desk, act: str) -> None:
    method = "POST" if act else "GET"
    answer = await desk.client.request(method, f"{PATH}/{new_id()}{act}")
    assert (answer.status_code, answer.json()["code"]) == (404, "saga.unknown")


@pytest.mark.parametrize("act", ["", "/cancel", "/resume"])
async def test_students_and_strangers_are_kept_out(desk: Desk, act: str) -> None:
    saga_id, method = await desk.stuck(), "POST" if act else "GET"
    started = await desk.client.post("/v1/chat/sessions", json={})
    student = {"Authorization": f"Bearer {started.json()['session_token']}"}
    for headers, refusal in (({"Authorization": ""}, "auth.missing"), (student, "auth.token")):
        answer = await desk.client.request(method, f"{PATH}/{saga_id}{act}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, refusal)


async def test_student_resumes_nothing(desk: Desk) -> None:
    saga_id = SagaId(UUID(await desk.stuck()))
    owner = (await desk.services.workflows.get_saga(saga_id, actor=SERVICE_ACTOR))[0].person_id
    student = Actor(SubjectId(owner), IdentityLevel.VERIFIED, person_id=owner)
    with pytest.raises(Denied, match=r"auth\.role"):
        await desk.services.workflows.resume(saga_id, actor=student)
    with pytest.raises(Denied, match=r"auth\.role"):
        await desk.services.workflows.resume_all(actor=student)


def command(settings: Settings, *arguments: str) -> str:
    """Run the command line against these servers, and return what it prints."""
    environment = {
        "ORIENTA_DATABASE_URL": settings.database_url,
        "ORIENTA_MASTER_KEY": settings.master_key.get_secret_value() if settings.master_key else "",
        "ORIENTA_EMBEDDER": "none",
        "COLUMNS": "240",
    }
    done = CliRunner().invoke(build(arguments), list(arguments), env=environment)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


async def test_command_lists_and_resumes_what_is_stuck(desk: Desk) -> None:
    settings = desk.services.settings
    first, second = await desk.stuck(), await desk.stuck()
    listed = await asyncio.to_thread(command, settings, "sagas", "list")
    assert first in listed
    assert "refund.failed" in listed
    one = await asyncio.to_thread(command, settings, "sagas", "resume", "--id", first)
    assert "1 sagas" in one
    listed = await asyncio.to_thread(command, settings, "sagas", "list")
    assert first not in listed
    assert second in listed
    await asyncio.to_thread(command, settings, "sagas", "resume", "--all")
    assert "nothing is stuck" in await asyncio.to_thread(command, settings, "sagas", "list")
