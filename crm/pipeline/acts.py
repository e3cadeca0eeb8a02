"""What other contexts tell the pipeline, in their own transactions."""

from uuid import UUID

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound
from crm.ids import PersonId
from crm.pipeline import models, store
from crm.pipeline.activities.acts import note_activity
from crm.pipeline.activities.store import has_happened
from crm.pipeline.leads import change_lead, move_lead, open_lead
from crm.pipeline.models import CreateLead, Lead
from crm.pipeline.sla.acts import breach_due

__all__ = [
    "breach_due",
    "change_lead",
    "move_lead",
    "note_activity",
    "open_lead",
    "record_enrolment",
    "record_withdrawal",
]


async def record_enrolment(
    uow: UnitOfWork, *, person_id: PersonId, course_code: str, enrolment_id: UUID, actor: Actor
) -> None:
    """Move the person's open lead for a course, or a programme with it, on to `enrolled`.

    Who had none gets one. Every step between is recorded. Telling it again changes nothing.

    Raises: NotFound("person.unknown" | "lead.interest_unknown").
    """
    person_id = await _settle(uow, person_id)
    source_key = f"enrolment:{enrolment_id}"
    if await has_happened(uow.conn, source_key):
        return
    lead = await store.select_open_lead_for(uow.conn, person_id, course_code)
    lead = lead or await _open_enrolled(uow, person_id, course_code, actor)
    for stage in models.way_to_enrolled(lead.stage):
        lead = await move_lead(uow, lead.id, stage, actor=actor)
    await note_activity(
        uow,
        person_id=person_id,
        kind="enrolment",
        about={"enrolment_id": str(enrolment_id), "course_code": course_code},
        occurred_at=uow.clock.now(),
        actor=actor,
        lead_id=lead.id,
        source_key=source_key,
    )


async def record_withdrawal(
    uow: UnitOfWork,
    *,
    person_id: PersonId,
    course_code: str,
    enrolment_id: UUID,
    reason: str,
    actor: Actor,
) -> None:
    """Note on the timeline that somebody left a course; telling it again changes nothing.

    Raises: NotFound("person.unknown").
    """
    person_id = await _settle(uow, person_id)
    await note_activity(
        uow,
        person_id=person_id,
        kind="withdrawal",
        about={
            "enrolment_id": str(enrolment_id),
            "course_code": course_code,
            "reason": reason[:500],
        },
        occurred_at=uow.clock.now(),
        actor=actor,
        lead_id=await store.select_lead_of_happening(
            uow.conn, person_id, f"enrolment:{enrolment_id}"
        ),
        source_key=f"withdrawal:{enrolment_id}",
    )


async def _settle(uow: UnitOfWork, person_id: PersonId) -> PersonId:
    """Return who the person is now, after a merge, with nobody else working on them."""
    person = await store.lock_person(uow.conn, person_id)
    if person and person["merged_into"]:
        person = await store.lock_person(uow.conn, person["merged_into"])
    if person is None:
        raise NotFound("person.unknown", "There is no such person.")
    return PersonId(person["id"])


async def _open_enrolled(
    uow: UnitOfWork, person_id: PersonId, course_code: str, actor: Actor
) -> Lead:
    command = CreateLead(
        person_id=person_id, source="enrolment", course_code=course_code, stage="lead"
    )
    return await open_lead(uow, command, actor=actor, attended=False)
