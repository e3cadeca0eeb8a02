"""Holds and waitlists of cohorts over HTTP, for staff."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Response, status
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.bootstrap import Services
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.routes.cohorts import CohortPath, cohort_key
from api.routing import Chapter
from crm.actor import Actor
from crm.courses.models import CohortId
from crm.courses.seats.authority import MAX_REASON
from crm.courses.seats.models import (
    LONGEST_HOLD,
    EntryId,
    EntryStatus,
    HoldId,
    HoldKind,
    HoldStatus,
)
from crm.identity.permissions import Area
from crm.ids import PersonId

router = Chapter(prefix="/v1/cohorts/{cohort}", tags=["enrolments"])

EnrolmentReader = Annotated[Actor, Depends(staff_in(Area.ENROLMENTS))]
EnrolmentWriter = Annotated[Actor, Depends(staff_in(Area.ENROLMENTS, write=True))]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
_Minutes = Annotated[int, Field(ge=1, le=LONGEST_HOLD // timedelta(minutes=1))]
_Waiver = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=MAX_REASON,
        description="Why the person may enrol without the prerequisites; it is recorded",
    ),
]


class HoldOut(Out):
    """A seat kept for one person for a while."""

    id: UUID
    cohort_id: UUID
    person_id: UUID
    kind: HoldKind
    status: HoldStatus
    waived: bool
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class HoldPage(Out):
    """A page of holds."""

    items: list[HoldOut]
    next_cursor: str | None


class EntryOut(Out):
    """A person's place in the queue; `hold_id` is the seat they are offered."""

    id: UUID
    cohort_id: UUID
    person_id: UUID
    priority: int
    waived: bool
    status: EntryStatus
    joined_at: datetime
    ended_at: datetime | None
    hold_id: UUID | None


class EntryPage(Out):
    """A page of a queue."""

    items: list[EntryOut]
    next_cursor: str | None


class NewHold(Body):
    """A seat to keep for a person, for the usual time unless told otherwise."""

    person_id: UUID
    minutes: _Minutes | None = None
    waiver: _Waiver = None


class Release(Body):
    """Why the seat is given back."""

    reason: Reason


class NewEntry(Body):
    """A person to queue; the higher priority goes first, equals by the time they joined."""

    person_id: UUID
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    waiver: _Waiver = None


class Outcome(Out):
    """Whether the call changed anything."""

    changed: bool


async def _id_of(services: Services, cohort: str) -> CohortId:
    return (await services.courses.get_cohort(cohort_key(cohort))).id


@router.get("/holds", summary="List holds")
async def list_holds(
    cohort: CohortPath,
    staff: EnrolmentReader,
    services: ServicesDep,
    page: PageDep,
    live_only: Annotated[bool, Query(description="Leaves out those that have ended")] = True,
) -> HoldPage:
    """Return a cohort's holds and offers, newest first; the reading is audited."""
    found = await services.seats.list_holds(
        await _id_of(services, cohort),
        live_only=live_only,
        cursor=page.cursor,
        limit=page.limit,
        actor=staff,
    )
    return HoldPage.model_validate(found)


@router.post("/holds", status_code=status.HTTP_201_CREATED, summary="Hold a seat")
async def hold_seat(
    cohort: CohortPath,
    body: NewHold,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> HoldOut:
    """Keep a seat for a person; their enrolment takes it over, or it expires."""
    hold = await services.seats.hold_seat(
        cohort_id=await _id_of(services, cohort),
        person_id=PersonId(body.person_id),
        life=timedelta(minutes=body.minutes) if body.minutes else None,
        waiver=body.waiver,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/cohorts/{hold.cohort_id}/holds/{hold.id}"
    return HoldOut.model_validate(hold)


@router.get("/holds/{hold_id}", summary="Read a hold")
async def get_hold(
    cohort: CohortPath, hold_id: UUID, staff: EnrolmentReader, services: ServicesDep
) -> HoldOut:
    """Return a hold; the reading is audited."""
    hold = await services.seats.get_hold(
        HoldId(hold_id), cohort_id=await _id_of(services, cohort), actor=staff
    )
    return HoldOut.model_validate(hold)


@router.post("/holds/{hold_id}/release", summary="Release a hold")
async def release_hold(
    cohort: CohortPath,
    hold_id: UUID,
    body: Release,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> Outcome:
    """Give a seat back, which goes to who waits for one; releasing an offer declines it."""
    changed = await services.seats.release_hold(
        HoldId(hold_id),
        cohort_id=await _id_of(services, cohort),
        reason=body.reason,
        actor=staff,
        idempotency=idempotency,
    )
    return Outcome(changed=changed)


@router.get("/waitlist", summary="Read a waitlist")
async def list_waitlist(
    cohort: CohortPath, staff: EnrolmentReader, services: ServicesDep, page: PageDep
) -> EntryPage:
    """Return who waits for a seat or has an offer, in their order; the reading is audited."""
    found = await services.seats.list_waitlist(
        await _id_of(services, cohort), cursor=page.cursor, limit=page.limit, actor=staff
    )
    return EntryPage.model_validate(found)


@router.post("/waitlist", status_code=status.HTTP_201_CREATED, summary="Queue for a seat")
async def join_waitlist(
    cohort: CohortPath,
    body: NewEntry,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> EntryOut:
    """Queue a person, once; where a seat is free it is offered at once."""
    entry = await services.seats.join_waitlist(
        cohort_id=await _id_of(services, cohort),
        person_id=PersonId(body.person_id),
        priority=body.priority,
        waiver=body.waiver,
        actor=staff,
        idempotency=idempotency,
    )
    response.headers["Location"] = f"/v1/cohorts/{entry.cohort_id}/waitlist"
    return EntryOut.model_validate(entry)


@router.post("/waitlist/{entry_id}/leave", summary="Leave a waitlist")
async def leave_waitlist(
    cohort: CohortPath,
    entry_id: UUID,
    staff: EnrolmentWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> Outcome:
    """Take a person out of the queue, declining the seat they are offered, if any."""
    changed = await services.seats.leave_waitlist(
        EntryId(entry_id),
        cohort_id=await _id_of(services, cohort),
        actor=staff,
        idempotency=idempotency,
    )
    return Outcome(changed=changed)
