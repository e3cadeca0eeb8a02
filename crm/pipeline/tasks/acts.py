"""Gives people things to do, in the caller's transaction."""

from crm.actor import Actor
from crm.db import UnitOfWork
from crm.errors import NotFound, RuleBroken
from crm.facts import facts_of
from crm.ids import PersonId, StaffId, new_id
from crm.journal.audit import performed
from crm.people.standing import require_active
from crm.pipeline import store as leads
from crm.pipeline.activities.acts import note_activity
from crm.pipeline.events import TaskCreated, TaskStatusChanged, TaskUpdated
from crm.pipeline.tasks import models, store
from crm.pipeline.tasks.models import CreateTask, Task, TaskChanges, TaskId, TaskStatus


async def create_task(uow: UnitOfWork, command: CreateTask, *, actor: Actor) -> Task:
    """Give somebody something to do; the same effect key returns the same task.

    Raises:
        RuleBroken("task.title" | "task.subject" | "task.owner" | "person.inactive").
        NotFound("lead.unknown" | "person.unknown").
    """
    title = models.check_title(command.title)
    await _check_owner(uow, command.staff_id)
    now = uow.clock.now()
    task = Task(
        id=TaskId(new_id()),
        person_id=await _person(uow, command),
        lead_id=command.lead_id,
        title=title,
        staff_id=command.staff_id,
        due_at=command.due_at,
        status="open",
        version=1,
        created_at=now,
        updated_at=now,
        closed_at=None,
    )
    if not await store.insert_task(uow.conn, task, command.effect_key):
        return await _created_before(uow, command)
    await _note(uow, task, actor)
    uow.publish(TaskCreated(task_id=task.id, person_id=task.person_id, staff_id=task.staff_id))
    uow.audit(
        performed(actor, "task.create", about=task.person_id, payload={"task": facts_of(task)})
    )
    return task


async def _person(uow: UnitOfWork, command: CreateTask) -> PersonId:
    """Return whom a task is about: it follows from the lead."""
    person_id = command.person_id
    if command.lead_id is not None:
        lead = await leads.select_lead(uow.conn, command.lead_id)
        if lead is None or person_id not in (None, lead.person_id):
            raise NotFound("lead.unknown", "There is no such lead.")
        person_id = lead.person_id
    if person_id is None:
        raise RuleBroken("task.subject", "A task is for a lead or for a person.")
    await require_active(uow, person_id)
    return person_id


async def _check_owner(uow: UnitOfWork, staff_id: StaffId | None) -> None:
    if staff_id is not None and not await leads.is_on_duty(uow.conn, staff_id):
        raise RuleBroken("task.owner", "Nobody on duty has this id.")


async def _created_before(uow: UnitOfWork, command: CreateTask) -> Task:
    task = await store.select_task(uow.conn, effect_key=command.effect_key)
    assert task is not None, "nothing deletes a task"  # noqa: S101
    return task


async def change_task(
    uow: UnitOfWork, task_id: TaskId, changes: TaskChanges, *, expected_version: int, actor: Actor
) -> Task:
    """Give an open task another title, date or owner, if nobody else changed it meanwhile.

    Raises:
        Conflict("task.stale"); NotFound("task.unknown").
        RuleBroken("task.closed" | "task.title" | "task.owner" | "person.inactive").
    """
    before = await lock_task(uow, task_id)
    models.check_changeable(before, expected_version)
    if "title" in changes:
        changes = {**changes, "title": models.check_title(changes["title"])}
        await require_active(uow, before.person_id)
    news = {name: value for name, value in changes.items() if getattr(before, name) != value}
    if not news:
        return before
    if "staff_id" in news:
        await _check_owner(uow, changes["staff_id"])
    after = await store.update_task(uow.conn, task_id, {**news, "updated_at": uow.clock.now()})
    uow.publish(TaskUpdated(task_id=task_id, version=after.version))
    told = {name: [getattr(before, name), value] for name, value in news.items()}
    uow.audit(
        performed(
            actor,
            "task.update",
            about=after.person_id,
            payload={"task_id": task_id, "changes": told},
        )
    )
    return after


async def close_task(
    uow: UnitOfWork,
    task_id: TaskId,
    to: TaskStatus,
    *,
    expected_version: int | None = None,
    actor: Actor,
) -> Task:
    """Mark a task as done or cancelled, or open it again; saying it twice changes nothing.

    Raises: Conflict("task.stale"); RuleBroken("task.transition"); NotFound("task.unknown").
    """
    before = await lock_task(uow, task_id)
    if before.status == to:
        return before
    models.check_current(before, expected_version)
    models.check_transition(before.status, to)
    now = uow.clock.now()
    closed_at = None if to == "open" else now
    after = await store.update_task(
        uow.conn, task_id, {"status": to, "closed_at": closed_at, "updated_at": now}
    )
    await _note(uow, after, actor)
    uow.publish(TaskStatusChanged(task_id=task_id, to_status=to))
    payload = {"task_id": task_id, "from": before.status, "to": to}
    uow.audit(performed(actor, "task.status", about=after.person_id, payload=payload))
    return after


async def lock_task(uow: UnitOfWork, task_id: TaskId) -> Task:
    """Return a task that nobody else can change meanwhile.

    Raises: NotFound("task.unknown").
    """
    task = await store.select_task(uow.conn, task_id, lock=True)
    if task is None:
        raise NotFound("task.unknown", "There is no such task.")
    return task


async def _note(uow: UnitOfWork, task: Task, actor: Actor) -> None:
    await note_activity(
        uow,
        person_id=task.person_id,
        kind="task",
        about={"task_id": str(task.id), "status": task.status},
        occurred_at=uow.clock.now(),
        actor=actor,
        lead_id=task.lead_id,
        source_key=f"task:{task.id}:{task.version}",
    )
