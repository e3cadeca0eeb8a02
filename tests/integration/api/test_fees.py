"""Staff quote prices and award scholarships; courses are completed, certified and checked."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.bootstrap import Services
from api.demo.loader import load_demo
from api.routes import (
    certificates,
    completion,
    discounts,
    pages,
    quotes,
    scholarships,
)
from api.settings import Settings
from crm.actor import SERVICE_ACTOR
from crm.courses.completion.certificates.signing import is_signed
from crm.courses.models import Cohort
from crm.ids import new_id
from crm.people.models import CreatePerson, Person
from tests.integration.api.serving import client_of, log_in, serving
from tests.rows import Rows


@dataclass
class Desk(Rows):
    """A client of the API for each role, and the services behind it."""

    services: Services
    admin: httpx.AsyncClient
    advisor: httpx.AsyncClient
    nobody: httpx.AsyncClient

    def __post_init__(self) -> None:
        self.database = self.services.database

    async def new_person(self) -> Person:
        """Add somebody."""
        command = CreatePerson(full_name="Ana María Quispe")
        return await self.services.people.create_person(command, actor=SERVICE_ACTOR)

    async def open_cohort(self) -> Cohort:
        """Return a cohort that one may enrol in."""
        page = await self.services.courses.list_cohorts(open_only=True, limit=1)
        return page.items[0]

    async def enrol_in_past(self) -> tuple[Cohort, str, list[str]]:
        """Enrol somebody in a cohort that then ended; returns its sessions, too."""
        page = await self.services.courses.list_cohorts(course_code="DAT-101", limit=1)
        today, enrolment = self.services.courses.today(), new_id()
        person, cohort = await self.new_person(), page.items[0]
        await self.execute(
            "UPDATE cohorts SET enrolment_closes = %s, starts_on = %s, ends_on = %s WHERE id = %s",
            *(today - timedelta(days=40), today - timedelta(days=30), today - timedelta(days=2)),
            cohort.id,
        )
        await self.execute(
            "INSERT INTO enrolments (id, person_id, cohort_id, status, confirmed_at) "
            "VALUES (%s, %s, %s, 'confirmed', %s)",
            *(enrolment, person.id, cohort.id, self.services.clock.now()),
        )
        found = await self.advisor.get(f"/v1/cohorts/{cohort.code}/attendance")
        return cohort, str(enrolment), found.json()["sessions"]

    async def certified(self) -> dict[str, Any]:
        """Let somebody complete a course; returns their certificate with its code."""
        cohort, enrolment, sessions = await self.enrol_in_past()
        marks = [{"enrolment_id": enrolment, "session_on": d, "mark": "present"} for d in sessions]
        await self.advisor.post(f"/v1/cohorts/{cohort.id}/attendance", json={"marks": marks})
        done = await self.advisor.post(f"/v1/enrolments/{enrolment}/complete", json={})
        assert done.status_code == 200, done.text
        person_id = done.json()["person_id"]
        listed = await self.advisor.get("/v1/certificates", params={"person_id": person_id})
        issued: dict[str, Any] = listed.json()["items"][0]
        return issued


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    routers = (quotes, scholarships, discounts, completion, certificates, pages)
    async with serving(settings, *(module.router for module in routers)) as app:
        await load_demo(app.state.services, report=lambda *_: None)
        async with client_of(app) as admin, client_of(app) as advisor, client_of(app) as nobody:
            admin.headers.update(await log_in(admin, "admin@andino.example", "andino-admin-demo"))
            advisor.headers.update(
                await log_in(advisor, "lucia.rojas@andino.example", "andino-lucia-demo")
            )
            yield Desk(_services(app), admin, advisor, nobody)


def _services(app: FastAPI) -> Services:
    services: Services = app.state.services
    return services


async def test_quote_is_made_accepted_and_cancelled(desk: Desk) -> None:
    person, cohort = await desk.new_person(), await desk.open_cohort()
    body = {
        "person_id": str(person.id),
        "cohort_id": str(cohort.id),
        "discount_code": "DSC-HER",
    }
    key = {"Idempotency-Key": "one"}

    made = await desk.advisor.post("/v1/quotes", json=body, headers=key)
    again = await desk.advisor.post("/v1/quotes", json=body, headers=key)
    quote = made.json()
    path = f"/v1/quotes/{quote['id']}"

    assert made.status_code == 201
    assert made.headers["location"] == path
    assert again.json() == quote
    off = cohort.price.amount_minor * 10 // 100
    assert quote["reductions"][0]["amount"] == {"amount_minor": off, "currency": "USD"}
    assert quote["net"]["amount_minor"] == cohort.price.amount_minor - off
    assert (await desk.advisor.get(path)).json() == quote
    assert (await desk.advisor.post(f"{path}/accept")).json()["status"] == "accepted"
    assert (await desk.advisor.post(f"{path}/cancel")).json()["status"] == "cancelled"
    refused = await desk.advisor.post(f"{path}/accept")
    assert (refused.status_code, refused.json()["code"]) == (422, "quote.cancelled")
    listed = await desk.advisor.get("/v1/quotes", params={"person_id": str(person.id)})
    assert [q["id"] for q in listed.json()["items"]] == [quote["id"]]


async def test_scholarship_is_asked_for_awarded_and_used(desk: Desk) -> None:
    person, cohort = await desk.new_person(), await desk.open_cohort()
    asked = {"person_id": str(person.id), "scholarship_code": "BEC-DOC", "statement": "Enseño."}
    quote = {
        "person_id": str(person.id),
        "cohort_id": str(cohort.id),
        "scholarship_code": "BEC-DOC",
    }

    early = await desk.advisor.post("/v1/quotes", json=quote)
    application = await desk.advisor.post("/v1/scholarships/applications", json=asked)
    path = application.headers["location"]
    awarded = await desk.advisor.post(f"{path}/award", json={"answer": "Sí."})
    made = await desk.advisor.post("/v1/quotes", json=quote)

    assert early.json()["code"] == "scholarship.award"
    assert awarded.json()["status"] == "awarded"
    assert (await desk.advisor.get(path)).json()["statement"] == "Enseño."
    share = made.json()["reductions"][0]["amount"]["amount_minor"]
    funds = (await desk.advisor.get("/v1/scholarships")).json()["items"]
    (fund,) = [f for f in funds if f["code"] == "BEC-DOC"]
    assert fund["reserved"]["amount_minor"] == share > 0
    assert fund["left"]["amount_minor"] == fund["fund"]["amount_minor"] - share
    await desk.advisor.post(f"/v1/quotes/{made.json()['id']}/accept")
    status = {"status": "used", "scholarship": "BEC-DOC"}
    used = await desk.advisor.get("/v1/scholarships/applications", params=status)
    assert [a["person_id"] for a in used.json()["items"]] == [str(person.id)]
    declined = await desk.advisor.post(f"{path}/decline", json={})
    assert declined.json()["code"] == "scholarship.decided"


async def test_demos_discounts_and_scholarships_hold_to_the_published_rules(desk: Desk) -> None:
    """Discounts do not go with scholarships; each has the rule its text states."""
    listed = (await desk.advisor.get("/v1/discounts")).json()["items"]
    assert {d["code"]: d["rule"] for d in listed} == {
        "DSC-PRO": "early",
        "DSC-EGR": "alumni",
        "DSC-GRU": "staff",
        "DSC-HER": "staff",
    }
    funds = (await desk.advisor.get("/v1/scholarships")).json()["items"]
    assert not any(f["combines"] for f in funds)


async def test_terms_are_changed_by_admins_only(desk: Desk) -> None:
    change = {"usage_limit": 500, "valid_until": "2099-12-31"}
    refused = await desk.advisor.patch("/v1/discounts/DSC-GRU", json=change)
    changed = await desk.admin.patch("/v1/discounts/DSC-GRU", json=change)
    assert refused.status_code == 403
    assert changed.json()["usage_limit"] == 500
    fund = {"fund": {"amount_minor": 7_000_000, "currency": "USD"}}
    bigger = await desk.admin.patch("/v1/scholarships/BEC-SOC", json=fund)
    assert bigger.json()["left"]["amount_minor"] == 7_000_000
    unknown = await desk.admin.patch("/v1/scholarships/BEC-SOC", json={"percent": 90})
    assert unknown.status_code == 422


async def test_course_is_attended_completed_and_certified(desk: Desk) -> None:
    cohort, enrolment, sessions = await desk.enrol_in_past()
    path = f"/v1/cohorts/{cohort.id}/attendance"
    marks = [{"enrolment_id": enrolment, "session_on": day, "mark": "late"} for day in sessions]

    early = await desk.advisor.post(f"/v1/enrolments/{enrolment}/complete", json={})
    marked = await desk.advisor.post(path, json={"marks": marks})
    half = (await desk.advisor.get(f"/v1/enrolments/{enrolment}/attendance")).json()
    waived = {"waiver": "Trabajó de noche."}
    refused = await desk.advisor.post(f"/v1/enrolments/{enrolment}/complete", json=waived)
    done = await desk.admin.post(f"/v1/enrolments/{enrolment}/complete", json=waived)

    assert early.json()["code"] == "completion.attendance"
    assert marked.json() == {"changed": len(sessions)}
    assert half["percent"] == 50
    assert (refused.status_code, refused.json()["code"]) == (403, "auth.role")
    assert done.json()["certificate"]["status"] == "valid"
    late = await desk.advisor.post(path, json={"marks": marks[:1]})
    assert late.json()["code"] == "enrolment.closed"


async def test_anybody_checks_a_certificate_and_its_code_proves_it(desk: Desk) -> None:
    issued = await desk.certified()
    number, code = issued["certificate"]["number"], issued["code"]
    path = f"/v1/certificates/{number}"

    public = (await desk.nobody.get(path)).json()
    proven = (await desk.nobody.get(path, params={"code": code})).json()

    assert (public["holder"], public["shown"], public["proof"]) == ("A. M. Q.", "initials", None)
    assert "person_id" not in public["certificate"]
    assert proven["holder"] == issued["holder"] == "Ana María Quispe"
    proof = proven["proof"]
    assert is_signed(
        proof["statement"].encode(),
        base64.b64decode(proof["signature"]),
        base64.b64decode(proof["public_key"]),
    )
    assert json.loads(proof["statement"])["number"] == number
    assert (await desk.nobody.get("/v1/certificates/2026-0000-0000")).status_code == 404
    assert (await desk.nobody.get("/v1/certificates")).status_code == 401


async def test_page_shows_initials_then_the_certificate_in_both_languages(desk: Desk) -> None:
    issued = await desk.certified()
    path = f"/certificates/{issued['certificate']['number']}"

    plain = await desk.nobody.get(path, params={"lang": "es"})
    wrong = await desk.nobody.get(path, params={"lang": "en", "code": "0000-0000-0000"})
    named = await desk.nobody.get(path, params={"lang": "en", "code": issued["code"].lower()})

    assert "Este certificado es válido." in plain.text
    assert "A. M. Q." in plain.text
    assert "Quispe" not in plain.text + wrong.text
    assert "This code is not this certificate" in wrong.text
    assert "Ana María Quispe" in named.text
    assert issued["code"] in named.text
    assert named.headers["cache-control"] == "private, no-store"
    assert named.headers["referrer-policy"] == "no-referrer"


async def test_revoked_certificate_says_so_but_not_why(desk: Desk) -> None:
    issued = await desk.certified()
    number = issued["certificate"]["number"]
    gone = await desk.advisor.post(f"/v1/certificates/{number}/revoke", json={"reason": "Plagio."})
    page = await desk.nobody.get(f"/certificates/{number}", params={"lang": "en"})
    public = await desk.nobody.get(f"/v1/certificates/{number}")
    anew = await desk.advisor.post(
        "/v1/certificates", json={"enrolment_id": issued["certificate"]["enrolment_id"]}
    )

    assert gone.json()["revoked_for"] == "Plagio."
    assert "This certificate was revoked on" in page.text
    assert "Plagio" not in page.text + public.text
    assert public.json()["certificate"]["status"] == "revoked"
    assert anew.status_code == 201
    assert anew.json()["number"] != number


async def test_number_is_asked_for_and_leads_to_its_page(desk: Desk) -> None:
    issued = await desk.certified()
    number = issued["certificate"]["number"]
    empty = await desk.nobody.get("/certificates")
    typed = {"number": number.lower().replace("-", " "), "lang": "en"}
    found = await desk.nobody.get("/certificates", params=typed)
    missing = await desk.nobody.get("/certificates", params={"number": "2026", "lang": "en"})
    strange = await desk.nobody.get("/certificates/%3Cscript%3E")

    assert empty.status_code == 200
    assert found.status_code == 303
    assert found.headers["location"] == f"/certificates/{number}?lang=en"
    assert missing.status_code == 404
    assert "There is no certificate with this number" in missing.text
    assert strange.status_code == 404
