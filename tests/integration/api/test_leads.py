"""Staff work with leads and tasks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from api.routes import calendar, leads, people, tasks, timelines
from crm.actor import SERVICE_ACTOR, Role
from crm.identity.models import CreateStaff
from crm.ids import PersonId, new_id
from tests.integration.api.serving import client_of, log_in, serving
from tests.rows import Rows

if TYPE_CHECKING:
    import httpx

    from api.bootstrap import Services
    from api.settings import Settings

PASSWORD = "correct horse battery"
DUE = "2026-12-01T15:00:00Z"


class Desk(Rows):
    """An advisor's client of the API."""

    def __init__(self, client: httpx.AsyncClient, services: Services) -> None:
        self.client = client
        self.services = services
        self.database = services.database

    async def log_in(self, role: str) -> None:
        """Become somebody new with this role."""
        command = CreateStaff(
            email=f"{new_id()}@andino.example", name="Eva", role=Role(role), password=PASSWORD
        )
        staff = await self.services.identity.create_staff(command, actor=SERVICE_ACTOR)
        self.staff_id = str(staff.id)
        self.client.headers.update(await log_in(self.client, staff.email, PASSWORD))

    async def call(self, method: str, url: str, **sent: Any) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        headers = {"Idempotency-Key": sent.pop("key")} if "key" in sent else {}
        answer = await self.client.request(method, url, headers=headers, **sent)
        return answer.status_code, answer.json()

    async def new_person(self, name: str = "Ana Pérez") -> str:
        """Add somebody."""
        _, person = await self.call("POST", "/v1/people", json={"full_name": name})
        return str(person["id"])

    async def teofilo(self) -> str:
        """Add somebody with a rare name, at an address of a rare domain."""
        email = f"teo.huamani@{new_id().hex}.correo-raro.pe"
        made = await self.new_person("Teófilo Huamaní")
        await self.services.people.update_person(
            PersonId(UUID(made)), {"email": email}, expected_version=1, actor=SERVICE_ACTOR
        )
        return made

    async def new_lead(self, **facts: Any) -> dict[str, Any]:
        """Open somebody's lead."""
        body = {"person_id": facts.pop("person_id", None) or await self.new_person(), **facts}
        status, lead = await self.call("POST", "/v1/leads", json=body)
        assert status == 201, lead
        return dict(lead)


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    routers = (people.router, leads.router, tasks.router, timelines.router, calendar.router)
    async with serving(settings, *routers) as app, client_of(app) as client:
        desk = Desk(client, app.state.services)
        await desk.log_in("advisor")
        yield desk


async def test_open_read_correct_move(desk: Desk) -> None:
    lead = await desk.new_lead(source="web_form", term="2027-1")
    url = f"/v1/leads/{lead['id']}"

    patch = {"expected_version": lead["version"], "term": "2027-2", "language": "en"}
    _, corrected = await desk.call("PATCH", url, json=patch)
    moved_status, moved = await desk.call("POST", f"{url}/stage", json={"stage": "lead"})
    _, detail = await desk.call("GET", url)

    assert (corrected["term"], corrected["language"]) == ("2027-2", "en")
    assert (moved_status, moved["stage"]) == (200, "lead")
    assert detail["lead"] == moved
    assert [h["to_stage"] for h in detail["history"]] == ["inquiry", "lead"]
    states = {(c["target"], c["state"]) for c in detail["clocks"]}
    assert states == {
        ("first_response", "running"),
        ("next_step", "stopped"),
        ("next_step", "running"),
    }


async def test_lost_lead_comes_back(desk: Desk) -> None:
    url = f"/v1/leads/{(await desk.new_lead())['id']}/stage"

    answers = [
        await desk.call("POST", url, json=body)
        for body in (
            {"stage": "lost"},
            {"stage": "lost", "reason": "price"},
            {"stage": "applicant"},
            {"stage": "inquiry"},
        )
    ]

    assert [(status, body.get("code") or body["stage"]) for status, body in answers] == [
        (422, "lead.reason"),
        (200, "lost"),
        (422, "lead.transition"),
        (200, "inquiry"),
    ]


async def test_repeated_call_changes_nothing_more(desk: Desk) -> None:
    body = {"person_id": await desk.new_person(), "term": "2027-1"}

    one = await desk.call("POST", "/v1/leads", json=body, key="lead-1")
    two = await desk.call("POST", "/v1/leads", json=body, key="lead-1")
    other = await desk.call("POST", "/v1/leads", json=body, key="lead-2")

    assert one == two
    assert (other[0], other[1]["code"]) == (409, "lead.exists")


async def test_list_is_filtered_sorted_and_paged(desk: Desk) -> None:
    leads = [await desk.new_lead(source="event", term="T-LIST") for _ in range(3)]
    await desk.call(
        "POST", f"/v1/leads/{leads[0]['id']}/activities", json={"kind": "note", "text": "Hola"}
    )
    asked = {"source": "event", "term": "T-LIST", "limit": 2}

    _, newest = await desk.call("GET", "/v1/leads", params=asked)
    _, rest = await desk.call("GET", "/v1/leads", params={**asked, "cursor": newest["next_cursor"]})
    _, active = await desk.call("GET", "/v1/leads", params={**asked, "sort": "last_activity"})

    ids = [lead["id"] for lead in leads]
    assert [i["id"] for i in newest["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    assert active["items"][0]["id"] == ids[0]


@pytest.mark.parametrize("query", ["zoila", "  Cáceda ", "ZOILA CACEDA"])
async def test_leads_are_found_by_name(desk: Desk, query: str) -> None:
    person_id = await desk.new_person("Zoila Cáceda")
    lead = await desk.new_lead(person_id=person_id)

    _, found = await desk.call("GET", "/v1/leads", params={"query": query})

    assert lead["id"] in {i["id"] for i in found["items"]}
    _, none = await desk.call("GET", "/v1/leads", params={"query": "zzyzx"})
    assert none["items"] == []


@pytest.mark.parametrize(
    "query", ["Teófilo Huamani", "teofilo huamami", "huamany", "teo.huamani@", ".correo-raro.pe"]
)
async def test_leads_are_found_by_misspelled_names_and_parts_of_addresses(
    desk: Desk, query: str
) -> None:
    lead = await desk.new_lead(person_id=await desk.teofilo())

    _, found = await desk.call("GET", "/v1/leads", params={"query": query})

    assert lead["id"] in {i["id"] for i in found["items"]}


@pytest.mark.parametrize("query", ["zzyzx", "%%%", "___", "@", "nobody@correo-raro.pe"])
async def test_nobody_is_found_by_what_is_like_nothing(desk: Desk, query: str) -> None:
    await desk.new_lead(person_id=await desk.teofilo())
    _, none = await desk.call("GET", "/v1/leads", params={"query": query})
    assert none["items"] == []


async def test_assignment_by_hand_and_by_rule(desk: Desk) -> None:
    lead = await desk.new_lead()
    url = f"/v1/leads/{lead['id']}/assign"

    _, given = await desk.call("POST", url, json={"staff_id": desk.staff_id})
    unknown, problem = await desk.call("POST", url, json={"staff_id": str(uuid4())})
    _, nobody = await desk.call("POST", url, json={})
    _, unfit = await desk.call("POST", url, json={"by_rule": True})

    assert given["staff_id"] == desk.staff_id
    assert (unknown, problem["code"]) == (422, "lead.assignee")
    assert nobody["staff_id"] is None
    assert unfit["staff_id"] is None, "no advisor here has said what languages they speak"


async def test_contact_is_noted_and_stops_the_clock(desk: Desk) -> None:
    lead = await desk.new_lead()
    url = f"/v1/leads/{lead['id']}"
    body = {"kind": "call", "direction": "out", "text": "Pidió horarios"}

    one = await desk.call("POST", f"{url}/activities", json=body, key="call-1")
    two = await desk.call("POST", f"{url}/activities", json=body, key="call-1")

    assert one[0] == 201
    assert one == two
    _, timeline = await desk.call("GET", f"{url}/activities")
    assert [a["id"] for a in timeline["items"]] == [one[1]["id"]]
    _, whole = await desk.call("GET", f"/v1/people/{lead['person_id']}/timeline")
    assert whole == timeline
    _, detail = await desk.call("GET", url)
    states = {c["target"]: c["state"] for c in detail["clocks"]}
    assert states["first_response"] == "stopped"


async def test_task_from_creation_to_done(desk: Desk) -> None:
    lead = await desk.new_lead()
    body = {"title": " Llamar ", "due_at": DUE, "lead_id": lead["id"], "staff_id": desk.staff_id}
    _, task = await desk.call("POST", "/v1/tasks", json=body)
    url = f"/v1/tasks/{task['id']}"

    _, later = await desk.call(
        "PATCH", url, json={"expected_version": 1, "due_at": "2026-12-02T15:00:00Z"}
    )
    stale, _ = await desk.call("PATCH", url, json={"expected_version": 1, "title": "x"})
    _, done = await desk.call("POST", f"{url}/status", json={"status": "done"})
    again, _ = await desk.call("POST", f"{url}/status", json={"status": "done"})
    closed, problem = await desk.call("PATCH", url, json={"expected_version": 3, "title": "x"})

    assert (task["title"], task["person_id"]) == ("Llamar", lead["person_id"])
    assert later["due_at"] == "2026-12-02T15:00:00Z"
    assert (stale, again) == (409, 200)
    assert done["closed_at"] is not None
    assert (closed, problem["code"]) == (422, "task.closed")
    assert await desk.call("GET", url) == (200, done)
    _, mine = await desk.call("GET", "/v1/tasks", params={"staff_id": desk.staff_id})
    assert [t["id"] for t in mine["items"]] == [task["id"]]
    _, timeline = await desk.call("GET", f"/v1/leads/{lead['id']}/activities")
    assert [a["about"]["status"] for a in timeline["items"]] == ["done", "open"]


@pytest.mark.parametrize(
    ("url", "body", "code"),
    [
        ("/v1/tasks", {"title": "x", "due_at": DUE}, "task.subject"),
        ("/v1/tasks", {"title": " ", "due_at": DUE, "person_id": str(uuid4())}, "task.title"),
        ("/v1/tasks", {"title": "x", "due_at": "2026-12-01T15:00:00"}, "request.invalid"),
        ("/v1/tasks", {"title": "x", "due_at": DUE, "person_id": str(uuid4())}, "person.unknown"),
        ("/v1/leads", {"person_id": str(uuid4())}, "person.unknown"),
        ("/v1/leads", {"person_id": str(uuid4()), "stage": "enrolled"}, "request.invalid"),
        (
            "/v1/leads",
            {"person_id": str(uuid4()), "course_code": "A", "programme_code": "B"},
            "lead.interest",
        ),
    ],
)
async def test_what_breaks_a_rule_is_refused(
    desk: Desk, url: str, body: dict[str, str], code: str
) -> None:
    status, problem = await desk.call("POST", url, json=body)

    assert problem["code"] == code
    assert status == (404 if code.endswith("unknown") else 422)


async def test_readings_are_in_the_access_log(desk: Desk) -> None:
    lead = await desk.new_lead()
    seen = "SELECT count(*) FROM record_accesses WHERE person_id = %s"
    before = await desk.count(seen, lead["person_id"])

    await desk.call("GET", f"/v1/leads/{lead['id']}")
    await desk.call("GET", f"/v1/leads/{lead['id']}/activities")
    await desk.call("GET", "/v1/leads", params={"person_id": lead["person_id"]})

    assert await desk.count(seen, lead["person_id"]) - before == 3


async def test_calendar_is_read_by_advisors_and_set_by_admins(desk: Desk) -> None:
    status, calendar = await desk.call("GET", "/v1/calendar")
    refused, _ = await desk.call("PUT", "/v1/calendar", json=calendar)
    advisor = desk.client.headers["Authorization"]
    await desk.log_in("admin")
    new = {**calendar, "week": "mon-thu 08:00-17:00", "holidays": ["2026-12-25"]}

    accepted = await desk.call("PUT", "/v1/calendar", json=new)
    wrong = await desk.call("PUT", "/v1/calendar", json={**new, "week": "never"})

    desk.client.headers["Authorization"] = advisor
    assert (status, refused) == (200, 403)
    written = "mon 08:00-17:00, tue 08:00-17:00, wed 08:00-17:00, thu 08:00-17:00"
    assert accepted == (200, {**new, "week": written})
    assert (wrong[0], wrong[1]["code"]) == (422, "calendar.week")
