"""Scores over HTTP: they follow what happens within seconds, and say why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from api.relay import relay_batch
from api.scoring import score_due_leads
from crm.actor import SERVICE_ACTOR
from crm.people.models import CreatePerson
from crm.pipeline.models import CreateLead

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.integration.api.target import Target


async def _new_lead(target: Target) -> UUID:
    person = await target.services.people.create_person(
        CreatePerson(full_name="Ana Quispe"), actor=SERVICE_ACTOR
    )
    command = CreateLead(person_id=person.id, source="web_form")
    return (await target.services.pipeline.open_lead(command, actor=SERVICE_ACTOR)).id


async def _read_once(
    target: Target, lead_id: UUID, holds: Callable[[dict[str, Any]], bool], language: str = "es"
) -> dict[str, Any]:
    """Return the score once it is as expected; the application's own jobs may come first."""
    address = f"/v1/leads/{lead_id}/score?language={language}"
    async with asyncio.timeout(60):
        while True:
            await relay_batch(target.services)
            await score_due_leads(target.services)
            answer = await target.client.get(address, headers=target.staff)
            if answer.status_code == 200 and holds(answer.json()):
                read: dict[str, Any] = answer.json()
                return read


async def test_what_happens_with_a_lead_changes_its_score(target: Target) -> None:
    lead_id = await _new_lead(target)
    before = await _read_once(target, lead_id, lambda read: True)
    noted = await target.client.post(
        f"/v1/leads/{lead_id}/activities",
        headers=target.staff,
        json={"kind": "meeting", "direction": "in"},
    )
    assert noted.status_code == 201

    after = await _read_once(target, lead_id, lambda read: read["score"] == before["score"] + 8)

    assert after["base"] + sum(reason["points"] for reason in after["reasons"]) == after["score"]
    told = next(reason for reason in after["reasons"] if reason["feature"] == "meetings")
    assert (told["title"], told["points"]) == ("Reuniones", 8)
    english = await _read_once(target, lead_id, lambda read: True, "en")
    assert "Meetings" in [reason["title"] for reason in english["reasons"]]


async def test_student_reads_no_score(target: Target) -> None:
    lead_id = await _new_lead(target)

    answer = await target.client.get(f"/v1/leads/{lead_id}/score", headers=target.student)

    assert answer.status_code in (401, 403)
