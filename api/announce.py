"""Brings domain events to open connections, for when the process that made them died first."""

from datetime import timedelta
from uuid import UUID

from api.bootstrap import Services
from api.wire import message_wire
from crm.errors import Unavailable
from crm.journal.deliveries.models import StoredEvent
from crm.messaging.conversations.models import Message

#: Events that say a message is in the log.
MESSAGE_EVENTS = ("MessageReceived", "AdvisorReplied", "AgentReplied")


async def announce(services: Services, event: StoredEvent) -> None:
    """Put what an event says into the conversation's stream; a repetition changes nothing.

    Raises: Unavailable("events"): to be tried again, as long as somebody may still look.
    """
    message = await services.conversations.get_message(event.id_of("message_id"))
    sent = await announce_message(services, message)
    life = timedelta(seconds=services.settings.stream_ttl_s)
    if not sent and services.clock.now() - message.created_at < life:
        raise Unavailable("events", "The events do not get through.")


async def announce_state(
    services: Services, conversation_id: UUID, kind: str, **data: object
) -> None:
    """Send news of a conversation that belong to no run; they come after all that was sent."""
    ordinal = await services.conversations.next_ordinal()
    await services.stream.append(conversation_id, kind, data, ordinal=ordinal, epoch=0)


async def announce_message(services: Services, message: Message) -> bool:
    """Send a stored message to whoever follows its conversation, once; False if it cannot be."""
    return await services.stream.append_message(
        message.conversation_id, message.id, message_wire(message), ordinal=message.ordinal
    )
