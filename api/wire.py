"""How stored things look on the wire, in REST and in events alike."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from crm.messaging.conversations.models import Message


class CitationOut(BaseModel):
    """What a statement of the reply rests on; the address opens it."""

    title: str
    url: str
    version: str


class ActionOut(BaseModel):
    """A hint for the channel, e.g. `verify`, `handoff_offer` or a `confirmation` with its call."""

    model_config = ConfigDict(extra="allow")

    type: str


class MessageOut(BaseModel):
    """One entry of the log."""

    id: UUID
    role: Literal["student", "agent", "advisor", "system"]
    text: str
    citations: list[CitationOut]
    actions: list[ActionOut]
    author: str | None = Field(description="The advisor who wrote it")
    client_message_id: str | None = Field(description="The student's own id of their message")
    created_at: str = Field(json_schema_extra={"format": "date-time"})


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


def message_out(message: Message) -> MessageOut:
    """Return the same as a model."""
    return MessageOut.model_validate(message_wire(message))
