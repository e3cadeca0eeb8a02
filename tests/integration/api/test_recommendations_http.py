"""Staff ask over HTTP what to recommend to a person."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.target import Target

WANTED = {"goal": "datos", "part_of_day": "evening", "budget_minor": 20_000, "locale": "en"}


async def somebody(target: Target) -> str:
    answer = await target.client.post(
        "/v1/people", json={"full_name": "Ana Pérez"}, headers=target.staff
    )
    return str(answer.json()["id"])


async def ask(target: Target, person_id: str, headers: Any, **query: Any) -> Any:
    url = f"/v1/people/{person_id}/recommendations"
    return await target.client.get(url, params=query, headers=headers)


async def test_staff_get_three_courses_with_codes_and_facts(target: Target) -> None:
    person_id = await somebody(target)
    answer = await ask(target, person_id, target.staff, **WANTED)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["person_id"] == person_id
    assert len(found["suggestions"]) == 3
    assert found["unsaid"] == []
    assert "sources" not in found
    for suggestion in found["suggestions"]:
        over = suggestion["price"]["amount_minor"] > 20_000
        assert over == ("budget" in {o["code"] for o in suggestion["against"]})


async def test_reading_is_on_the_persons_record(target: Target) -> None:
    person_id = await somebody(target)
    await ask(target, person_id, target.staff)
    seen = "SELECT count(*) FROM record_accesses WHERE person_id = %s"
    assert await target.count(seen, person_id) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"days": ["mon", "sat"]}, 200),
        ({"days": "someday"}, 422),
        ({"budget_minor": -1}, 422),
        ({"currency": "soles"}, 422),
        ({"level": "advanced"}, 422),
    ],
)
async def test_wishes_are_typed_and_no_level_is_among_them(
    target: Target, query: dict[str, Any], status: int
) -> None:
    answer = await ask(target, await somebody(target), target.staff, **query)
    assert answer.status_code == status, answer.text


async def test_students_and_strangers_are_kept_out(target: Target) -> None:
    person_id = await somebody(target)
    assert (await ask(target, person_id, {})).status_code == 401
    assert (await ask(target, person_id, target.student)).status_code == 401
    unknown = await ask(target, str(uuid4()), target.staff)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "person.unknown")
