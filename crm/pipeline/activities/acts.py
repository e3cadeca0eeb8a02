"""Writes down what happened with a person, once, in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from crm.actor import SERVICE_ACTOR, Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId, new_id
from crm.journal.audit import performed
from crm.pipeline import store as leads
from crm.pipeline.activities import store
from crm.pipeline.activities.models import (
    Activity,
    ActivityKind,
    Direction,
    is_contact,
    plain_facts,
)
from crm.pipeline.events import ActivityNoted
from crm.pipeline.models import LeadId
from crm.pipeline.sla.acts import stop_clocks


async def note_activity(
    uow: UnitOfWork,
    *,
    person_id: PersonId,
    kind: ActivityKind,
    about: Mapping[str, object],
    occurred_at: datetime,
    actor: Actor,
    lead_id: LeadId | None = None,
    source_key: str | None = None,
    direction: Direction | None = None,
) -> Activity | None:
    """Note something that happened; the first contact stops the clock of the first response.

    Args:
        about: ids and short facts, never a message's text.
        lead_id: None is the person's open lead that something happened with last, if there is one.
        source_key: names the happening: it is noted once, however often it is told.
        direction: `out` when the institution reached out.

    Returns: None when it was noted before.

    Raises:
        NotFound("lead.unknown"): no such lead, or it is another person's.
        RuleBroken("activity.about"): nested facts, or too much is said.
    """
    activity = Activity(
        id=new_id(),
        person_id=person_id,
        lead_id=await _lead(uow, person_id, lead_id),
        kind=kind,
        direction=direction,
        about=plain_facts(about),
        source_key=source_key,
        staff_id=actor.staff_id,
        occurred_at=occurred_at,
    )
    if not await store.insert_activity(uow.conn, activity):
        return None
    await _follow(uow, activity)
    _tell(uow, activity, actor)
    return activity


async def note_message(uow: UnitOfWork, message_id: UUID) -> Activity | None:
    """Note on the timeline that a message was written, without its text.

    Returns: None when it was noted before, or nobody knows yet whose conversation it is.
    """
    message = await store.select_message(uow.conn, message_id)
    if message is None:
        return None
    place = {name: message[name] for name in ("conversation_id", "channel")}
    return await note_activity(
        uow,
        person_id=PersonId(message["person_id"]),
        kind="message",
        about={"message_id": message_id, **place},
        occurred_at=message["created_at"],
        actor=replace(SERVICE_ACTOR, staff_id=message["staff_id"]),
        source_key=f"message:{message_id}",
        direction="in" if message["role"] == "student" else "out",
    )


async def _lead(uow: UnitOfWork, person_id: PersonId, lead_id: LeadId | None) -> LeadId | None:
    if lead_id is None:
        return await leads.select_latest_open_lead(uow.conn, person_id)
    lead = await leads.select_lead(uow.conn, lead_id)
    if lead is None or lead.person_id != person_id:
        raise NotFound("lead.unknown", "There is no such lead.")
    return lead_id


async def _follow(uow: UnitOfWork, activity: Activity) -> None:
    """Tell the lead that something happened, and its clock that somebody answered."""
    if activity.lead_id is None:
        return
    await leads.touch_lead(uow.conn, activity.lead_id, at=activity.occurred_at)
    if is_contact(activity.kind, activity.direction):
        await stop_clocks(
            uow,
            subject_kind="lead",
            subject_id=activity.lead_id,
            target="first_response",
            at=min(activity.occurred_at, uow.clock.now()),
        )


def _tell(uow: UnitOfWork, activity: Activity, actor: Actor) -> None:
    uow.publish(
        ActivityNoted(
            activity_id=activity.id,
            person_id=activity.person_id,
            lead_id=activity.lead_id,
            kind=activity.kind,
            direction=activity.direction,
        )
    )
    payload = {
        "activity_id": activity.id,
        "kind": activity.kind,
        "lead_id": activity.lead_id,
        "about": activity.about,
    }
    uow.audit(performed(actor, "activity.note", about=activity.person_id, payload=payload))
