"""A score that moves becomes a suggestion to the advisor, once an event, within its rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from api.bootstrap import Services, open_services
from api.lead_agent import AGENT, EventTools, act_on_score
from api.relay import relay_batch, run_deliveries
from api.scoring import score_due_leads
from crm.actor import SERVICE_ACTOR
from crm.ids import new_id
from crm.journal.deliveries.models import StoredEvent
from crm.people.models import CreatePerson
from crm.pipeline.actions.models import is_held_out
from crm.pipeline.models import CreateLead, LeadId
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from api.settings import Settings


@pytest.fixture
async def services(demo_settings: Settings) -> AsyncIterator[Services]:
    async with open_services(demo_settings) as services:
        yield services


async def _lead(services: Services, *, held_out: bool = False) -> LeadId:
    while True:
        person = await services.people.create_person(
            CreatePerson(full_name="Ana Quispe"), actor=SERVICE_ACTOR
        )
        if is_held_out(person.id) is held_out:
            break
    command = CreateLead(person_id=person.id, source="referral", course_code="DAT-101")
    return (await services.pipeline.open_lead(command, actor=SERVICE_ACTOR)).id


async def _warm(services: Services, lead_id: LeadId) -> None:
    """Let somebody write, come by and apply."""
    for kind in ("message", "message", "message", "message", "form", "meeting"):
        await services.pipeline.note_activity(
            lead_id, kind, direction="in", about={"text": "x"}, actor=SERVICE_ACTOR
        )
    await services.pipeline.move_lead(lead_id, "lead", actor=SERVICE_ACTOR)
    await services.pipeline.move_lead(lead_id, "applicant", actor=SERVICE_ACTOR)


async def _settle(services: Services) -> None:
    for _ in range(3):
        while await relay_batch(services) + await run_deliveries(services):
            pass
        await score_due_leads(services)


async def _actions(services: Services, lead_id: LeadId) -> list[dict[str, Any]]:
    async with services.database.read() as conn:
        rows = await conn.execute("SELECT * FROM next_actions WHERE lead_id = %s", [lead_id])
        return await rows.fetchall()


async def test_lead_that_warms_up_is_suggested_to_be_called(services: Services) -> None:
    lead_id = await _lead(services)
    await _settle(services)
    await _warm(services, lead_id)

    await _settle(services)

    (action,) = await _actions(services, lead_id)
    assert (action["kind"], action["why"], action["status"]) == ("call", "score_rose", "open")
    assert "{name}" in action["draft"]
    assert action["reasons"]
    async with services.database.read() as conn:
        rows = await conn.execute(
            "SELECT agent, actor_role, outcome FROM audit_events WHERE action = 'propose_action'"
        )
        records = await rows.fetchall()
    assert ("lead_scoring", "service", "ok") in [
        (r["agent"], r["actor_role"], r["outcome"]) for r in records
    ]


async def test_event_that_is_delivered_twice_suggests_once(services: Services) -> None:
    lead_id = await _lead(services)
    await _warm(services, lead_id)
    await _settle(services)
    async with services.database.transaction() as uow:
        await uow.conn.execute("DELETE FROM next_actions WHERE lead_id = %s", [lead_id])
    event = StoredEvent(
        event_id=new_id(),
        name="LeadScored",
        payload={"lead_id": str(lead_id), "before": 20},
        occurred_at=services.clock.now(),
    )

    ends = [await act_on_score(services, event) for _ in range(2)]

    assert ends == ["proposed", "proposed"]
    assert len(await _actions(services, lead_id)) == 1


async def test_agent_has_two_tools_and_no_more(services: Services) -> None:
    tools = EventTools(services.runner, UUID(int=1), "es")
    for spec in services.runner.available(AGENT):
        if spec.name in ("lead_score", "propose_action"):
            continue
        refused = await tools.call(spec.name, dict(spec.examples[0]), step=0)
        assert isinstance(refused, Refused)
    hidden = {"find_person", "write_to_lead", "plan_task", "enrol", "withdraw", "payment_link"}
    assert not hidden & {spec.name for spec in services.runner.available(AGENT)}
    lead_id = await _lead(services)
    await _settle(services)
    assert isinstance(await tools.call("lead_score", {"lead_id": str(lead_id)}, step=7), Ok)
