"""Handing a conversation to people."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tools.context import ToolRequest
from tools.results import Ok, Refused

if TYPE_CHECKING:
    from tests.integration.tools.conftest import Office, Talk


def asked(step: int = 0, **extra: object) -> ToolRequest:
    arguments = {"reason": "Quiere hablar con una persona.", **extra}
    return ToolRequest(tool="hand_off", arguments=arguments, step=step, index=0)


async def handoffs_of(office: Office, talk: Talk) -> int:
    return await office.count(
        "SELECT count(*) FROM handoffs WHERE conversation_id = %s", talk.context.conversation_id
    )


async def test_conversation_waits_for_a_person(office: Office) -> None:
    talk = await office.visitor()
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, Ok)
    assert result.data == {"status": "waiting"}
    assert talk.context.conversation_id is not None
    held = await office.services.conversations.get_conversation(talk.context.conversation_id)
    assert held.status == "waiting"
    assert held.handoff_reason == "Quiere hablar con una persona."
    assert await handoffs_of(office, talk) == 1
    assert await office.outcomes(talk) == [("WRITE", "ok", "allowed")]
    published = await office.count(
        "SELECT count(*) FROM outbox WHERE name = 'HandoffRequested' "
        "AND payload->>'conversation_id' = %s",
        str(talk.context.conversation_id),
    )
    assert published == 1


async def test_asking_ten_times_at_once_asks_once(office: Office) -> None:
    talk = await office.visitor()
    results = await asyncio.gather(*(office.runner.call(talk.context, asked()) for _ in range(10)))
    assert all(isinstance(r, Ok) for r in results)
    assert await handoffs_of(office, talk) == 1


async def test_asking_again_in_a_later_step_keeps_the_one_request(office: Office) -> None:
    talk = await office.visitor()
    await office.runner.call(talk.context, asked(0))
    assert isinstance(await office.runner.call(talk.context, asked(1)), Ok)
    assert await handoffs_of(office, talk) == 1


async def test_another_conversation_cannot_be_handed_over(office: Office) -> None:
    talk, other = await office.visitor(), await office.visitor()
    result = await office.runner.call(
        talk.context, asked(conversation_id=str(other.context.conversation_id))
    )
    assert isinstance(result, Refused)
    assert result.code == "arguments.invalid"
    assert await handoffs_of(office, other) == 0


async def test_outside_of_a_conversation_there_is_nothing_to_hand_over(office: Office) -> None:
    talk = await office.visitor()
    nowhere = replace(talk.context, conversation_id=None, run_id=None)
    result = await office.runner.call(nowhere, asked())
    assert isinstance(result, Refused)
    assert result.code == "handoff.no_conversation"


async def test_staff_do_not_hand_off(office: Office) -> None:
    talk = await office.staff()
    result = await office.runner.call(talk.context, asked())
    assert isinstance(result, Refused)
    assert result.code == "tool.role"
