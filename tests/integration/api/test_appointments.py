"""Staff work with appointments over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.bootstrap import Services
from api.routes import appointments
from api.settings import Settings
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import new_id
from crm.people.models import CreatePerson
from tests.integration.api.serving import client_of, log_in, serving

PASSWORD = "correct horse battery"
HOURS = {"week": "mon-sun 00:00-00:00", "slot_minutes": 60, "modes": ["video", "call"]}


@dataclass
class Desk:
    """An advisor's client of the API, and the services behind it."""

    services: Services
    client: httpx.AsyncClient
    staff_id: str

    async def send(self, method: str, path: str, **body: object) -> httpx.Response:
        """Send a body."""
        return await self.client.request(
            method, f"/v1/appointments{path}", json=body if body else None
        )

    async def new_staff(self) -> str:
        """Add a colleague."""
        command = CreateStaff(
            email=f"{new_id()}@andino.example", name="Mateo", role=Role.ADVISOR, password=PASSWORD
        )
        staff = await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        return str(staff.id)

    async def new_person(self) -> str:
        """Add somebody."""
        command = CreatePerson(full_name="Ana Pérez")
        person = await self.services.people.create_person(command, actor=SERVICE_ACTOR)
        return str(person.id)

    async def book(self, hours_ahead: int, **facts: object) -> httpx.Response:
        """Book a time with the advisor."""
        body = {
            "person_id": await self.new_person(),
            "topic": "Becas",
            "mode": "video",
            "staff_id": self.staff_id,
            "starts_at": _ahead(hours_ahead),
            **facts,
        }
        return await self.send("POST", "", **body)


def _ahead(hours: int) -> str:
    whole = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return (whole + timedelta(hours=hours)).isoformat()


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with serving(settings, appointments.router) as app, client_of(app) as client:
        services: Services = app.state.services
        email = "lucia@andino.example"
        command = CreateStaff(email=email, name="Lucía", role=Role.ADVISOR, password=PASSWORD)
        staff = await services.identity.create_staff(command, actor=SERVICE_ACTOR)
        client.headers.update(await log_in(client, email, PASSWORD))
        desk = Desk(services, client, str(staff.id))
        assert (await desk.send("PUT", f"/hours/{staff.id}", **HOURS)).status_code == 200
        yield desk


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_appointment_is_booked_moved_and_cancelled(desk: Desk) -> None:
    answer = await desk.book(30)
    assert answer.status_code == 201, answer.text
    booked: dict[str, Any] = answer.json()
    path = f"/{booked['id']}"
    assert answer.headers["location"] == f"/v1/appointments{path}"
    assert (await desk.send("GET", path)).json() == booked
    moved = await desk.send("POST", f"{path}/move", starts_at=_ahead(40), expected_version=1)
    assert moved.status_code == 200, moved.text
    assert moved.json()["version"] == 2
    stale = await desk.send("POST", f"{path}/move", starts_at=_ahead(41), expected_version=1)
    assert _code(stale) == (409, "appointment.stale")
    early = await desk.send("POST", f"{path}/status", status="held")
    assert _code(early) == (422, "appointment.early")
    gone = await desk.send("POST", f"{path}/cancel", reason="Está de viaje")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    late = await desk.send("POST", f"{path}/move", starts_at=_ahead(42), expected_version=3)
    assert _code(late) == (422, "appointment.closed")


async def test_time_that_is_taken_is_no_longer_offered_nor_booked(desk: Desk) -> None:
    assert (await desk.book(50)).status_code == 201
    assert _code(await desk.book(50)) == (409, "appointment.taken")
    found = await desk.send(
        "GET", f"/slots?staff_id={desk.staff_id}&since={_q(_ahead(49))}&until={_q(_ahead(52))}"
    )
    starts = [datetime.fromisoformat(slot["starts_at"]) for slot in found.json()["items"]]
    assert datetime.fromisoformat(_ahead(50)) not in starts
    assert datetime.fromisoformat(_ahead(51)) in starts


def _q(moment: str) -> str:
    return moment.replace("+", "%2B")


async def test_person_is_not_booked_twice_at_once(desk: Desk) -> None:
    other = await desk.new_staff()
    first = (await desk.book(60)).json()
    again = await desk.book(60, person_id=first["person_id"], staff_id=other)
    assert _code(again) == (409, "appointment.taken")


async def test_list_pages_in_the_order_of_time(desk: Desk) -> None:
    person = await desk.new_person()
    for hours in (72, 70, 71):
        assert (await desk.book(hours, person_id=person)).status_code == 201
    page = (await desk.send("GET", f"?person_id={person}&limit=2")).json()
    rest = (
        await desk.send("GET", f"?person_id={person}&limit=2&cursor={page['next_cursor']}")
    ).json()
    starts = [one["starts_at"] for one in page["items"] + rest["items"]]
    assert starts == sorted(starts)
    assert (len(starts), rest["next_cursor"]) == (3, None)


async def test_hours_are_ones_own_to_set(desk: Desk) -> None:
    colleague = await desk.new_staff()
    assert _code(await desk.send("PUT", f"/hours/{colleague}", **HOURS)) == (403, "auth.role")
    assert _code(await desk.send("DELETE", f"/hours/{colleague}")) == (403, "auth.role")
    assert _code(await desk.send("GET", f"/hours/{colleague}")) == (404, "appointment.hours")
    wrong = await desk.send("PUT", f"/hours/{desk.staff_id}", **{**HOURS, "week": "always"})
    assert _code(wrong) == (422, "calendar.week")
    kept = (await desk.send("GET", f"/hours/{desk.staff_id}")).json()
    assert kept["slot_minutes"] == 60


async def test_appointment_in_the_past_or_with_nobody_is_refused(desk: Desk) -> None:
    assert _code(await desk.book(-1)) == (422, "appointment.past")
    assert _code(await desk.book(80, staff_id=str(new_id()))) == (422, "appointment.staff")
    assert _code(await desk.book(80, person_id=str(new_id()))) == (404, "person.unknown")
    long = await desk.book(80, ends_at=_ahead(90))
    assert _code(long) == (422, "appointment.slot")
