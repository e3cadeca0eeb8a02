"""Tasks over HTTP, for staff."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Query, Response, status
from pydantic import Field

from api.auth import staff_in
from api.bodies import Body, Out
from api.dependencies import IdempotencyDep, PageDep, ServicesDep
from api.moments import Moment
from api.routing import Chapter
from crm.actor import Actor
from crm.identity.permissions import Area
from crm.ids import PersonId, StaffId
from crm.pipeline.models import LeadId
from crm.pipeline.tasks.models import (
    MAX_TITLE,
    CreateTask,
    TaskChanges,
    TaskFilters,
    TaskId,
    TaskStatus,
)

router = Chapter(prefix="/v1/tasks", tags=["tasks"])

TaskReader = Annotated[Actor, Depends(staff_in(Area.PIPELINE))]
TaskWriter = Annotated[Actor, Depends(staff_in(Area.PIPELINE, write=True))]
_Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE)]


class TaskOut(Out):
    """Something to do for a person, by a time."""

    id: UUID
    person_id: UUID
    lead_id: UUID | None
    title: str
    staff_id: UUID | None
    due_at: datetime
    status: TaskStatus
    version: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class TaskPage(Out):
    """A page of tasks."""

    items: list[TaskOut]
    next_cursor: str | None


class NewTask(Body):
    """A task for a lead, or for a person."""

    title: _Title
    due_at: Moment
    person_id: UUID | None = None
    lead_id: UUID | None = None
    staff_id: UUID | None = None


class TaskPatch(Body):
    """The fields to change; absent ones stay."""

    expected_version: int = Field(ge=1, le=2**31 - 1, description="`version` of what was read")
    title: _Title = Field(default_factory=str)
    due_at: Moment = Field(default_factory=lambda: datetime.max)  # noqa: DTZ901
    staff_id: UUID | None = None


class NewTaskStatus(Body):
    """The status to go to; `open` takes a task up again."""

    status: TaskStatus
    expected_version: int | None = Field(None, ge=1, le=2**31 - 1)


@router.get("", summary="List tasks")
async def list_tasks(
    staff: TaskReader,
    services: ServicesDep,
    page: PageDep,
    staff_id: Annotated[UUID | None, Query(description="Who has to do them")] = None,
    status: TaskStatus | None = None,
    lead_id: UUID | None = None,
    person_id: UUID | None = None,
    due_before: Moment | None = None,
) -> TaskPage:
    """Return tasks, the first due first; the reading is audited."""
    filters = TaskFilters(
        staff_id=StaffId(staff_id) if staff_id else None,
        status=status,
        lead_id=LeadId(lead_id) if lead_id else None,
        person_id=PersonId(person_id) if person_id else None,
        due_before=due_before,
    )
    found = await services.tasks.list_tasks(
        filters, cursor=page.cursor, limit=page.limit, actor=staff
    )
    return TaskPage.model_validate(found)


@router.post("", status_code=status.HTTP_201_CREATED, summary="Create a task")
async def create_task(
    body: NewTask,
    staff: TaskWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
    response: Response,
) -> TaskOut:
    """Give somebody something to do."""
    command = CreateTask(
        title=body.title,
        due_at=body.due_at,
        person_id=PersonId(body.person_id) if body.person_id else None,
        lead_id=LeadId(body.lead_id) if body.lead_id else None,
        staff_id=StaffId(body.staff_id) if body.staff_id else None,
    )
    task = await services.tasks.create_task(command, actor=staff, idempotency=idempotency)
    response.headers["Location"] = f"/v1/tasks/{task.id}"
    return TaskOut.model_validate(task)


@router.get("/{task_id}", summary="Read a task")
async def get_task(task_id: UUID, staff: TaskReader, services: ServicesDep) -> TaskOut:
    """Return a task; the reading is audited."""
    return TaskOut.model_validate(await services.tasks.get_task(TaskId(task_id), actor=staff))


@router.patch("/{task_id}", summary="Change a task")
async def change_task(
    task_id: UUID,
    body: TaskPatch,
    staff: TaskWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> TaskOut:
    """Give an open task another title, date or owner."""
    changes = body.model_dump(exclude_unset=True, exclude={"expected_version"})
    task = await services.tasks.change_task(
        TaskId(task_id),
        cast(TaskChanges, changes),
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return TaskOut.model_validate(task)


@router.post("/{task_id}/status", summary="Close a task, or open it again")
async def close_task(
    task_id: UUID,
    body: NewTaskStatus,
    staff: TaskWriter,
    services: ServicesDep,
    idempotency: IdempotencyDep,
) -> TaskOut:
    """Mark a task as done or cancelled, or open it again; saying it twice changes nothing."""
    task = await services.tasks.close_task(
        TaskId(task_id),
        body.status,
        expected_version=body.expected_version,
        actor=staff,
        idempotency=idempotency,
    )
    return TaskOut.model_validate(task)
