"""Brings domain events to open connections, for when the process that made them died first."""

from uuid import UUID

from api.bootstrap import Services
from api.wire import message_wire
from crm.journal.events import OutboxRow

#: Events that say a message is in the log.
_MESSAGES = {"MessageReceived", "AdvisorReplied", "AgentReplied"}


async def announce(services: Services, row: OutboxRow) -> None:
    """Put what an event says into the conversation's stream; a repetition changes nothing."""
    if row.name in _MESSAGES:
        await announce_message(services, UUID(str(row.payload["message_id"])))


async def announce_message(services: Services, message_id: UUID) -> None:
    """Send a stored message to whoever follows its conversation, once."""
    message = await services.conversations.get_message(message_id)
    await services.stream.append_message(
        message.conversation_id, message.id, message_wire(message), ordinal=message.ordinal
    )
