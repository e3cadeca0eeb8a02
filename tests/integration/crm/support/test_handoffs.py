"""Hand-offs: one open a conversation, whoever asks and however many at once."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from crm.actor import Actor
from crm.errors import Conflict
from crm.ids import ConversationId, StaffId
from crm.support.models import Handoff

if TYPE_CHECKING:
    from conftest import Desk


async def _request(
    desk: "Desk", conversation_id: ConversationId, effect_key: str | None = None
) -> Handoff:
    async with desk.database.transaction() as uow:
        return await desk.service.request_handoff(
            uow, conversation_id, reason="asked", effect_key=effect_key
        )


async def _take(desk: "Desk", conversation_id: ConversationId, staff: Actor) -> Handoff:
    assert staff.staff_id is not None
    async with desk.database.transaction() as uow:
        return await desk.service.take_handoff(uow, conversation_id, StaffId(staff.staff_id))


async def _release(desk: "Desk", conversation_id: ConversationId) -> Handoff | None:
    async with desk.database.transaction() as uow:
        return await desk.service.release_handoff(uow, conversation_id)


async def _events(desk: "Desk", conversation_id: ConversationId, name: str) -> int:
    return await desk.count(
        "SELECT count(*) FROM outbox WHERE name = %s AND payload ->> 'conversation_id' = %s",
        name,
        str(conversation_id),
    )


async def test_many_requests_at_once_open_one(desk: "Desk") -> None:
    conversation = await desk.new_conversation()
    handoffs = await asyncio.gather(
        *(_request(desk, conversation, f"run-{conversation}-{n}") for n in range(8))
    )
    assert len({h.id for h in handoffs}) == 1
    assert await _events(desk, conversation, "HandoffRequested") == 1
    assert (
        await desk.count("SELECT count(*) FROM handoffs WHERE conversation_id = %s", conversation)
        == 1
    )


async def test_repeated_effect_does_not_ask_again_after_the_release(desk: "Desk") -> None:
    conversation = await desk.new_conversation()
    first = await _request(desk, conversation, "run-9/1/0")
    await _release(desk, conversation)

    again = await _request(desk, conversation, "run-9/1/0")
    anew = await _request(desk, conversation, "run-9/2/0")

    assert again.id == first.id
    assert anew.id != first.id
    assert await _events(desk, conversation, "HandoffRequested") == 2


async def test_one_of_two_advisors_gets_the_conversation(desk: "Desk") -> None:
    conversation = await desk.new_conversation()
    advisors = [await desk.new_staff() for _ in range(2)]
    await _request(desk, conversation)

    outcomes = await asyncio.gather(
        *(_take(desk, conversation, a) for a in advisors), return_exceptions=True
    )

    assert sorted(type(o).__name__ for o in outcomes) == ["Conflict", "Handoff"]
    assert [o.code for o in outcomes if isinstance(o, Conflict)] == ["handoff.taken"]
    assert await _events(desk, conversation, "HandoffTaken") == 1


async def test_taking_twice_keeps_the_first_time(desk: "Desk", advisor: Actor) -> None:
    conversation = await desk.new_conversation()
    assert await _take(desk, conversation, advisor) == await _take(desk, conversation, advisor)
    assert await _events(desk, conversation, "HandoffTaken") == 1


async def test_conversation_nobody_asked_for_can_be_taken_and_given_back(
    desk: "Desk", advisor: Actor
) -> None:
    conversation = await desk.new_conversation()
    taken = await _take(desk, conversation, advisor)
    released = await _release(desk, conversation)

    assert taken.reason == "takeover"
    assert released is not None
    assert released.id == taken.id
    assert await _release(desk, conversation) is None
    assert await _events(desk, conversation, "HandoffReleased") == 1


async def test_rolled_back_request_leaves_the_way_free(desk: "Desk") -> None:
    conversation = await desk.new_conversation()

    async def ask_and_fail() -> None:
        async with desk.database.transaction() as uow:
            await desk.service.request_handoff(uow, conversation, reason="lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask_and_fail()
    assert (await _request(desk, conversation)).reason == "asked"
    assert await _events(desk, conversation, "HandoffRequested") == 1
