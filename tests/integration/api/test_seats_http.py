"""Staff work with holds, waitlists and enrolments over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from api.demo.loader import load_demo
from api.routes import cohorts, enrolments, seats
from crm.actor import SERVICE_ACTOR
from crm.courses.enrolments.acts import confirm_enrolment
from crm.courses.seats.models import HoldId
from crm.ids import new_id
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, log_in, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from api.bootstrap import Services
    from api.settings import Settings


@dataclass
class SeatDesk:
    """An advisor's client, and the services behind it."""

    services: Services
    advisor: httpx.AsyncClient
    nobody: httpx.AsyncClient

    async def new_person(self) -> str:
        command = CreatePerson(full_name="Ana Paz", email=f"{new_id()}@example.com")
        made = await self.services.people.create_person(command, actor=SERVICE_ACTOR)
        return str(made.id)

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.advisor.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def confirm(self, hold_id: str) -> UUID:
        async with self.services.database.transaction() as uow:
            made = await confirm_enrolment(
                uow,
                hold_id=HoldId(hold_id),
                actor=SERVICE_ACTOR,  # type: ignore[arg-type]
            )
        return made.id


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[SeatDesk]:
    async with serving(settings, cohorts.router, seats.router, enrolments.router) as app:
        await load_demo(app.state.services, report=lambda *_: None)
        async with client_of(app) as advisor, client_of(app) as nobody:
            advisor.headers.update(
                await log_in(advisor, "lucia.rojas@andino.example", "andino-lucia-demo")
            )
            yield SeatDesk(app.state.services, advisor, nobody)


@pytest.fixture(scope="module")
async def open_cohorts(desk: SeatDesk) -> list[dict[str, Any]]:
    """Two cohorts of one course that ask for nothing and have seats."""
    answer = await desk.advisor.get("/v1/cohorts", params={"open_only": True, "limit": 200})
    by_course: dict[str, list[dict[str, Any]]] = {}
    for cohort in answer.json()["items"]:
        by_course.setdefault(cohort["course_code"], []).append(cohort)
    for code, found in by_course.items():
        course = await desk.services.courses.get_course(code)
        if len(found) > 1 and not course.prerequisites:
            return found
    raise AssertionError("the demo has no such course")


async def test_seat_is_held_read_and_released(
    desk: SeatDesk, open_cohorts: list[dict[str, Any]]
) -> None:
    cohort = open_cohorts[0]
    path = f"/v1/cohorts/{cohort['code']}"
    body = {"person_id": await desk.new_person(), "minutes": 45}
    headers = {"Idempotency-Key": str(new_id())}

    answer = await desk.advisor.post(f"{path}/holds", json=body, headers=headers)
    again = await desk.advisor.post(f"{path}/holds", json=body, headers=headers)

    assert answer.status_code == 201
    assert again.json() == answer.json()
    hold = answer.json()
    assert (hold["status"], hold["person_id"]) == ("live", body["person_id"])
    read = await desk.advisor.get(answer.headers["location"])
    assert read.json() == hold
    listed = (await desk.advisor.get(f"{path}/holds")).json()["items"]
    assert hold["id"] in [h["id"] for h in listed]
    seats_left = (await desk.advisor.get(path)).json()["seats_left"]
    assert seats_left == cohort["seats_left"] - 1
    release = f"{path}/holds/{hold['id']}/release"
    assert await desk.post(release, reason="changed her mind") == {"changed": True}
    assert await desk.post(release, reason="changed her mind") == {"changed": False}
    assert (await desk.advisor.get(f"{path}/holds")).json()["items"] == []


async def test_waitlist_is_joined_read_and_left(
    desk: SeatDesk, open_cohorts: list[dict[str, Any]]
) -> None:
    path = f"/v1/cohorts/{open_cohorts[0]['id']}/waitlist"
    entry = await desk.post(path, person_id=await desk.new_person(), priority=3)

    assert entry["status"] == "offered"
    queue = (await desk.advisor.get(path)).json()["items"]
    assert [e["id"] for e in queue] == [entry["id"]]
    assert queue[0]["hold_id"] == entry["hold_id"] is not None
    assert await desk.post(f"{path}/{entry['id']}/leave") == {"changed": True}
    assert (await desk.advisor.get(path)).json()["items"] == []


async def test_enrolments_are_listed_read_and_transferred(
    desk: SeatDesk, open_cohorts: list[dict[str, Any]]
) -> None:
    person = await desk.new_person()
    here, there = (cohort["code"] for cohort in open_cohorts[:2])
    hold = await desk.post(f"/v1/cohorts/{here}/holds", person_id=person)
    enrolment_id = await desk.confirm(hold["id"])

    read = (await desk.advisor.get(f"/v1/enrolments/{enrolment_id}")).json()
    assert (read["status"], read["hold_id"]) == ("confirmed", hold["id"])
    moved = await desk.post(f"/v1/enrolments/{enrolment_id}/transfer", cohort=there)
    assert moved["transferred_from"] == str(enrolment_id)
    listed = await desk.advisor.get("/v1/enrolments", params={"person_id": person})
    assert [e["status"] for e in listed.json()["items"]] == ["confirmed", "transferred"]
    listed = await desk.advisor.get(
        "/v1/enrolments", params={"cohort": there, "status": "confirmed", "limit": 200}
    )
    assert moved["id"] in [e["id"] for e in listed.json()["items"]]


async def test_refusals_are_problems_with_a_code(
    desk: SeatDesk, open_cohorts: list[dict[str, Any]]
) -> None:
    path = f"/v1/cohorts/{open_cohorts[0]['id']}"
    for answer, status, code in (
        (await desk.nobody.get(f"{path}/holds"), 401, "auth.missing"),
        (await desk.advisor.get(f"/v1/enrolments/{new_id()}"), 404, "enrolment.unknown"),
        (await desk.advisor.get(f"{path}/holds/{new_id()}"), 404, "hold.unknown"),
        (
            await desk.advisor.post(f"{path}/holds", json={"person_id": str(new_id())}),
            404,
            "person.unknown",
        ),
        (
            await desk.advisor.post(f"{path}/waitlist/{new_id()}/leave"),
            404,
            "waitlist.unknown",
        ),
    ):
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
    wrong = await desk.advisor.post(f"{path}/holds", json={"person_id": str(new_id()), "x": 1})
    assert wrong.status_code == 422


async def test_what_is_of_another_cohort_is_not_found(
    desk: SeatDesk, open_cohorts: list[dict[str, Any]]
) -> None:
    mine, other = (f"/v1/cohorts/{cohort['id']}" for cohort in open_cohorts[:2])
    hold = await desk.post(f"{mine}/holds", person_id=await desk.new_person())
    entry = await desk.post(f"{mine}/waitlist", person_id=await desk.new_person())
    for cohort in (other, f"/v1/cohorts/{new_id()}"):
        refused = [
            await desk.advisor.get(f"{cohort}/holds/{hold['id']}"),
            await desk.advisor.post(f"{cohort}/holds/{hold['id']}/release", json={"reason": "x"}),
            await desk.advisor.post(f"{cohort}/waitlist/{entry['id']}/leave"),
        ]
        assert [answer.status_code for answer in refused] == [404, 404, 404]
    assert (await desk.advisor.get(f"{mine}/holds/{hold['id']}")).json()["status"] == "live"
    assert await desk.post(f"{mine}/waitlist/{entry['id']}/leave") == {"changed": True}
