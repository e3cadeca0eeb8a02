"""The whole application over a database with the demo institution, and who calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.api.hostile import Answer, Hostile, send
from tests.rows import Rows

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI

    from api.bootstrap import Services

TABLES = {
    "person_id": "people",
    "merged_id": "people",
    "guardian_id": "people",
    "cohort_id": "cohorts",
    "lead_id": "leads",
    "task_id": "tasks",
    "ticket_id": "tickets",
    "invoice_id": "invoices",
    "payment_id": "payments",
    "enrolment_id": "enrolments",
    "conversation_id": "conversations",
    "staff_id": "staff",
    "quote_id": "quotes",
    "application_id": "scholarship_applications",
    "hold_id": "seat_holds",
    "entry_id": "waitlist_entries",
    "merge_id": "person_merges",
}
SAMPLES = {
    "email": "ana.paz@example.com",
    "phone": "+51987654321",
    "time_zone": "America/Lima",
    "week": "mon-fri 09:00-18:00",
    "query": "Ana",
    "currency": "PEN",
    "gateway": "sandbox",
    "area": "DAT",
    "scholarship_code": "BEC-SOC",
    "scholarship": "BEC-SOC",
    "discount_code": "DSC-EGR",
    "confirmation": "nobody is called so",
    "statement": "Quiero estudiar.",
}


class Target(Rows):
    """The whole application, and who calls it."""

    def __init__(self, app: FastAPI, services: Services, client: httpx.AsyncClient) -> None:
        self.app = app
        self.services = services
        self.database = services.database
        self.client = client
        self.staff: dict[str, str] = {}
        self.student: dict[str, str] = {}

    async def known(self, number: int = 0) -> dict[str, str]:
        """Return ids and codes of what is there: of the first of each kind, or of a later one."""
        found = dict(SAMPLES)
        async with self.database.read() as conn:
            for name, table in TABLES.items():
                rows = await conn.execute(
                    f"SELECT id FROM {table} ORDER BY id OFFSET {number:d} LIMIT 1"  # type: ignore[call-overload]
                )
                if row := await rows.fetchone():
                    found[name] = str(row["id"])
            rows = await conn.execute(
                "SELECT code, course_code FROM cohorts ORDER BY "
                "%s > 0 AND status = 'open' AND enrolment_closes > current_date DESC, id "
                "OFFSET %s LIMIT 1",
                [number, number % 10],
            )
            (cohort,) = await rows.fetchall()
        found["cohort"] = cohort["code"]
        found |= dict.fromkeys(("code", "course_code", "course"), cohort["course_code"])
        return found

    async def send(self, hostile: Hostile) -> Answer:
        """Send a request as whom it is for."""
        session = self.student if hostile.route.startswith("/v1/chat/") else self.staff
        # Whoever logs out has another session than the one that all the others need.
        session = {} if hostile.route.endswith("/logout") else session
        return await send(self.app, hostile, {**hostile.headers, **session})
