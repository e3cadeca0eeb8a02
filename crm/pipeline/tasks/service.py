"""Use cases of tasks: create, change, close, list."""

from datetime import datetime
from uuid import UUID

from crm.actor import Actor
from crm.db import Database
from crm.errors import NotFound
from crm.facts import facts_of
from crm.identity.permissions import Area, require
from crm.journal.audit import shown
from crm.journal.idempotency import IdempotencyKey
from crm.once import do_once
from crm.paging import Page, decode_cursor, encode_cursor, page_of
from crm.people.authority import audits_reads
from crm.pipeline.tasks import acts, store
from crm.pipeline.tasks.models import (
    CreateTask,
    Task,
    TaskChanges,
    TaskFilters,
    TaskId,
    TaskStatus,
)


class TaskService:
    """What staff have to do."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create_task(
        self, command: CreateTask, *, actor: Actor, idempotency: IdempotencyKey | None = None
    ) -> Task:
        """Give somebody something to do.

        Raises: as `acts.create_task`; Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:

            async def work() -> Task:
                return await acts.create_task(uow, command, actor=actor)

            return await do_once(uow, idempotency, facts_of(command), work, kind=Task, about=_whose)

    async def change_task(
        self,
        task_id: TaskId,
        changes: TaskChanges,
        *,
        expected_version: int,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Task:
        """Give an open task another title, date or owner.

        Raises: as `acts.change_task`; Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:

            async def work() -> Task:
                return await acts.change_task(
                    uow, task_id, changes, expected_version=expected_version, actor=actor
                )

            arguments = {"task_id": task_id, "version": expected_version, **changes}
            return await do_once(uow, idempotency, arguments, work, kind=Task, about=_whose)

    async def close_task(
        self,
        task_id: TaskId,
        to: TaskStatus,
        *,
        expected_version: int | None = None,
        actor: Actor,
        idempotency: IdempotencyKey | None = None,
    ) -> Task:
        """Mark a task as done or cancelled, or open it again.

        Raises: as `acts.close_task`; Denied("auth.role").
        """
        require(actor, Area.PIPELINE, write=True)
        async with self._db.transaction() as uow:

            async def work() -> Task:
                return await acts.close_task(
                    uow, task_id, to, expected_version=expected_version, actor=actor
                )

            arguments = {"task_id": task_id, "to": to, "version": expected_version}
            return await do_once(uow, idempotency, arguments, work, kind=Task, about=_whose)

    async def get_task(self, task_id: TaskId, *, actor: Actor) -> Task:
        """Return a task; the reading is audited.

        Raises: NotFound("task.unknown"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        async with self._db.audited_read() as uow:
            task = await store.select_task(uow.conn, task_id)
            if task is None:
                raise NotFound("task.unknown", "There is no such task.")
            if audits_reads(actor):
                uow.audit(shown(actor, "task.read", [task.person_id], task_id=task_id))
        return task

    async def list_tasks(
        self, filters: TaskFilters, *, cursor: str | None = None, limit: int = 50, actor: Actor
    ) -> Page[Task]:
        """Return tasks, the first due first; the reading is audited.

        Raises: RuleBroken("page.cursor"); Denied("auth.role").
        """
        require(actor, Area.PIPELINE)
        after = decode_cursor(cursor, datetime.fromisoformat, UUID)
        async with self._db.audited_read() as uow:
            rows = await store.select_tasks(uow.conn, filters, after=after, limit=limit + 1)
            page = page_of(rows, limit, lambda task: encode_cursor(task.due_at, task.id))
            if audits_reads(actor):
                uow.audit(shown(actor, "task.list", [task.person_id for task in page.items]))
        return page


def _whose(task: Task) -> UUID:
    return task.person_id
