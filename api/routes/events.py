"""Live events over server-sent events, for students."""

import json
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from api.bootstrap import Services
from api.chat_session import ServicesDep, SessionDep
from api.streams.hub import StreamEvent

router = APIRouter(prefix="/v1/chat", tags=["chat"])

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/events",
    summary="Follow the conversation",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def follow(
    session: SessionDep,
    services: ServicesDep,
    since: Annotated[str | None, Query(description="Id of the last event seen")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingResponse:
    """Stream events after a position, or from the start of what is retained.

    `resync` asks the client to read `/v1/chat/messages` again.
    """
    events = event_lines(services, session.conversation_id, after=last_event_id or since)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def event_lines(
    services: Services, conversation_id: UUID, *, after: str | None
) -> AsyncIterator[str]:
    """Yield a conversation's events in the format of server-sent events, for ever."""
    yield "retry: 1000\n\n"
    async for event in services.hub.follow(conversation_id, after=after):
        yield _frame(event) if event else ": still here\n\n"


def _frame(event: StreamEvent) -> str:
    position = f"id: {event.id}\n" if event.id else ""
    data = json.dumps(event.data, ensure_ascii=False)
    return f"{position}event: {event.kind}\ndata: {data}\n\n"
