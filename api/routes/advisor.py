"""The advisors' API for conversations: list, read, take over, reply, release."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.announce import announce_message, announce_state
from api.bodies import Body, Out
from api.bootstrap import Services
from api.chat_session import ServicesDep
from api.dependencies import PageDep, RequireAdvisor
from api.routing import Chapter
from api.wire import MessageOut, message_out
from crm.actor import Actor
from crm.journal.audit import AuditEntry, performed
from crm.messaging.conversations.models import (
    Conversation,
    ConversationStatus,
    ConversationSummary,
)

router = Chapter(prefix="/v1/advisor", tags=["advisor"])


class ConversationLine(Out):
    """A line of the list."""

    id: UUID
    status: ConversationStatus
    channel: str
    locale: str
    person_name: str | None
    last_message: str | None
    last_message_at: datetime
    handoff_reason: str | None
    assigned_to: str | None


class ConversationPage(BaseModel):
    """A page of the list, the most recently active first."""

    items: list[ConversationLine]
    next_cursor: str | None


class ConversationOut(BaseModel):
    """One conversation: with whom, and who answers."""

    id: UUID
    status: ConversationStatus
    channel: str
    locale: str
    person_id: UUID | None
    identity_level: str
    handoff_reason: str | None
    staff_id: UUID | None
    last_message_at: datetime


class ConversationDetail(BaseModel):
    """One conversation with a stretch of its log."""

    conversation: ConversationOut
    messages: list[MessageOut]
    next_cursor: str | None


class Reply(Body):
    """An advisor's message; the client's id makes sending it twice harmless."""

    client_message_id: str = Field(min_length=1, max_length=100, pattern=r"^[\w.:-]+$")
    text: str = Field(max_length=20_000)


@router.get("/conversations", summary="List conversations")
async def list_conversations(
    staff: RequireAdvisor,
    services: ServicesDep,
    page: PageDep,
    status: ConversationStatus | None = None,
) -> ConversationPage:
    """Return conversations; `status=waiting` are those that asked for a person."""
    found = await services.conversations.list_conversations(
        status=status, cursor=page.cursor, limit=page.limit
    )
    async with services.database.transaction() as uow:
        uow.audit(_listed(staff, found.items))
    return ConversationPage(items=[_line(c) for c in found.items], next_cursor=found.next_cursor)


def _line(summary: ConversationSummary) -> ConversationLine:
    return ConversationLine.model_validate(summary)


@router.get("/conversations/{conversation_id}", summary="Read a conversation")
async def get_conversation(
    conversation_id: UUID,
    staff: RequireAdvisor,
    services: ServicesDep,
    since: Annotated[
        str | None, Query(max_length=500, description="`next_cursor` of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> ConversationDetail:
    """Return the log from after the cursor; reading it is recorded."""
    conversation = await services.conversations.get_conversation(conversation_id)
    async with services.database.audited_read() as uow:
        uow.audit(_read(staff, conversation))
    page = await services.conversations.list_messages(conversation_id, since=since, limit=limit)
    return ConversationDetail(
        conversation=_wire(conversation),
        messages=[message_out(m) for m in page.items],
        next_cursor=page.next_cursor,
    )


def _listed(staff: Actor, shown: Sequence[ConversationSummary]) -> AuditEntry:
    return performed(
        staff, "conversation.list", "READ", people=tuple(c.person_id for c in shown if c.person_id)
    )


def _read(staff: Actor, conversation: Conversation) -> AuditEntry:
    return AuditEntry(
        actor=staff,
        action="conversation.read",
        effect="READ",
        outcome="ok",
        decision="allowed",
        about=conversation.subject_id,
        people=(conversation.person_id,) if conversation.person_id else (),
        chain_id=conversation.id,
        conversation_id=conversation.id,
    )


def _wire(conversation: Conversation) -> ConversationOut:
    return ConversationOut(
        id=conversation.id,
        status=conversation.status,
        channel=conversation.channel,
        locale=conversation.locale,
        person_id=conversation.person_id,
        identity_level=conversation.level.word,
        handoff_reason=conversation.handoff_reason,
        staff_id=conversation.staff_id,
        last_message_at=conversation.last_message_at,
    )


@router.post("/conversations/{conversation_id}/takeover", summary="Take over")
async def take_over(
    conversation_id: UUID, staff: RequireAdvisor, services: ServicesDep
) -> ConversationOut:
    """Answer instead of the agents, which are silent from now on."""
    async with services.database.transaction() as uow:
        conversation = await services.conversations.take_over(uow, conversation_id, actor=staff)
        if staff.staff_id is not None:
            await services.support.take_handoff(uow, conversation.id, staff.staff_id)
    await _tell(services, conversation, taken=True)
    return _wire(conversation)


@router.post("/conversations/{conversation_id}/release", summary="Hand back to the agents")
async def release(
    conversation_id: UUID, staff: RequireAdvisor, services: ServicesDep
) -> ConversationOut:
    """Let the agents answer again."""
    async with services.database.transaction() as uow:
        conversation = await services.conversations.release(uow, conversation_id, actor=staff)
        await services.support.release_handoff(uow, conversation.id)
    await _tell(services, conversation, taken=False)
    return _wire(conversation)


async def _tell(services: Services, conversation: Conversation, *, taken: bool) -> None:
    status = str(conversation.status)
    await announce_state(services, conversation.id, "handoff", status=status, advisor=taken)


@router.post("/conversations/{conversation_id}/messages", summary="Reply as a person")
async def reply(
    conversation_id: UUID, body: Reply, staff: RequireAdvisor, services: ServicesDep
) -> MessageOut:
    """Put a message into a conversation that the advisor has taken over."""
    accepted = await services.conversations.reply_as_advisor(
        conversation_id,
        client_message_id=body.client_message_id,
        text=body.text,
        actor=staff,
    )
    await announce_message(services, accepted.message)
    return message_out(accepted.message)
