"""Events that no handler could take, and webhooks that led nowhere, for admins."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from api.auth import staff_in
from api.bodies import Out
from api.dependencies import PageDep, ServicesDep
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area

router = Chapter(prefix="/v1/admin/dead-letters", tags=["admin"])

EventReader = Annotated[Actor, Depends(staff_in(Area.EVENTS))]
EventWriter = Annotated[Actor, Depends(staff_in(Area.EVENTS, write=True))]
_Handler = Annotated[str | None, Query(max_length=60, description="One handler's only")]


class DeadLetterOut(Out):
    """A delivery that was given up, with the last reason; the payload holds ids only."""

    event_id: UUID
    handler: str
    name: str
    payload: dict[str, str | int | bool | None]
    occurred_at: datetime
    attempts: int
    dead_at: datetime
    reason: str


class DeadLetterPage(BaseModel):
    """A page of what was given up."""

    items: list[DeadLetterOut]
    next_cursor: str | None


class DeadWebhookOut(Out):
    """A webhook that was a gateway's, but about nothing we know."""

    id: UUID
    gateway: str
    event_id: str
    code: str
    noted_at: datetime


class DeadWebhookPage(BaseModel):
    """A page of webhooks that led nowhere."""

    items: list[DeadWebhookOut]
    next_cursor: str | None


class Replayed(BaseModel):
    """How many deliveries will be tried again."""

    deliveries: int


@router.get("", summary="List events that were given up")
async def list_dead_letters(
    staff: EventReader, services: ServicesDep, page: PageDep
) -> DeadLetterPage:
    """Return what no handler could take, the latest first."""
    found = await services.deliveries.list_dead(cursor=page.cursor, limit=page.limit, actor=staff)
    items = [DeadLetterOut.model_validate(row) for row in found.items]
    return DeadLetterPage(items=items, next_cursor=found.next_cursor)


@router.get("/webhooks", summary="List webhooks that led nowhere")
async def list_dead_webhooks(
    staff: EventReader, services: ServicesDep, page: PageDep
) -> DeadWebhookPage:
    """Return what gateways reported and nobody could use, the latest first."""
    found = await services.webhooks.list_dead_notes(
        cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [DeadWebhookOut.model_validate(note) for note in found.items]
    return DeadWebhookPage(items=items, next_cursor=found.next_cursor)


@router.post("/replay", summary="Try all events again that were given up")
async def replay_all(
    staff: EventWriter, services: ServicesDep, handler: _Handler = None
) -> Replayed:
    """Let every dead delivery be tried again, or one handler's."""
    return Replayed(deliveries=await services.deliveries.replay(handler=handler, actor=staff))


@router.post("/{event_id}/replay", summary="Try an event again that was given up")
async def replay_event(
    event_id: UUID, staff: EventWriter, services: ServicesDep, handler: _Handler = None
) -> Replayed:
    """Let an event's dead deliveries be tried again."""
    count = await services.deliveries.replay(event_id=event_id, handler=handler, actor=staff)
    return Replayed(deliveries=count)
