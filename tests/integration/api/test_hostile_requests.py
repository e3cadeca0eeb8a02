"""Whatever is sent to whichever operation, the API refuses it in order: a problem with a code."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from api.app import create_app
from tests.integration.api.hostile import KEY, Answer, Forge, Hostile, send
from tests.integration.api.serving import client_of, log_in
from tests.rows import Rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from fastapi import FastAPI

    from api.bootstrap import Services
    from api.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEED, EACH = 20261124, 24
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

    async def known(self) -> dict[str, str]:
        """Return ids and codes of what is there."""
        found = dict(SAMPLES)
        async with self.database.read() as conn:
            for name, table in TABLES.items():
                rows = await conn.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1")  # type: ignore[call-overload]
                if row := await rows.fetchone():
                    found[name] = str(row["id"])
            rows = await conn.execute("SELECT code, course_code FROM cohorts ORDER BY id LIMIT 1")
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


@pytest.fixture(scope="module")
async def target(demo_settings: Settings) -> AsyncIterator[Target]:
    app = create_app(demo_settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        target = Target(app, app.state.services, client)
        started = await client.post("/v1/chat/sessions", json={})
        target.student = {"Authorization": f"Bearer {started.json()['session_token']}"}
        target.staff = await log_in(client, "admin@andino.example", "andino-admin-demo")
        yield target


def fault_of(answer: Answer) -> str | None:
    """Return what is wrong with an answer."""
    if answer.status >= 500:
        return f"{answer.status} {answer.text[:300]}"
    if "Traceback" in answer.text or 'File "/' in answer.text:
        return "it shows its own code"
    if answer.status < 400:
        return None
    if answer.media != "application/problem+json":
        return f"{answer.status} as {answer.media}"
    return None if json.loads(answer.text).get("code") else f"{answer.status} without a code"


async def test_no_request_breaks_anything(target: Target) -> None:
    document = (await target.client.get("/openapi.json")).json()
    forge = Forge(document, await target.known(), seed=SEED)
    faults: dict[str, str] = {}
    statuses: Counter[int] = Counter()
    repeated = 0
    for hostile in forge.requests(each=EACH):
        answer = await target.send(hostile)
        statuses[answer.status] += 1
        fault = fault_of(answer)
        if answer.status < 300 and KEY in hostile.headers:
            again = await target.send(hostile)
            fault = fault or fault_of(again)
            if again.status != answer.status:
                fault = fault or f"{answer.status}, and {again.status} when it is repeated"
            repeated += 1
        if fault:
            faults.setdefault(f"{hostile.method} {hostile.route}: {fault}", str(hostile))
    report = "\n".join(f"{fault}\n    {sent}" for fault, sent in faults.items())
    assert not faults, f"{len(faults)} faults; {dict(statuses)}\n{report}"
    assert statuses[422] > 200, statuses
    assert sum(n for status, n in statuses.items() if status < 300) > 200, statuses
    assert statuses[401] < 50, "it was not let in"
    assert repeated > 50


async def test_it_still_works(target: Target) -> None:
    assert (await target.client.get("/readyz")).status_code == 200
    people = await target.client.get("/v1/people", headers=target.staff)
    assert people.status_code == 200
    assert people.json()["items"]
