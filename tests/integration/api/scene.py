"""What writes are about: made when a request of theirs first names it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crm.actor import SERVICE_ACTOR
from crm.courses.enrolments.acts import confirm_enrolment
from crm.courses.seats.models import HoldId
from crm.ids import new_id
from tests.rows import Rows

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI

    from api.bootstrap import Services

SOON, LATER = "2030-01-01T12:00:00Z", "2031-01-01T12:00:00Z"
#: A course that asks for nothing.
COURSE = "DAT-101"


def pen(amount_minor: int) -> dict[str, object]:
    return {"amount_minor": amount_minor, "currency": "PEN"}


class Stage(Rows):
    """The API without what runs beside it, and an administrator's client."""

    def __init__(self, app: FastAPI, services: Services, client: httpx.AsyncClient) -> None:
        self.app = app
        self.services = services
        self.database = services.database
        self.client = client


class Scene:
    """Fills names in paths and bodies with ids and codes of what it makes, once each."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._made: dict[str, Any] = {}

    async def filled(self, value: Any) -> Any:
        """Return a value with what its names stand for, `{lead}` being one."""
        if isinstance(value, Mapping):
            return {key: await self.filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [await self.filled(inner) for inner in value]
        if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
            return await self.named(value[1:-1])
        return value

    async def named(self, name: str) -> Any:
        """Return what a name stands for; `another person` is like a person, and another one."""
        if name not in self._made:
            self._made[name] = await MAKERS[name.replace("another ", "")](self)
        return self._made[name]

    async def post(self, path: str, body: Any = None) -> Any:
        """Make something over HTTP, as an administrator."""
        answer = await self.stage.client.post(path, json=await self.filled(body))
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    async def id_of(self, path: str, body: Any = None) -> str:
        """Make something over HTTP, and return its id."""
        made: str = (await self.post(path, body))["id"]
        return made

    async def days(self, count: int) -> str:
        """Return the day that is so many from now."""
        return (self.stage.services.courses.today() + timedelta(days=count)).isoformat()

    # --- people and leads ------------------------------------------------------------------------

    async def person(self) -> str:
        return await self.id_of("/v1/people", {"full_name": "Ana Paz", "email": new_address()})

    async def merge(self) -> str:
        path = f"/v1/people/{await self.person()}/merge"
        return await self.id_of(path, {"merged_id": await self.person()})

    async def lead(self) -> str:
        return await self.id_of("/v1/leads", {"person_id": await self.person()})

    async def version(self) -> int:
        """Return the lead's version: a rule may have given it to somebody already."""
        found = await self.stage.client.get(f"/v1/leads/{await self.named('lead')}")
        return int(found.json()["lead"]["version"])

    async def task(self) -> str:
        body = {"person_id": await self.person(), "title": "Llamar", "due_at": SOON}
        return await self.id_of("/v1/tasks", body)

    async def ticket(self) -> str:
        body = {"category": "academic", "title": "Una carta", "description": "La pide."}
        return await self.id_of("/v1/tickets", body | {"person_id": await self.person()})

    async def staff(self) -> str:
        found = await self.stage.client.get("/v1/admin/staff")
        advisors = [m for m in found.json()["items"] if m["role"] == "advisor"]
        return next(str(m["id"]) for m in advisors if m["id"] not in self._made.values())

    async def adviser(self) -> str:
        """Return somebody who can be booked for a video call."""
        return str((await self._slots())[0]["staff_id"])

    async def slot(self) -> str:
        """Return a time at which the adviser is free, each time another one."""
        free = [slot["starts_at"] for slot in await self._slots(await self.named("adviser"))]
        return next(str(time) for time in free if time not in self._made.values())

    async def _slots(self, staff_id: str | None = None) -> list[dict[str, Any]]:
        wanted = {"mode": "video", "limit": 200} | ({"staff_id": staff_id} if staff_id else {})
        answer = await self.stage.client.get("/v1/appointments/slots", params=wanted)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def appointment(self) -> str:
        who = {"person_id": await self.person(), "staff_id": "{adviser}"}
        what = {"topic": "Becas", "mode": "video", "starts_at": "{slot}"}
        return await self.id_of("/v1/appointments", who | what)

    async def begun_appointment(self) -> str:
        appointment = await self.appointment()
        await self.stage.execute(
            "UPDATE appointments SET starts_at = starts_at - interval '60 days', "
            "ends_at = ends_at - interval '60 days' WHERE id = %s",
            appointment,
        )
        return appointment

    # --- courses and seats -----------------------------------------------------------------------

    async def course(self) -> dict[str, Any]:
        """Return a course as it is written."""
        answer = await self.stage.client.get(f"/v1/courses/{COURSE}")
        course = answer.json()["course"]
        return {key: course[key] for key in course if key not in ("code", "updated_at")}

    async def new_cohort(self) -> dict[str, Any]:
        """Return a cohort as it is written."""
        return {
            "code": f"{COURSE}-{new_id().hex[-6:].upper()}",
            "course_code": COURSE,
            "starts_on": await self.days(60),
            "enrolment_closes": await self.days(50),
            "modality": "online",
            "schedule": {"days": ["mon", "wed"], "start_time": "19:00", "end_time": "21:00"},
            "seats": 20,
        }

    async def cohort(self) -> str:
        return await self.id_of("/v1/cohorts", await self.new_cohort())

    async def full_cohort(self) -> str:
        cohort = await self.id_of("/v1/cohorts", await self.new_cohort() | {"seats": 1})
        await self.post(f"/v1/cohorts/{cohort}/holds", {"person_id": await self.person()})
        return cohort

    async def hold(self) -> str:
        path = f"/v1/cohorts/{await self.named('cohort')}/holds"
        return await self.id_of(path, {"person_id": await self.person()})

    async def entry(self) -> str:
        path = f"/v1/cohorts/{await self.named('full cohort')}/waitlist"
        return await self.id_of(path, {"person_id": await self.person()})

    async def enrolment(self) -> str:
        hold = HoldId(await self.hold())  # type: ignore[arg-type]
        async with self.stage.database.transaction() as uow:
            made = await confirm_enrolment(uow, hold_id=hold, actor=SERVICE_ACTOR)
        return str(made.id)

    async def past_enrolment(self) -> str:
        """Enrol somebody in a cohort that then ended."""
        enrolment = await self.enrolment()
        await self.stage.execute(
            "UPDATE cohorts SET enrolment_closes = %s, starts_on = %s, ends_on = %s WHERE id = %s",
            *(await self.days(-40), await self.days(-30), await self.days(-2)),
            await self.named("cohort"),
        )
        return enrolment

    async def session(self) -> str:
        """Return a day on which the cohort met."""
        path = f"/v1/cohorts/{await self.named('cohort')}/attendance"
        found = await self.stage.client.get(path)
        return str(found.json()["sessions"][0])

    async def certificate(self) -> str:
        path = f"/v1/enrolments/{await self.named('past enrolment')}/complete"
        done = await self.post(path, {"waiver": "Trabajó de noche."})
        return str(done["certificate"]["number"])

    async def uncertified(self) -> str:
        """Return an enrolment whose certificate was revoked."""
        await self.post(f"/v1/certificates/{await self.certificate()}/revoke", {"reason": "Error."})
        return str(await self.named("past enrolment"))

    async def quote(self) -> str:
        body = {"person_id": await self.person(), "cohort_id": await self.named("cohort")}
        return await self.id_of("/v1/quotes", body)

    async def scholarship(self) -> str:
        answer = await self.stage.client.get("/v1/scholarships")
        return next(one["code"] for one in answer.json()["items"] if not one["automatic"])

    async def application(self) -> str:
        body = {"scholarship_code": "{scholarship}", "person_id": await self.person()}
        return await self.id_of("/v1/scholarships/applications", body)

    async def accepted_quote(self) -> str:
        quote = await self.quote()
        await self.post(f"/v1/quotes/{quote}/accept")
        return quote

    # --- money -----------------------------------------------------------------------------------

    async def invoice(self) -> str:
        body = {"person_id": await self.person(), "reference": f"test:{new_id()}"}
        due = {"net": pen(30_000), "due_dates": [await self.days(7)]}
        return await self.id_of("/v1/invoices", body | due)

    async def payment(self) -> str:
        """Return a payment whose checkout is open."""
        link = await self.post(f"/v1/invoices/{await self.invoice()}/payment-link", {})
        return str(link["payment_id"])

    async def paid(self) -> str:
        """Return a payment that staff took."""
        body = {"invoice_id": await self.invoice(), "amount": pen(30_000), "method": "cash"}
        return await self.id_of("/v1/payments/manual", body)

    async def next_month(self) -> str:
        return await self.days(30)

    async def in_two_months(self) -> str:
        return await self.days(60)

    # --- knowledge -------------------------------------------------------------------------------

    async def document(self) -> str:
        """Return a document that was sent and read."""
        slug, library = f"texto-{new_id().hex[-8:]}", self.stage.services.library
        answer = await self.stage.client.post(
            "/v1/knowledge/uploads",
            content=b"# Becas\n\nHay becas para docentes.",
            params={"file_name": "becas.md", "slug": slug, "language": "es"},
        )
        assert answer.is_success, answer.text
        while await library.runner.run_next():
            pass
        return f"kb:{slug}:es"


MAKERS: Mapping[str, Callable[[Scene], Awaitable[Any]]] = {
    name.replace("_", " "): maker
    for name, maker in vars(Scene).items()
    if not name.startswith("_") and name not in ("filled", "named", "post", "id_of", "days")
}


def new_address() -> str:
    return f"{new_id()}@example.com"
