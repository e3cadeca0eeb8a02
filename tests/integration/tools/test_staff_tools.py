"""Every tool with which staff and services change something: once, with its record, by who may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from crm.actor import Role
from crm.ids import new_id
from tests.integration.tools.conftest import Talk
from tools.context import ToolRequest
from tools.registry import default_registry
from tools.results import Ok, Refused
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


CHANGES = {"score_leads": Change(_score, {"whole": False}, "scorings")}


def test_every_tool_of_staff_is_looked_at() -> None:
    assert SPECS.keys() == CHANGES.keys()


async def _talk(office: Office, tool: str) -> Talk:
    """Return somebody who may call the tool, within a run."""
    talk = await office.staff(next(role for role in Role if role in SPECS[tool].roles))
    return Talk(replace(talk.context, run_id=new_id()))


def _request(tool: str, arguments: dict[str, Any]) -> ToolRequest:
    return ToolRequest(tool=tool, arguments=arguments, step=1, index=0)


async def _made(office: Office, tool: str) -> int:
    return await office.count(f"SELECT count(*) FROM {CHANGES[tool].made}")


@every_tool
async def test_it_is_done_once_a_key_with_one_record(office: Office, tool: str) -> None:
    arguments, talk = await CHANGES[tool].arguments(office), await _talk(office, tool)
    before, request = await _made(office, tool), _request(tool, arguments)

    first = await office.runner.call(talk.context, request)
    again = await office.runner.call(talk.context, request)

    assert isinstance(first, Ok), first
    assert isinstance(again, Ok)
    assert again.replayed
    assert await _made(office, tool) == before + 1
    records = await office.records(talk, action=tool, outcome="ok")
    assert [record.header["effect"] for record in records] == [SPECS[tool].effect.value, "NONE"]
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
