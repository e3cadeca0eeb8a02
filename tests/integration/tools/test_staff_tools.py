"""Every tool with which staff and services change something: once, with its record, by who may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import SERVICE_ACTOR, Role
from crm.ids import new_id
from crm.pipeline.actions.models import is_held_out
from crm.pipeline.leads import open_lead
from crm.pipeline.models import CreateLead
from tests.integration.tools.conftest import Talk
from tools.approvals import ApprovedCall
from tools.context import ToolRequest
from tools.registry import default_registry
from tools.results import Ok, Refused, ToolResult
from tools.spec import Effect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.tools.conftest import Office

SPECS = {
    spec.name: spec
    for spec in default_registry()
    if spec.effect is not Effect.READ and not spec.students
}
every_tool = pytest.mark.parametrize("tool", SPECS)


@dataclass(frozen=True)
class Change:
    """What a tool is told, what to say instead, and the rows that say that it was done."""

    arguments: Callable[[Office], Awaitable[dict[str, Any]]]
    other: dict[str, Any]
    made: str


async def _score(office: Office) -> dict[str, Any]:
    return {"whole": True}


async def _lead(office: Office) -> str:
    """Open a lead of somebody whom nobody minds to write to."""
    person = await office.new_person("Ana Quispe")
    while is_held_out(person.id):
        person = await office.new_person("Ana Quispe")
    await office.execute(
        "INSERT INTO consents (id, person_id, channel, purpose, granted, source, text_version, "
        "recorded_at) VALUES (%s, %s, 'email', 'marketing', true, 'form', '1', %s)",
        *(new_id(), person.id, office.clock.now()),
    )
    command = CreateLead(person_id=person.id, source="web_form")
    async with office.database.transaction() as uow:
        return str((await open_lead(uow, command, actor=SERVICE_ACTOR)).id)


async def _propose(office: Office) -> dict[str, Any]:
    return {"lead_id": await _lead(office), "kind": "call", "why": "score_rose"}


async def _plan(office: Office) -> dict[str, Any]:
    return {"lead_id": await _lead(office), "due_at": "2027-01-04T15:00:00Z"}


async def _write(office: Office) -> dict[str, Any]:
    return {"lead_id": await _lead(office), "kind": "send_template", "text": "Hola {name}"}


CHANGES = {
    "score_leads": Change(_score, {"whole": False}, "scorings"),
    "propose_action": Change(_propose, {"why": "score_fell"}, "next_actions"),
    "plan_task": Change(_plan, {"due_at": "2027-01-05T15:00:00Z"}, "tasks"),
    "write_to_lead": Change(_write, {"text": "Adiós"}, "outbound_messages"),
}


def test_every_tool_of_staff_is_looked_at() -> None:
    assert SPECS.keys() == CHANGES.keys()


async def _talk(office: Office, tool: str) -> Talk:
    """Return somebody who may call the tool, within a run."""
    talk = await office.staff(next(role for role in Role if role in SPECS[tool].roles))
    staff_id = talk.actor.staff_id
    await office.execute(
        "INSERT INTO staff (id, email, name, role, password_hash, created_at) "
        "VALUES (%s, %s, 'Eva', 'advisor', 'x', %s)",
        *(staff_id, f"{staff_id}@andino.example", office.clock.now()),
    )
    return Talk(replace(talk.context, run_id=new_id()))


def _request(tool: str, arguments: dict[str, Any]) -> ToolRequest:
    return ToolRequest(tool=tool, arguments=arguments, step=1, index=0)


async def _carry_out(office: Office, talk: Talk, request: ToolRequest) -> ToolResult:
    """Call a tool, or execute what staff agreed to where that is asked for."""
    if SPECS[request.tool].approval == "none":
        return await office.runner.call(talk.context, request)
    assert talk.context.run_id is not None
    arguments: Any = request.arguments
    call = ApprovedCall(
        id=talk.context.run_id, tool=request.tool, arguments=arguments, approver=talk.actor
    )
    return await office.runner.execute_approved(talk.context, call)


async def _made(office: Office, tool: str) -> int:
    return await office.count(f"SELECT count(*) FROM {CHANGES[tool].made}")


@every_tool
async def test_it_is_done_once_a_key_with_one_record(office: Office, tool: str) -> None:
    arguments, talk = await CHANGES[tool].arguments(office), await _talk(office, tool)
    before, request = await _made(office, tool), _request(tool, arguments)

    first = await _carry_out(office, talk, request)
    again = await _carry_out(office, talk, request)

    assert isinstance(first, Ok), first
    assert isinstance(again, Ok)
    assert again.replayed
    assert await _made(office, tool) == before + 1
    records = await office.records(talk, action=tool, outcome="ok")
    assert [record.header["effect"] for record in records] == [SPECS[tool].effect.value, "NONE"]
    if SPECS[tool].approval == "advisor":  # what was agreed to is kept with the suggestion
        return
    other = _request(tool, arguments | CHANGES[tool].other)
    refused = await office.runner.call(talk.context, other)
    assert isinstance(refused, Refused)
    assert refused.code == "idempotency.mismatch"


@every_tool
async def test_it_is_denied_to_who_may_not(office: Office, tool: str) -> None:
    request = _request(tool, await CHANGES[tool].arguments(office))
    before = await _made(office, tool)
    others = [await office.staff(role) for role in Role if role not in SPECS[tool].roles]

    for talk in [*others, await office.student(), await office.visitor()]:
        refused = await office.runner.call(talk.context, request)
        assert isinstance(refused, Refused)
        assert refused.code in ("tool.role", "tool.staff_only")
        assert SPECS[tool] not in office.runner.available(talk.actor)
    assert await _made(office, tool) == before
