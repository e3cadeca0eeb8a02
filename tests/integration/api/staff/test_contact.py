"""Staff see duplicates, merge them and set preferences over HTTP; admins read the access log."""

from typing import Any
from uuid import uuid4

import pytest

Office = Any
Headers = dict[str, str]


async def _create(office: Office, headers: Headers, **facts: object) -> str:
    answer = await office.client.post(
        "/v1/people", json={"full_name": "Ana Pérez", **facts}, headers=headers
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_preferences(office: Office, advisor: Headers) -> None:
    url = f"/v1/people/{await _create(office, advisor)}/preferences"
    body = {"preferred_channel": "sms", "opted_out": ["email", "call"]}

    empty = (await office.client.get(url, headers=advisor)).json()
    kept = await office.client.put(url, json=body, headers=advisor)

    assert empty == {"preferred_channel": None, "opted_out": []}
    assert kept.json() == {"preferred_channel": "sms", "opted_out": ["call", "email"]}
    assert (await office.client.get(url, headers=advisor)).json() == kept.json()


async def test_preferences_are_set_once_a_key(office: Office, advisor: Headers) -> None:
    url = f"/v1/people/{await _create(office, advisor)}/preferences"
    body = {"preferred_channel": "sms", "opted_out": ["email", "call"]}
    key = {"Idempotency-Key": str(uuid4())}

    first, again = [
        await office.client.put(url, json=body, headers=advisor | key) for _ in range(2)
    ]

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize("body", [{"opted_out": ["fax"]}, {"preferred_channel": "fax"}, {"x": 1}])
async def test_preferences_that_are_none(office: Office, advisor: Headers, body: object) -> None:
    url = f"/v1/people/{await _create(office, advisor)}/preferences"

    answer = await office.client.put(url, json=body, headers=advisor)

    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


async def test_duplicates_are_merged_and_parted(office: Office, advisor: Headers) -> None:
    name, box = f"Zenobia {uuid4().hex}", uuid4().hex
    first = await _create(office, advisor, full_name=name, email=f"{box}@gmail.com")
    second = await _create(office, advisor, full_name=name, email=f"{box}+x@gmail.com")
    await office.services.duplicates.check_due(1_000)

    found = await office.client.get(f"/v1/people/{first}/duplicates", headers=advisor)
    listed = (await office.client.get("/v1/duplicates?limit=200", headers=advisor)).json()
    key = {"Idempotency-Key": str(uuid4())}
    made = [
        await office.client.post(
            f"/v1/people/{first}/merge", json={"merged_id": second}, headers=advisor | key
        )
        for _ in range(2)
    ]
    undone = await office.client.post(made[0].headers["location"] + "/undo", headers=advisor)

    assert [c["person"]["id"] for c in found.json()] == [second]
    assert {first, second} in [{s["first"]["id"], s["second"]["id"]} for s in listed["items"]]
    assert [m.status_code for m in made] == [201, 201]
    assert made[0].json() == made[1].json()
    assert (undone.status_code, undone.json()["merged_id"]) == (200, second)
    again = await office.client.get(made[0].headers["location"], headers=advisor)
    assert again.json() == undone.json()
    person = (await office.client.get(f"/v1/people/{second}", headers=advisor)).json()
    assert person["status"] == "active"


async def test_suggestion_is_dismissed(office: Office, advisor: Headers) -> None:
    name, box = f"Zenobia {uuid4().hex}", uuid4().hex
    first = await _create(office, advisor, full_name=name, email=f"{box}@gmail.com")
    await _create(office, advisor, full_name=name, email=f"{box}+x@gmail.com")
    await office.services.duplicates.check_due(1_000)
    listed = (await office.client.get("/v1/duplicates?limit=200", headers=advisor)).json()
    (pair,) = [s for s in listed["items"] if first in (s["first"]["id"], s["second"]["id"])]

    url = f"/v1/duplicates/{pair['id']}/dismiss"
    assert (await office.client.post(url, headers=advisor)).status_code == 204

    after = await office.client.get(f"/v1/people/{first}/duplicates", headers=advisor)
    assert after.json() == []
    unknown = await office.client.post(f"/v1/duplicates/{uuid4()}/dismiss", headers=advisor)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "duplicate.unknown")


async def test_access_log_is_for_admins(
    office: Office, advisor: Headers, admin_headers: Headers
) -> None:
    person = await _create(office, advisor)
    await office.client.get(f"/v1/people/{person}", headers=advisor)

    url = f"/v1/people/{person}/accesses"
    refused = await office.client.get(url, headers=advisor)
    log = (await office.client.get(url, headers=admin_headers)).json()

    assert (refused.status_code, refused.json()["code"]) == (403, "auth.role")
    (access,) = log["items"]
    assert (access["action"], access["staff_name"]) == ("person.read", "Eva")


async def test_erasure_needs_admin_name_and_key(
    office: Office, advisor: Headers, admin_headers: Headers
) -> None:
    person = await _create(office, advisor, full_name="Óscar Úrsula")
    url, body = f"/v1/admin/people/{person}/erase", {"confirmation": "oscar ursula"}
    key = {"Idempotency-Key": str(uuid4())}

    refused = [
        await office.client.post(url, json=body, headers=advisor | key),
        await office.client.post(url, json=body, headers=admin_headers),
        await office.client.post(url, json={"confirmation": "yes"}, headers=admin_headers | key),
    ]
    done = [await office.client.post(url, json=body, headers=admin_headers | key) for _ in "ab"]

    assert [(r.status_code, r.json()["code"]) for r in refused] == [
        (403, "auth.role"),
        (422, "idempotency.required"),
        (422, "erasure.confirmation"),
    ]
    assert [d.status_code for d in done] == [200, 200]
    assert done[0].json() == done[1].json()
    left = (await office.client.get(f"/v1/people/{person}", headers=advisor)).json()
    assert (left["status"], left["full_name"]) == ("erased", "Persona eliminada")


PEN = {"amount_minor": 100, "currency": "PEN"}


async def _invoice(office: Office, headers: Headers, person: str) -> str:
    facts = {"person_id": person, "reference": f"of:{person}", "due_dates": ["2030-01-01"]}
    answer = await office.client.post("/v1/invoices", json={**facts, "net": PEN}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _erase(
    office: Office, headers: Headers, person: str, **more: object
) -> tuple[int, str | None]:
    answer = await office.client.post(
        f"/v1/admin/people/{person}/erase",
        json={"confirmation": "Ana Pérez", **more},
        headers=headers | {"Idempotency-Key": str(uuid4())},
    )
    return answer.status_code, answer.json().get("code")


async def test_who_owes_money_is_erased_only_knowingly(
    office: Office, advisor: Headers, admin_headers: Headers
) -> None:
    person = await _create(office, advisor)
    await _invoice(office, advisor, person)

    refused = [
        await _erase(office, admin_headers, person),
        await _erase(office, admin_headers, person, confirmation="yes", despite_debt=True),
    ]

    assert refused == [(422, "erasure.debt"), (422, "erasure.confirmation")]
    assert await _erase(office, admin_headers, person, despite_debt=True) == (200, None)


async def test_who_has_paid_is_erased_without_more(
    office: Office, advisor: Headers, admin_headers: Headers
) -> None:
    person = await _create(office, advisor)
    paid = {"invoice_id": await _invoice(office, advisor, person), "amount": PEN, "method": "cash"}
    await office.client.post("/v1/payments/manual", json=paid, headers=advisor)

    assert await _erase(office, admin_headers, person) == (200, None)
