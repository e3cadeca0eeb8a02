"""Staff work with courses, cohorts and programmes over HTTP."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.bootstrap import Services
from api.demo.loader import load_demo
from api.routes import cohorts, courses, programmes
from api.settings import Settings
from crm.ids import new_id
from tests.integration.api.serving import client_of, log_in, serving


@dataclass
class Desk:
    """A client of the API for each role, and the services behind it."""

    app: FastAPI
    services: Services
    admin: httpx.AsyncClient
    advisor: httpx.AsyncClient
    nobody: httpx.AsyncClient


@pytest.fixture(scope="module")
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    routers = (courses.router, cohorts.router, programmes.router)
    async with serving(settings, *routers) as app:
        await load_demo(app.state.services, report=lambda *_: None)
        async with client_of(app) as admin, client_of(app) as advisor, client_of(app) as nobody:
            admin.headers.update(await log_in(admin, "admin@andino.example", "andino-admin-demo"))
            advisor.headers.update(
                await log_in(advisor, "lucia.rojas@andino.example", "andino-lucia-demo")
            )
            yield Desk(app, app.state.services, admin, advisor, nobody)


async def _walk(client: httpx.AsyncClient, path: str, **query: object) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {**query, "limit": 20} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


def _body(course: dict[str, Any], **changes: object) -> dict[str, Any]:
    kept = {k: v for k, v in course.items() if k not in ("code", "updated_at")}
    return {**kept, **changes}


def _cohort(**changes: object) -> dict[str, Any]:
    return {
        "code": f"DAT-101-{new_id().hex[-6:].upper()}",
        "course_code": "DAT-101",
        "starts_on": "2027-03-01",
        "enrolment_closes": "2027-02-26",
        "modality": "online",
        "schedule": {"days": ["mon", "wed"], "start_time": "19:00", "end_time": "21:00"},
        "seats": 20,
        **changes,
    }


async def test_pages_give_every_course_once_in_order(desk: Desk) -> None:
    items = await _walk(desk.advisor, "/v1/courses")
    codes = [c["code"] for c in items]
    assert codes == sorted(set(codes))
    assert len(codes) > 50
    only = await _walk(desk.advisor, "/v1/courses", area="IDI", language="en")
    assert {(c["area"], c["language"]) for c in only} == {("IDI", "en")}


async def test_course_comes_with_prerequisites_and_cohorts_to_come(desk: Desk) -> None:
    detail = (await desk.advisor.get("/v1/courses/DAT-201")).json()
    assert detail["course"]["price"] == {"amount_minor": 18900, "currency": "USD"}
    assert [p["code"] for p in detail["prerequisites"]] == ["PRG-101"]
    first = detail["cohorts"][0]
    assert first["seats_left"] == first["seats"] - first["blocked_seats"] - first["seats_taken"]


@pytest.mark.parametrize("path", ["/v1/courses", "/v1/cohorts", "/v1/programmes"])
async def test_nobody_reads_the_catalogue_without_a_session(desk: Desk, path: str) -> None:
    answer = await desk.nobody.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.missing")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/courses/XXX-999", "course.unknown"),
        ("/v1/cohorts/XXX-999-A", "cohort.unknown"),
        ("/v1/cohorts/0190f3c4-0000-7000-8000-000000000000", "cohort.unknown"),
        ("/v1/programmes/XXX", "programme.unknown"),
    ],
)
async def test_unknown_things_are_not_found(desk: Desk, path: str, code: str) -> None:
    answer = await desk.advisor.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_admin_writes_a_course_and_an_advisor_may_not(desk: Desk) -> None:
    course = (await desk.admin.get("/v1/courses/MKT-101")).json()["course"]
    body = _body(course, price={"amount_minor": 12300, "currency": "USD"})

    refused = await desk.advisor.put("/v1/courses/MKT-101", json=body)
    written = await desk.admin.put("/v1/courses/MKT-101", json=body)

    assert (refused.status_code, refused.json()["code"]) == (403, "auth.role")
    assert written.status_code == 200
    assert written.json()["price"]["amount_minor"] == 12300
    read = (await desk.advisor.get("/v1/courses/MKT-101")).json()["course"]
    assert read == written.json()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hours": 0}, "request.invalid"),
        ({"level": "expert"}, "request.invalid"),
        ({"price": {"amount_minor": -1, "currency": "USD"}}, "request.invalid"),
        ({"price": {"amount_minor": 1.5, "currency": "USD"}}, "request.invalid"),
        ({"surprise": 1}, "request.invalid"),
        ({"title": {"es": "Solo español"}}, "request.invalid"),
        ({"title": {"es": "Hola", "en": "  "}}, "course.text"),
    ],
)
async def test_impossible_course_is_refused(
    desk: Desk, changes: dict[str, object], code: str
) -> None:
    course = (await desk.admin.get("/v1/courses/NEG-101")).json()["course"]
    answer = await desk.admin.put("/v1/courses/NEG-101", json=_body(course, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_unknown_area_and_circle_are_refused(desk: Desk) -> None:
    course = (await desk.admin.get("/v1/courses/NEG-101")).json()["course"]
    area = await desk.admin.put("/v1/courses/NEG-101", json=_body(course, area="XXX"))
    circle = await desk.admin.put("/v1/courses/PRG-101/prerequisites", json={"codes": ["DAT-201"]})
    assert (area.status_code, area.json()["code"]) == (404, "area.unknown")
    assert (circle.status_code, circle.json()["code"]) == (422, "course.prerequisites.cycle")


async def test_repeated_put_with_one_key_writes_once(desk: Desk) -> None:
    course = (await desk.admin.get("/v1/courses/SAL-101")).json()["course"]
    headers = {"Idempotency-Key": new_id().hex}
    body = _body(course, hours=course["hours"] + 1)
    first = await desk.admin.put("/v1/courses/SAL-101", json=body, headers=headers)
    again = await desk.admin.put("/v1/courses/SAL-101", json=body, headers=headers)
    other = await desk.admin.put("/v1/courses/SAL-101", json=_body(course), headers=headers)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")


async def test_cohort_is_opened_read_by_code_and_id_and_changed(desk: Desk) -> None:
    opened = await desk.admin.post("/v1/cohorts", json=_cohort())
    assert opened.status_code == 201
    cohort = opened.json()
    assert opened.headers["location"] == f"/v1/cohorts/{cohort['id']}"
    assert (cohort["ends_on"], cohort["seats_left"]) == ("2027-04-07", 20)

    for name in (cohort["id"], cohort["code"]):
        assert (await desk.advisor.get(f"/v1/cohorts/{name}")).json() == cohort
    changed = await desk.admin.patch(f"/v1/cohorts/{cohort['id']}", json={"blocked_seats": 3})
    refused = await desk.admin.patch(f"/v1/cohorts/{cohort['code']}", json={"seats": 2})
    assert changed.json()["seats_left"] == 17
    assert (refused.status_code, refused.json()["code"]) == (422, "cohort.seats")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"course_code": "XXX-999"}, 404, "course.unknown"),
        ({"code": "DAT-101-B"}, 409, "cohort.exists"),
        ({"enrolment_closes": "2027-03-02"}, 422, "cohort.dates"),
        ({"starts_on": "9999-12-31"}, 422, "request.invalid"),
        ({"seats": 0}, 422, "cohort.seats"),
        ({"seats": 10**9}, 422, "request.invalid"),
        (
            {"schedule": {"days": ["mon"], "start_time": "21:00", "end_time": "19:00"}},
            422,
            "cohort.schedule",
        ),
        (
            {"schedule": {"days": ["mon"], "start_time": "19:00Z", "end_time": "21:00"}},
            422,
            "request.invalid",
        ),
        ({"schedule": {"days": [], "start_time": "19:00", "end_time": "21:00"}}, 422, None),
    ],
)
async def test_impossible_cohort_is_refused(
    desk: Desk, changes: dict[str, object], status: int, code: str | None
) -> None:
    answer = await desk.admin.post("/v1/cohorts", json=_cohort(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code or "request.invalid")


async def test_open_cohorts_are_those_one_may_enrol_in_today(desk: Desk) -> None:
    today = desk.services.courses.today().isoformat()
    listed = await _walk(desk.advisor, "/v1/cohorts", open_only=True, modality="hybrid")
    assert listed
    for cohort in listed:
        assert cohort["status"] == "open"
        assert cohort["modality"] == "hybrid"
        assert cohort["enrolment_closes"] >= today
        assert cohort["seats_left"] > 0
    starts = [c["starts_on"] for c in listed]
    assert starts == sorted(starts)


async def test_programmes_are_listed_and_read(desk: Desk) -> None:
    listed = await _walk(desk.advisor, "/v1/programmes")
    one = (await desk.advisor.get("/v1/programmes/DIP-DATOS")).json()
    assert one in listed
    assert one["course_codes"][:2] == ["DAT-101", "DAT-102"]
    assert {p["area"] for p in await _walk(desk.advisor, "/v1/programmes", area="DAT")} == {"DAT"}


async def test_foreign_cursor_is_refused(desk: Desk) -> None:
    for cursor in ("%%%", "W10", "WyJhIiwgImIiXQ"):
        answer = await desk.advisor.get("/v1/cohorts", params={"cursor": cursor})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_operation_is_described(desk: Desk) -> None:
    paths = {p: i for p, i in desk.app.openapi()["paths"].items() if "auth" not in p}
    assert len(paths) == 7
    for path, item in paths.items():
        for method, operation in item.items():
            assert operation["summary"], path
            assert operation["security"], path
            described = [p for p in operation.get("parameters", ()) if p["in"] == "header"]
            writes = method in ("put", "patch", "post")
            assert bool(described) == writes, (method, path)
            answers = operation["responses"]
            assert "default" in answers, path
            success = next(a for status, a in answers.items() if re.fullmatch(r"2\d\d", status))
            assert success["content"]["application/json"]["schema"], path
