"""Staff work with people over HTTP."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

Office = Any
Headers = dict[str, str]


async def _create(office: Office, headers: Headers, **facts: object) -> dict[str, Any]:
    answer = await office.client.post(
        "/v1/people", json={"full_name": "Ana Pérez", **facts}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    person: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/people/{person['id']}"
    return person


async def test_create_read_change(office: Office, advisor: Headers) -> None:
    person = await _create(office, advisor, email="Ana.Crea@Correo.example", phone="987654321")
    url = f"/v1/people/{person['id']}"

    assert (await office.client.get(url, headers=advisor)).json() == person
    changed = await office.client.patch(
        url, json={"expected_version": 1, "email": None, "locale": "en"}, headers=advisor
    )
    assert changed.status_code == 200
    expected = {"email": None, "locale": "en", "version": 2, "full_name": "Ana Pérez"}
    assert {name: changed.json()[name] for name in expected} == expected
    profile = (await office.client.get(f"{url}/profile", headers=advisor)).json()
    assert profile == {"person": changed.json(), "consents": [], "enrolments": []}


async def test_stale_change_is_a_conflict(office: Office, advisor: Headers) -> None:
    person = await _create(office, advisor)

    answer = await office.client.patch(
        f"/v1/people/{person['id']}", json={"expected_version": 9}, headers=advisor
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "person.stale")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "request.invalid"),
        ({"full_name": None}, "request.invalid"),
        ({"full_name": "  "}, "person.name"),
        ({"full_name": "Ana", "email": "nowhere"}, "person.email"),
        ({"full_name": "Ana", "phone": "12"}, "person.phone"),
        ({"full_name": "Ana", "time_zone": "Mars/Base"}, "person.time_zone"),
        ({"full_name": "Ana", "time_zone": "../../etc/passwd"}, "person.time_zone"),
        ({"full_name": "Ana", "birth_date": "2999-01-01"}, "person.birth_date"),
        ({"full_name": "Ana", "birth_date": "2001-02-29"}, "request.invalid"),
        ({"full_name": "Ana", "locale": "fr"}, "request.invalid"),
        ({"full_name": "Ana", "guardian_id": str(uuid4())}, "person.guardian"),
        ({"full_name": "Ana", "status": "erased"}, "request.invalid"),
    ],
)
async def test_person_that_breaks_a_rule(
    office: Office, advisor: Headers, body: dict[str, object], code: str
) -> None:
    answer = await office.client.post("/v1/people", json=body, headers=advisor)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("field", ["full_name", "locale", "time_zone"])
async def test_required_field_cannot_be_emptied(
    office: Office, advisor: Headers, field: str
) -> None:
    person = await _create(office, advisor)

    answer = await office.client.patch(
        f"/v1/people/{person['id']}", json={"expected_version": 1, field: None}, headers=advisor
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_unknown_person(office: Office, advisor: Headers) -> None:
    for path in ("", "/profile", "/consents"):
        answer = await office.client.get(f"/v1/people/{uuid4()}{path}", headers=advisor)
        assert (answer.status_code, answer.json()["code"]) == (404, "person.unknown")


async def test_search_and_pages(office: Office, advisor: Headers) -> None:
    made = {(await _create(office, advisor, full_name=f"Wenceslao {n}"))["id"] for n in "abc"}

    seen: list[str] = []
    params: dict[str, object] = {"query": "wenceslao", "limit": 2}
    while True:
        page = (await office.client.get("/v1/people", params=params, headers=advisor)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]

    assert len(seen) == 3
    assert set(seen) == made


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"limit": 0}, "request.invalid"),
        ({"limit": 201}, "request.invalid"),
        ({"cursor": "nonsense"}, "page.cursor"),
        ({"query": "x" * 201}, "request.invalid"),
    ],
)
async def test_page_that_is_none(
    office: Office, advisor: Headers, params: dict[str, object], code: str
) -> None:
    answer = await office.client.get("/v1/people", params=params, headers=advisor)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_idempotency_key_makes_one_person_of_ten_calls(
    office: Office, advisor: Headers
) -> None:
    headers = {**advisor, "Idempotency-Key": str(uuid4())}
    body = {"full_name": "Diez Veces"}

    answers = await asyncio.gather(
        *(office.client.post("/v1/people", json=body, headers=headers) for _ in range(10))
    )

    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    other = await office.client.post("/v1/people", json={"full_name": "Otra"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.mismatch")


async def test_idempotency_keys_of_two_people_do_not_meet(office: Office, advisor: Headers) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    colleague = await office.headers("advisor")

    first = await _create(office, advisor | key, full_name="Una")
    second = await _create(office, colleague | key, full_name="Otra")

    assert first["id"] != second["id"]


@pytest.mark.parametrize("key", ["", "x" * 201, "with space"])
async def test_idempotency_key_that_is_none(office: Office, advisor: Headers, key: str) -> None:
    answer = await office.client.post(
        "/v1/people", json={"full_name": "Ana"}, headers={**advisor, "Idempotency-Key": key}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_consents(office: Office, advisor: Headers) -> None:
    person = await _create(office, advisor)
    url = f"/v1/people/{person['id']}/consents"
    body = {"channel": "email", "purpose": "marketing", "granted": True, "text_version": "1"}

    given = await office.client.post(url, json=body, headers=advisor)

    assert given.status_code == 201
    assert given.json()["source"] == "staff"
    assert (await office.client.get(url, headers=advisor)).json() == [given.json()]
