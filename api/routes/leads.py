"""Leads over HTTP, for staff."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Query, Response, status

from api.auth import staff_in
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.lead_bodies import (
    ActivityOut,
    ActivityPage,
    Assignment,
    Code,
    LeadDetailOut,
    LeadOut,
    LeadPage,
    LeadPatch,
    NewActivity,
    NewLead,
    NewStage,
    Term,
)
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.ids import PersonId, StaffId
from crm.people.models import Locale
from crm.pipeline.models import (
    CreateLead,
    LeadChanges,
    LeadFilters,
    LeadId,
    LeadSort,
    LeadSource,
    Stage,
)
from tools.catalogue.scoring import ScoreOut, score_out

router = Chapter(prefix="/v1/leads", tags=["leads"])

PipelineReader = Annotated[Actor, Depends(staff_in(Area.PIPELINE))]
PipelineWriter = Annotated[Actor, Depends(staff_in(Area.PIPELINE, write=True))]


async def lead_filters(
    stage: Stage | None = None,
    staff_id: Annotated[UUID | None, Query(description="Who looks after them")] = None,
    unassigned: Annotated[bool, Query(description="Those nobody looks after")] = False,
    source: LeadSource | None = None,
    programme_code: Code | None = None,
    course_code: Code | None = None,
    term: Term | None = None,
    language: Locale | None = None,
    person_id: UUID | None = None,
    query: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Words of the person's name, small errors forgiven, or a part of an e-mail",
        ),
    ] = None,
) -> LeadFilters:
    """Return which leads are asked for."""
    return LeadFilters(
        stage=stage,
        staff_id=StaffId(staff_id) if staff_id else None,
        unassigned=unassigned,
        source=source,
        programme_code=programme_code,
        course_code=course_code,
        term=term,
        language=language,
        person_id=PersonId(person_id) if person_id else None,
        query=(query or "").strip() or None,
    )


@router.get("", summary="List or search leads")
async def list_leads(
    staff: PipelineReader,
    services: ServicesDep,
    page: PageDep,
    filters: Annotated[LeadFilters, Depends(lead_filters)],
    sort: LeadSort = "newest",
) -> LeadPage:
    """Return leads, the newest or the last active first; the reading is audited."""
    found = await services.pipeline.list_leads(
        filters, sort=sort, cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [LeadOut.model_validate(lead) for lead in found.items]
    return LeadPage(items=items, next_cursor=found.next_cursor)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Open a lead")
async def open_lead(
    body: NewLead,
    staff: PipelineWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> LeadOut:
    """Open a lead; without `staff_id` it goes to whoever the assignment rule says is next."""
    command = CreateLead(
        person_id=PersonId(body.person_id),
        source=body.source,
        programme_code=body.programme_code,
        course_code=body.course_code,
        term=body.term,
        language=body.language,
        stage=body.stage,
        staff_id=StaffId(body.staff_id) if body.staff_id else None,
    )
    lead = await services.pipeline.open_lead(command, actor=staff, idempotency=idempotency)
    response.headers["Location"] = f"/v1/leads/{lead.id}"
    return LeadOut.model_validate(lead)


@router.get("/{lead_id}", summary="Read a lead")
async def get_lead(lead_id: UUID, staff: PipelineReader, services: ServicesDep) -> LeadDetailOut:
    """Return a lead with its stages and its clocks; the reading is audited."""
    detail = await services.pipeline.get_lead(LeadId(lead_id), actor=staff)
    return LeadDetailOut.model_validate(detail)


@router.get("/{lead_id}/score", summary="Read a lead's score")
async def get_score(
    lead_id: UUID, staff: PipelineReader, services: ServicesDep, language: Locale = "en"
) -> ScoreOut:
    """Return a contact priority of 0 to 100 and its reasons; the reading is audited.

    The base and the reasons' points add up to the score. It decides about nothing: neither
    admission nor prices nor scholarships look at it.
    """
    reading = await services.scoring.read_score(LeadId(lead_id), actor=staff)
    return score_out(reading, language)


@router.patch("/{lead_id}", summary="Correct a lead")
async def change_lead(
    lead_id: UUID,
    body: LeadPatch,
    staff: PipelineWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> LeadOut:
    """Change what is known of an interest, if nobody else has since `expected_version`."""
    changes = body.model_dump(exclude_unset=True, exclude={"expected_version"})
    lead = await services.pipeline.change_lead(
        LeadId(lead_id),
        cast(LeadChanges, changes),
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return LeadOut.model_validate(lead)


@router.post("/{lead_id}/stage", summary="Move a lead")
async def move_lead(
    lead_id: UUID,
    body: NewStage,
    staff: PipelineWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> LeadOut:
    """Move a lead on, give it up with a reason, or take it up again."""
    lead = await services.pipeline.move_lead(
        LeadId(lead_id),
        body.stage,
        reason=body.reason,
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return LeadOut.model_validate(lead)


@router.post("/{lead_id}/assign", summary="Assign a lead")
async def assign_lead(
    lead_id: UUID,
    body: Assignment,
    staff: PipelineWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> LeadOut:
    """Give a lead to somebody, to nobody, or by the rule; by the rule it may find nobody fit."""
    lead = await services.pipeline.assign_lead(
        LeadId(lead_id),
        StaffId(body.staff_id) if body.staff_id else None,
        by_rule=body.by_rule,
        actor=staff,
        idempotency=idempotency,
    )
    return LeadOut.model_validate(lead)


@router.post(
    "/{lead_id}/activities", status_code=status.HTTP_201_CREATED, summary="Note an activity"
)
async def note_activity(
    lead_id: UUID,
    body: NewActivity,
    staff: PipelineWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> ActivityOut:
    """Note what was done or said; the first contact stops the clock of the first response."""
    activity = await services.pipeline.note_activity(
        LeadId(lead_id),
        body.kind,
        direction=body.direction,
        about={"text": body.text} if body.text is not None else {},
        occurred_at=body.occurred_at,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/leads/{lead_id}/activities"
    return ActivityOut.model_validate(activity)


@router.get("/{lead_id}/activities", summary="Read a lead's timeline")
async def lead_timeline(
    lead_id: UUID, staff: PipelineReader, services: ServicesDep, page: PageDep
) -> ActivityPage:
    """Return what happened with a lead, the latest first; the reading is audited."""
    found = await services.pipeline.lead_timeline(
        LeadId(lead_id), cursor=page.cursor, limit=page.limit, actor=staff
    )
    items = [ActivityOut.model_validate(activity) for activity in found.items]
    return ActivityPage(items=items, next_cursor=found.next_cursor)
