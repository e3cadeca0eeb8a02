"""Live events over server-sent events, for students."""

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import Header, Query
from fastapi.responses import StreamingResponse

from api.bootstrap import Services
from api.chat_session import ServicesDep, SessionDep, SessionToken
from api.routing import Chapter
from api.streams.hub import RESYNC, SESSIONS_CHANGED, StreamEvent
from crm.errors import Unauthenticated, Unavailable
from crm.messaging.conversations.models import ChatSession

router = Chapter(prefix="/v1/chat", tags=["chat"])

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/events",
    summary="Follow the conversation",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def follow(
    session: SessionDep,
    token: SessionToken,
    services: ServicesDep,
    since: Annotated[str | None, Query(description="Id of the last event seen")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> StreamingResponse:
    """Stream events after a position, or from the start of what is retained.

    `resync` asks the client to read `/v1/chat/messages` again.
    """
    events = event_lines(services, session, token, after=last_event_id or since)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def event_lines(
    services: Services, session: ChatSession, token: str, *, after: str | None
) -> AsyncIterator[str]:
    """Yield a conversation's events in the format of server-sent events while the session lasts."""
    yield "retry: 1000\n\n"
    following = services.hub.follow(session.conversation_id, after=after)
    async with aclosing(following) as events:
        async for event in events:
            if not await _may_go_on(services, session, token, event):
                return
            if event is None:
                yield ": still here\n\n"
            elif event.kind != SESSIONS_CHANGED:
                yield _frame(event)


async def _may_go_on(
    services: Services, session: ChatSession, token: str, event: StreamEvent | None
) -> bool:
    """Return whether the session still holds; who replaced it has said so, or was not heard."""
    if session.expires_at <= services.clock.now():
        return False
    if event is None or event.kind not in {SESSIONS_CHANGED, RESYNC.kind}:
        return True
    try:
        await services.conversations.session_by_token(token)
    except (Unauthenticated, Unavailable):
        return False
    return True


def _frame(event: StreamEvent) -> str:
    position = f"id: {event.id}\n" if event.id else ""
    data = json.dumps(event.data, ensure_ascii=False)
    return f"{position}event: {event.kind}\ndata: {data}\n\n"
