"""How stored things look on the wire, in REST and in events alike."""

from crm.messaging.conversations.models import Message


def message_wire(message: Message) -> dict[str, object]:
    """Return a message as clients see it."""
    return {
        "id": str(message.id),
        "role": message.role,
        "text": message.body,
        "citations": list(message.citations),
        "actions": list(message.actions),
        "author": message.author,
        "client_message_id": message.external_id if message.role == "student" else None,
        "created_at": message.created_at.isoformat(),
    }
