"""The tool that asks for a person."""

from typing import Literal

from pydantic import Field

from crm.actor import Role
from crm.errors import RuleBroken
from crm.ids import ConversationId
from tools.arguments import ToolInput
from tools.outputs import ToolOutput
from tools.spec import Call, Effect, ToolSpec, description_of


class HandOff(ToolInput):
    """Why a person is needed."""

    reason: str = Field(
        min_length=3, max_length=300, description="For the advisor, in one sentence."
    )


class HandedOff(ToolOutput):
    """The conversation waits for a person."""

    status: Literal["waiting"] = "waiting"


async def hand_off(call: Call[HandOff]) -> HandedOff:
    """Put this conversation on the advisors' list, so that a person answers here.

    Use it when the student asks for a person, when the matter is urgent or sensitive, or when you
    cannot help. It takes effect at once; tell the student that a person will reply in this chat.
    """
    if call.context.conversation_id is None:
        raise RuleBroken("handoff.no_conversation", "There is no conversation to hand over.")
    conversation_id = ConversationId(call.context.conversation_id)
    services, reason = call.services, call.args.reason
    await services.conversations.mark_waiting(call.uow, conversation_id, reason=reason)
    await services.support.request_handoff(
        call.uow, conversation_id, reason=reason, effect_key=call.effect_key
    )
    return HandedOff()


HAND_OFF = ToolSpec(
    name="hand_off",
    version=1,
    description=description_of(hand_off),
    input=HandOff,
    output=HandedOff,
    handler=hand_off,
    effect=Effect.WRITE,
    roles=frozenset[Role](),
    examples=({"reason": "The student wants to talk to a person about a refund."},),
)
