"""What admins read: the audit journal and the runs of the agents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from api.audit_export import MEDIA_TYPES, Format, export_lines
from api.bodies import Out
from api.bootstrap import Services
from api.dependencies import AuditReader, PageDep, RequireAdmin, RunReader, ServicesDep
from api.moments import Moment
from api.routes.auth import StaffOut
from api.routing import Chapter
from crm.actor import Actor
from crm.journal.audit import Effect, Outcome, performed
from crm.journal.service import AuditRecord
from crm.messaging.turns.models import RunStatus

router = Chapter(prefix="/v1/admin", tags=["admin"])

#: A run's records fit on one page: steps and calls are bounded.
_TIMELINE = 200
#: Of actions and agents; what cannot be one is refused before an export begins to stream.
_NAME = r"^[\w.:-]+$"


class AuditEventOut(BaseModel):
    """A record of the journal; payload fields whose key was destroyed are null."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    chain_id: UUID
    seq: int
    occurred_at: datetime
    actor_kind: Literal["student", "staff", "service"]
    actor_level: int
    actor_role: str | None
    staff_id: UUID | None
    person_id: UUID | None
    subject_id: UUID
    agent: str | None
    model: str | None
    prompt_version: str | None
    action: str
    action_version: int
    effect: Effect
    outcome: Outcome
    decision: str
    error_code: str | None
    conversation_id: UUID | None
    run_id: UUID | None
    step: int | None
    call_index: int | None
    approval_id: UUID | None
    effect_key: str | None
    arguments_digest: str | None
    tokens_in: int
    tokens_out: int
    cost_micros: int
    latency_ms: int
    prev_hash: str
    hash: str
    payload: dict[str, Any]


class AuditPage(BaseModel):
    """A page of records, newest first."""

    items: list[AuditEventOut]
    next_cursor: str | None


class BrokenLinkOut(Out):
    """The first record of a chain that does not fit."""

    chain_id: UUID
    seq: int
    reason: str


class VerificationOut(Out):
    """What a walk over all chains found."""

    chains: int
    events: int
    broken: list[BrokenLinkOut]


class RunOut(Out):
    """One run of the agents."""

    id: UUID
    conversation_id: UUID
    status: RunStatus
    agent: str
    provider: str
    model: str
    prompt_version: str
    attempts: int
    steps: int
    tool_calls: int
    tokens_in: int
    tokens_out: int
    cost_micros: int
    latency_ms: int | None
    error_code: str | None
    started_at: datetime
    finished_at: datetime | None


class RunPage(BaseModel):
    """A page of runs, newest first."""

    items: list[RunOut]
    next_cursor: str | None


class RunDetail(BaseModel):
    """A run with its records in the order they were made."""

    run: RunOut
    events: list[AuditEventOut]


class StaffPage(BaseModel):
    """A page of staff, by name."""

    items: list[StaffOut]
    next_cursor: str | None


async def audit_filters(
    action: Annotated[str | None, Query(max_length=100, pattern=_NAME)] = None,
    outcome: Outcome | None = None,
    agent: Annotated[str | None, Query(max_length=100, pattern=_NAME)] = None,
    run_id: UUID | None = None,
    conversation_id: UUID | None = None,
    person_id: UUID | None = None,
    since: Annotated[Moment | None, Query(description="From this moment on")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment")] = None,
) -> Mapping[str, object]:
    """Return which records are asked for."""
    asked = {
        "action": action,
        "outcome": outcome,
        "agent": agent,
        "run_id": run_id,
        "conversation_id": conversation_id,
        "person_id": person_id,
        "since": since,
        "until": until,
    }
    return {name: value for name, value in asked.items() if value is not None}


AuditFilters = Annotated[Mapping[str, object], Depends(audit_filters)]


@router.get("/audit/events", summary="Read the audit journal")
async def list_audit_events(
    staff: AuditReader, services: ServicesDep, page: PageDep, filters: AuditFilters
) -> AuditPage:
    """Return records, newest first, opened; the reading is itself audited."""
    await _note(services, staff, "audit.read", filters)
    found = await services.journal.list_audit_events(filters, cursor=page.cursor, limit=page.limit)
    items = [_event(record) for record in found.items]
    return AuditPage(items=items, next_cursor=found.next_cursor)


def _event(record: AuditRecord) -> AuditEventOut:
    return AuditEventOut.model_validate({**record.header, "payload": dict(record.payload)})


async def _note(
    services: Services, staff: Actor, action: str, filters: Mapping[str, object]
) -> None:
    """Audit that somebody looks, before anything is shown."""
    person_id = filters.get("person_id")
    entry = performed(
        staff,
        action,
        "READ",
        people=(person_id,) if isinstance(person_id, UUID) else (),
        payload={"filters": dict(filters)},
    )
    async with services.database.audited_read() as uow:
        uow.audit(entry)


@router.get(
    "/audit/export",
    summary="Export the audit journal",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}}},
)
async def export_audit_events(
    staff: AuditReader,
    services: ServicesDep,
    filters: AuditFilters,
    format: Annotated[Format, Query()] = "jsonl",
) -> StreamingResponse:
    """Stream every record that matches, newest first; the export is itself audited."""
    await _note(services, staff, "audit.export", {**filters, "format": format})
    return StreamingResponse(
        export_lines(services.journal, filters, format),
        media_type=MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="audit.{format}"'},
    )


@router.post("/audit/verify", summary="Verify the audit journal")
async def verify_audit(staff: AuditReader, services: ServicesDep) -> VerificationOut:
    """Walk every chain from its start and compare each link and each head."""
    await _note(services, staff, "audit.verify", {})
    return VerificationOut.model_validate(await services.journal.verify_chains())


@router.get("/runs", summary="List runs")
async def list_runs(
    staff: RunReader,
    services: ServicesDep,
    page: PageDep,
    status: RunStatus | None = None,
    conversation_id: UUID | None = None,
) -> RunPage:
    """Return runs of the agents, newest first."""
    found = await services.turns.list_runs(
        status=status, conversation_id=conversation_id, cursor=page.cursor, limit=page.limit
    )
    items = [RunOut.model_validate(run) for run in found.items]
    return RunPage(items=items, next_cursor=found.next_cursor)


@router.get("/runs/{run_id}", summary="Read a run")
async def get_run(
    run_id: UUID, staff: RunReader, audit: AuditReader, services: ServicesDep
) -> RunDetail:
    """Return a run with its records as a timeline; the reading is itself audited."""
    run = await services.turns.get_run(run_id)
    filters = {"run_id": run_id}
    await _note(services, audit, "run.read", filters)
    page = await services.journal.list_audit_events(filters, cursor=None, limit=_TIMELINE)
    events = sorted(map(_event, page.items), key=lambda event: event.seq)
    return RunDetail(run=RunOut.model_validate(run), events=events)


@router.get("/staff", summary="List staff")
async def list_staff(staff: RequireAdmin, services: ServicesDep, page: PageDep) -> StaffPage:
    """Return accounts, by name."""
    found = await services.identity.list_staff(actor=staff, cursor=page.cursor, limit=page.limit)
    items = [StaffOut.model_validate(member) for member in found.items]
    return StaffPage(items=items, next_cursor=found.next_cursor)
